package identity

import (
	"fmt"
	"strings"
)

// stateMachine is a definition in the Amazon States Language, with JSONata.
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
type stateMachine struct {
	Comment        string           `json:"Comment"`
	QueryLanguage  string           `json:"QueryLanguage"`
	StartAt        string           `json:"StartAt"`
	TimeoutSeconds int              `json:"TimeoutSeconds"`
	States         map[string]state `json:"States"`
}

// state is one state; what its type does not know is left empty.
type state struct {
	Type      string `json:"Type"`
	Resource  string `json:"Resource,omitempty"`
	Arguments any    `json:"Arguments,omitempty"`
	// Assign sets variables, Output is what the next state gets.
	Assign  map[string]any `json:"Assign,omitempty"`
	Output  any            `json:"Output,omitempty"`
	Choices []choice       `json:"Choices,omitempty"`
	Default string         `json:"Default,omitempty"`
	Seconds int            `json:"Seconds,omitempty"`
	Retry   []retry        `json:"Retry,omitempty"`
	Catch   []catch        `json:"Catch,omitempty"`
	Error   string         `json:"Error,omitempty"`
	Cause   string         `json:"Cause,omitempty"`
	Next    string         `json:"Next,omitempty"`
	End     bool           `json:"End,omitempty"`
}

type choice struct {
	Condition string `json:"Condition"`
	Next      string `json:"Next"`
}

type retry struct {
	ErrorEquals     []string `json:"ErrorEquals"`
	IntervalSeconds int      `json:"IntervalSeconds"`
	MaxAttempts     int      `json:"MaxAttempts"`
	BackoffRate     float64  `json:"BackoffRate"`
	JitterStrategy  string   `json:"JitterStrategy"`
}

type catch struct {
	ErrorEquals []string `json:"ErrorEquals"`
	Next        string   `json:"Next"`
}

// States that every review has.
const (
	stateRequest   = "RequestReport"
	stateReady     = "ReportReady"
	stateWait      = "WaitForReport"
	stateAnnounce  = "AnnounceReview"
	stateFailure   = "AnnounceFailure"
	stateFailed    = "ReviewFailed"
	reviewTimeout  = 3600 // seconds
	reportInterval = 15   // seconds between two looks at the report's state
)

// machine is the review: have IAM write the credential report, then for each
// collection fetch a page, store it, and go on while there is another, then
// announce. Findings are evidence in S3 and never part of the message.
func (args *AccessReviewArgs) machine() stateMachine {
	rows := args.wanted()
	m := stateMachine{
		Comment:       "Access review: credentials, unused and external access, open security groups",
		QueryLanguage: "JSONata", StartAt: stateRequest, TimeoutSeconds: reviewTimeout,
		States: map[string]state{
			stateRequest: args.task("aws-sdk:iam:generateCredentialReport", map[string]any{}, state{
				Assign: map[string]any{
					"reportState": "{% $states.result.State %}", "page": 1, "token": "",
					"folder": fmt.Sprintf("{%% '%s' & $substringBefore($states.context.Execution.StartTime, 'T') & '/' & $states.context.Execution.Name %%}", args.evidencePrefix()),
				},
				Next: stateReady,
			}),
			stateReady: {
				Type:    "Choice",
				Choices: []choice{{Condition: "{% $reportState = 'COMPLETE' %}", Next: fetchState(rows[0])}},
				Default: stateWait,
			},
			stateWait: {Type: "Wait", Seconds: reportInterval, Next: stateRequest},
			stateAnnounce: args.announcement("Access review is ready",
				"{% 'Review the evidence in s3://"+args.EvidenceBucket+"/' & $folder & '/ and revoke what nobody needs.' %}", state{End: true}),
			stateFailure: args.announcement("Access review failed",
				"{% 'See the execution ' & $states.context.Execution.Id %}", state{Next: stateFailed}),
			stateFailed: {Type: "Fail", Error: "AccessReviewFailed", Cause: "A call failed after its retries; see the state before"},
		},
	}
	for i, row := range rows {
		next := stateAnnounce
		if i+1 < len(rows) {
			next = fetchState(rows[i+1])
		}
		args.collect(m.States, row, next)
	}
	return m
}

// collect adds the states of one collection: fetch, store, and more if paged.
func (args *AccessReviewArgs) collect(states map[string]state, row collection, next string) {
	fetch, store, more := fetchState(row), "Store-"+row.name, "More-"+row.name
	token := "{% $exists($states.result.NextToken) ? $states.result.NextToken : '' %}"
	if !row.paged {
		token = ""
	}
	states[fetch] = args.task("aws-sdk:"+row.resource, args.call(row), state{
		Assign: map[string]any{"token": token},
		Output: "{% $states.result %}",
		Next:   store,
	})
	stored := state{Assign: map[string]any{"page": "{% $token = '' ? 1 : $page + 1 %}"}, Output: map[string]any{}, Next: next}
	if row.paged {
		stored.Next = more
		states[more] = state{
			Type:    "Choice",
			Choices: []choice{{Condition: "{% $token != '' %}", Next: fetch}},
			Default: next,
		}
	}
	states[store] = args.task("aws-sdk:s3:putObject", map[string]any{
		"Bucket":      args.EvidenceBucket,
		"Key":         fmt.Sprintf("{%% $folder & '/%s-' & $string($page) & '.json' %%}", row.name),
		"Body":        "{% $string($states.input) %}",
		"ContentType": "application/json",
	}, stored)
}

// call is a collection's arguments. A first page has no token, and JSONata
// has no way to leave a field out of a JSON object, so that a paged call's
// object is put together by an expression.
func (args *AccessReviewArgs) call(row collection) any {
	if !row.paged {
		return map[string]any{}
	}
	filled := strings.NewReplacer(externalAnalyzer, args.ExternalAnalyzerArn, unusedAnalyzer, args.UnusedAnalyzerArn).Replace(row.arguments)
	return fmt.Sprintf("{%% $merge([%s, $token = '' ? {} : {'NextToken': $token}]) %%}", filled)
}

func (args *AccessReviewArgs) announcement(subject, message string, then state) state {
	s := args.task("sns:publish", map[string]any{"TopicArn": args.topicARN(), "Subject": subject, "Message": message}, then)
	if then.Next == stateFailed {
		// A failure that cannot be announced is still a failed execution.
		s.Catch = []catch{{ErrorEquals: []string{"States.ALL"}, Next: stateFailed}}
	}
	return s
}

// task completes a state to a call of an AWS service, which is tried again
// when throttled and announced when it fails for good.
func (args *AccessReviewArgs) task(integration string, arguments any, s state) state {
	s.Type, s.Arguments = "Task", arguments
	s.Resource = "arn:" + args.Scope.Partition + ":states:::" + integration
	s.Retry = []retry{{ErrorEquals: []string{"States.ALL"}, IntervalSeconds: 5, MaxAttempts: 4, BackoffRate: 2, JitterStrategy: "FULL"}}
	s.Catch = []catch{{ErrorEquals: []string{"States.ALL"}, Next: stateFailure}}
	return s
}

func fetchState(row collection) string { return "Fetch-" + row.name }
