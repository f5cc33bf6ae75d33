package asl_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/response/asl"
)

var publish = asl.SDK("aws", "sns", "publish")

func Example() {
	m := asl.Machine{StartAt: "Publish", States: []asl.State{
		asl.Task{
			Name: "Publish", Resource: publish, Parameters: asl.Payload{"Message.$": "States.Format('{} happened', $.title)"},
			ResultPath: asl.Discard, Next: "Done",
		},
		asl.Succeed{Name: "Done"},
	}}
	fmt.Println(m.JSON())
	// Output:
	// {"StartAt":"Publish","States":{"Done":{"Type":"Succeed"},"Publish":{"Next":"Done","Parameters":{"Message.$":"States.Format('{} happened', $.title)"},"Resource":"arn:aws:states:::aws-sdk:sns:publish","ResultPath":null,"Type":"Task"}}} <nil>
}

// every uses each kind of state once.
func every() asl.Machine {
	branch := asl.Machine{StartAt: "B", States: []asl.State{asl.Pass{Name: "B"}}}
	each := asl.Machine{StartAt: "E", States: []asl.State{asl.Task{Name: "E", Resource: asl.SDK("aws", "ec2", "createTags")}}}
	retry := []asl.Retry{{ErrorEquals: []string{"States.ALL"}, IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 2}}
	return asl.Machine{Comment: "all", StartAt: "Compute", TimeoutSeconds: 60, States: []asl.State{
		asl.Compute{Name: "Compute", Output: map[string]any{"n": "{% 1 + 1 %}"}, Next: "Parallel"},
		asl.Parallel{Name: "Parallel", Branches: []asl.Machine{branch}, ResultPath: "$.all", Retry: retry, Next: "Map"},
		asl.Map{Name: "Map", ItemsPath: "$.all", ItemSelector: asl.Payload{"x.$": "$$.Map.Item.Value"}, MaxConcurrency: 1, Each: each, ResultPath: asl.Discard, Next: "Choice"},
		asl.Choice{Name: "Choice", Rules: []asl.Rule{{
			Test: asl.All(asl.Present("$.n"), asl.Not(asl.Any(asl.Text("$.n", "x"), asl.Is("$.n", "NumericEqualsPath", "$.m")))), Next: "Wait",
		}}, Default: "Fail"},
		asl.Wait{Name: "Wait", Seconds: 5, Next: "Task"},
		asl.Task{
			Name: "Task", Resource: publish, TimeoutSeconds: 9, ResultSelector: asl.Payload{"id.$": "$.MessageId"}, ResultPath: "$.sent",
			Catch: []asl.Catch{{ErrorEquals: []string{"States.ALL"}, ResultPath: "$.error", Next: "Fail"}}, Next: "Succeed",
		},
		asl.Succeed{Name: "Succeed"},
		asl.Fail{Name: "Fail", Error: "Redoubt.Failed", Cause: "people look"},
	}}
}

func TestMachineRendersTheSameBytes(t *testing.T) {
	t.Parallel()
	first, err := every().JSON()
	require.NoError(t, err)
	for range 20 {
		again, err := every().JSON()
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
	require.JSONEq(t, `{"Comment":"all","StartAt":"Compute","TimeoutSeconds":60,"States":{
		"Compute":{"Type":"Pass","QueryLanguage":"JSONata","Output":{"n":"{% 1 + 1 %}"},"Next":"Parallel"},
		"Parallel":{"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}],"ResultPath":"$.all",
			"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":2,"BackoffRate":2,"JitterStrategy":"FULL"}],"Next":"Map"},
		"Map":{"Type":"Map","ItemsPath":"$.all","ItemSelector":{"x.$":"$$.Map.Item.Value"},"MaxConcurrency":1,"ResultPath":null,"Next":"Choice",
			"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"E","States":{"E":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:createTags","End":true}}}},
		"Choice":{"Type":"Choice","Default":"Fail","Choices":[{"Next":"Wait","And":[{"Variable":"$.n","IsPresent":true},
			{"Not":{"Or":[{"Variable":"$.n","StringEquals":"x"},{"Variable":"$.n","NumericEqualsPath":"$.m"}]}}]}]},
		"Wait":{"Type":"Wait","Seconds":5,"Next":"Task"},
		"Task":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sns:publish","TimeoutSeconds":9,"ResultSelector":{"id.$":"$.MessageId"},"ResultPath":"$.sent",
			"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"Fail"}],"Next":"Succeed"},
		"Succeed":{"Type":"Succeed"},"Fail":{"Type":"Fail","Error":"Redoubt.Failed","Cause":"people look"}}}`, first)
	require.Equal(t, []string{"arn:aws:states:::aws-sdk:ec2:createTags", publish}, every().Resources())
}

func TestMachineReportsEveryFinding(t *testing.T) {
	t.Parallel()
	one := func(s ...asl.State) asl.Machine { return asl.Machine{StartAt: s[0].StateName(), States: s} }
	done := asl.Succeed{Name: "Done"}
	all := []string{"States.ALL"}
	for want, m := range map[string]asl.Machine{
		`StartAt: there is no state "Nowhere"`: {StartAt: "Nowhere", States: []asl.State{done}},
		`goes to "Nowhere"`:                    one(asl.Pass{Name: "A", Next: "Nowhere"}),
		"a second state has the name":          one(done, done),
		"Lost: nothing leads to it":            one(done, asl.Succeed{Name: "Lost"}),
		"no way leads from it to an end":       one(asl.Pass{Name: "A", Next: "B"}, asl.Pass{Name: "B", Next: "A"}),
		"Default: missing":                     one(asl.Choice{Name: "C", Rules: []asl.Rule{{Test: asl.Present("$.x"), Next: "Done"}}}, done),
		"Rules: none":                          one(asl.Choice{Name: "C", Default: "Done"}, done),
		"Variable":                             one(asl.Choice{Name: "C", Rules: []asl.Rule{{Test: asl.Present("$.x[*]"), Next: "Done"}}, Default: "Done"}, done),
		"is no comparison":                     one(asl.Choice{Name: "C", Rules: []asl.Rule{{Test: asl.Is("$.x", "Resembles", 1), Next: "Done"}}, Default: "Done"}, done),
		"And of nothing":                       one(asl.Choice{Name: "C", Rules: []asl.Rule{{Test: asl.All(), Next: "Done"}}, Default: "Done"}, done),
		"is no integration":                    one(asl.Task{Name: "T", Resource: "arn:aws:lambda:x"}),
		"would be taken literally":             one(asl.Task{Name: "T", Resource: publish, Parameters: asl.Payload{"M": "$.x"}}),
		"Parameters.L[0].M.$":                  one(asl.Task{Name: "T", Resource: publish, Parameters: asl.Payload{"L": []any{asl.Payload{"M.$": "x"}}}}),
		"is no expression":                     one(asl.Pass{Name: "P", Parameters: asl.Payload{"M.$": 1}}),
		"ResultPath":                           one(asl.Pass{Name: "P", ResultPath: "$.x[*]"}),
		"not alone, or not last":               one(asl.Task{Name: "T", Resource: publish, Catch: []asl.Catch{{ErrorEquals: all, Next: "Done"}, {ErrorEquals: []string{"A"}, Next: "Done"}}}, done),
		"Retry[0]: no errors":                  one(asl.Task{Name: "T", Resource: publish, Retry: []asl.Retry{{IntervalSeconds: 1, MaxAttempts: 1, BackoffRate: 1}}}),
		"below 1":                              one(asl.Task{Name: "T", Resource: publish, Retry: []asl.Retry{{ErrorEquals: all}}}),
		"TimeoutSeconds: -1":                   one(asl.Task{Name: "T", Resource: publish, TimeoutSeconds: -1}),
		"Branches: none":                       one(asl.Parallel{Name: "P"}),
		"branch 0: StartAt":                    one(asl.Parallel{Name: "P", Branches: []asl.Machine{{StartAt: "X", States: []asl.State{asl.Pass{Name: "Y"}}}}}),
		"ItemsPath":                            one(asl.Map{Name: "M", ItemsPath: "x", Each: asl.Machine{StartAt: "Y", States: []asl.State{asl.Pass{Name: "Y"}}}}),
		"Output.n":                             one(asl.Compute{Name: "C", Output: map[string]any{"n": "{% 1 + %}"}}),
		"a JSONPath field in a JSONata state":  one(asl.Compute{Name: "C", Output: map[string]any{"n.$": "$.x"}}),
		"Seconds: 0":                           one(asl.Wait{Name: "W"}),
		"a failure without name or cause":      one(asl.Fail{Name: "F"}),
		"has 0 characters":                     one(asl.Pass{}),
	} {
		_, err := m.JSON()
		require.ErrorContains(t, err, want)
	}
	_, err := one(asl.Pass{Name: "A", Next: "X"}, asl.Wait{Name: "B"}).JSON()
	for _, want := range []string{`goes to "X"`, "Seconds: 0", "B: nothing leads to it"} {
		require.ErrorContains(t, err, want, "all at once")
	}
}
