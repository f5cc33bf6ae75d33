package aslrun_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/response/internal/aslrun"
)

func nothing(aslrun.Call) (any, error) { return map[string]any{"Id": "i-1"}, nil }

func TestRunFollowsTheDefinition(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt":"List","States":{
		"List":{"Type":"Pass","Parameters":{"items":[1,2],"kind":"Backdoor:EC2/C&C","all.$":"$"},"ResultPath":"$.made.list","Next":"Each"},
		"Each":{"Type":"Map","ItemsPath":"$.made.list.items","ItemSelector":{"n.$":"$$.Map.Item.Value","who.$":"$.who"},"ResultPath":"$.done","Next":"Side",
			"ItemProcessor":{"StartAt":"Call","States":{"Call":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:createTags","Parameters":{"N.$":"$.n","Who.$":"$.who"},"ResultSelector":{"id.$":"$.Id"},"End":true}}}},
		"Side":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"ResultSelector":{"first.$":"$[0].who"},"ResultPath":"$.side","Next":"Compute"},
		"Compute":{"Type":"Pass","QueryLanguage":"JSONata","Output":{"kind":"{% $states.input.made.list.kind %}","done":"{% $states.input.done %}","two":"{% 1 + 1 %}","k":"text"},"Next":"Wait"},
		"Wait":{"Type":"Wait","Seconds":90,"Next":"Choose"},
		"Choose":{"Type":"Choice","Default":"No","Choices":[
			{"And":[{"Variable":"$.none","IsPresent":true},{"Variable":"$.none","StringEquals":"x"}],"Next":"No"},
			{"Or":[{"Not":{"Variable":"$.two","NumericGreaterThanEquals":2}},{"Variable":"$.kind","StringMatches":"Backdoor:EC2/*"}],"Next":"Yes"}]},
		"Yes":{"Type":"Succeed"},"No":{"Type":"Fail","Error":"No","Cause":"no"}}}`
	r, err := aslrun.Run(definition, `{"who":"me"}`, nothing)
	require.NoError(t, err)
	require.Nil(t, r.Failure)
	require.Equal(t, []string{"List", "Each", "Call", "Call", "Side", "A", "Compute", "Wait", "Choose", "Yes"}, r.Path)
	require.Equal(t, []string{"ec2:createTags", "ec2:createTags"}, r.Called())
	require.Equal(t, map[string]any{"N": float64(1), "Who": "me"}, r.CallOf("Call").Parameters)
	require.Nil(t, r.CallOf("Yes"))
	require.True(t, r.Visited("Side"))
	require.Equal(t, 90*time.Second, r.Elapsed)
	require.Equal(t, map[string]any{
		"kind": "Backdoor:EC2/C&C", "two": float64(2), "k": "text",
		"done": []any{map[string]any{"id": "i-1"}, map[string]any{"id": "i-1"}},
	}, r.Output)
}

func TestRunRetriesAndCatches(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt":"Call","States":{
		"Call":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"Token.$":"$$.Task.Token"},"TimeoutSeconds":60,
			"Retry":[{"ErrorEquals":["States.TaskFailed"],"MaxAttempts":2}],
			"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"Late","ResultPath":"$.error"}],"Next":"Late"},
		"Late":{"Type":"Pass","End":true}}}`
	for name, want := range map[string]struct {
		calls   int
		failure string
		elapsed time.Duration
	}{
		"States.Timeout":    {1, "", time.Minute},
		"Sqs.SqsException":  {3, "Sqs.SqsException", 0},
		"Iam.OtherProblems": {3, "Iam.OtherProblems", 0},
	} {
		r, err := aslrun.Run(definition, `{}`, func(c aslrun.Call) (any, error) {
			require.Equal(t, "token-of-Call", c.Parameters["Token"])
			return nil, &aslrun.Failure{Name: name, Cause: "c"}
		})
		require.NoError(t, err)
		require.Len(t, r.Calls, want.calls)
		require.Equal(t, want.elapsed, r.Elapsed)
		if want.failure == "" {
			require.Nil(t, r.Failure)
			require.Equal(t, map[string]any{"error": map[string]any{"Error": name, "Cause": "c"}}, r.Output)
			continue
		}
		require.EqualError(t, r.Failure, want.failure+": c")
	}
}

func TestRunRefusesWhatStepFunctionsRefuses(t *testing.T) {
	t.Parallel()
	for want, definition := range map[string]string{
		"$.x is not there":     `{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"a.$":"$.x"},"End":true}}}`,
		"C: $.x is not there":  `{"StartAt":"C","States":{"C":{"Type":"Choice","Default":"C","Choices":[{"Variable":"$.x","StringEquals":"a","Next":"C"}]}}}`,
		"more than 5000 steps": `{"StartAt":"P","States":{"P":{"Type":"Pass","Next":"P"}}}`,
		`no state "Q"`:         `{"StartAt":"Q","States":{}}`,
		`type "Odd"`:           `{"StartAt":"P","States":{"P":{"Type":"Odd"}}}`,
		"is no list":           `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.n","ItemProcessor":{},"End":true}}}`,
		"definition":           `{`,
	} {
		_, err := aslrun.Run(definition, `{"n":1}`, nothing)
		require.ErrorContains(t, err, want)
	}
	_, err := aslrun.Run(`{}`, `{`, nothing)
	require.ErrorContains(t, err, "input")
}
