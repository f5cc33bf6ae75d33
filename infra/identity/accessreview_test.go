package identity_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

func reviewArgs() *identity.AccessReviewArgs {
	return &identity.AccessReviewArgs{
		Scope: scope, Prefix: "redoubt", EvidenceBucket: "redoubt-audit", TopicName: "redoubt-low",
		KeyAliases:          []string{"alias/redoubt-logs", "alias/redoubt-messaging"},
		ExternalAnalyzerArn: scope.ARN("access-analyzer", "analyzer/redoubt-external-access"),
		UnusedAnalyzerArn:   scope.ARN("access-analyzer", "analyzer/redoubt-unused-access"),
		LogGroupArn:         pulumi.String(scope.ARN("logs", "log-group:/aws/vendedlogs/redoubt/access-review")),
	}
}

func review(args *identity.AccessReviewArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := identity.NewAccessReview(ctx, "review", args)
		return err
	}
}

const machineType = "aws:sfn/stateMachine:StateMachine"

// reviewState is what the tests read of a state.
type reviewState struct {
	Type, Resource, Next, Default string
	End                           bool
	Arguments                     any
	Choices                       []struct{ Condition, Next string }
	Catch                         []struct{ Next string }
	Retry                         []map[string]any
}

func (s reviewState) targets() []string {
	targets := []string{s.Next, s.Default}
	for _, c := range s.Choices {
		targets = append(targets, c.Next)
	}
	for _, c := range s.Catch {
		targets = append(targets, c.Next)
	}
	return slices.DeleteFunc(targets, func(s string) bool { return s == "" })
}

func definition(t *testing.T, g *graphtest.Graph) (start string, states map[string]reviewState) {
	t.Helper()
	text, ok := g.Only(machineType).Input("definition").(string)
	require.True(t, ok)
	require.NotEqual(t, graphtest.Unknown, text, "known at preview")
	var machine struct {
		StartAt, QueryLanguage string
		States                 map[string]reviewState
	}
	require.NoError(t, json.Unmarshal([]byte(text), &machine))
	require.Equal(t, "JSONata", machine.QueryLanguage)
	return machine.StartAt, machine.States
}

func TestReviewMachineIsConnected(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, review(reviewArgs()), graphtest.Preview())
	start, states := definition(t, g)

	reached, queue := map[string]bool{start: true}, []string{start}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		s, exists := states[name]
		require.True(t, exists, "state %q", name)
		require.Equal(t, s.End || s.Type == "Fail", len(s.Next)+len(s.Default) == 0, "%s goes on or ends", name)
		for _, next := range s.targets() {
			if !reached[next] {
				reached[next] = true
				queue = append(queue, next)
			}
		}
	}
	for name, s := range states {
		require.True(t, reached[name], "state %q is reachable", name)
		require.LessOrEqual(t, len(name), 80, "AWS's limit for names")
		if s.Type == "Task" {
			require.NotEmpty(t, s.Retry, "%s is tried again when throttled", name)
			require.NotEmpty(t, s.Catch, "%s does not fail in silence", name)
		}
	}
	require.Len(t, states, 6+2*7+5, "six of the frame, two a collection, one more for the five with pages")
}

// Strings with an expression are an expression as a whole, or Step Functions
// takes them literally; brackets and quotes of each are balanced.
func TestReviewExpressionsAreWellFormed(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, review(reviewArgs()), graphtest.Preview())
	text, ok := g.Only(machineType).Input("definition").(string)
	require.True(t, ok)
	var value any
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	expressions := 0
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case string:
			require.NotContains(t, v, "Analyzer}", "a placeholder is left")
			if !strings.Contains(v, "{%") {
				return
			}
			expressions++
			require.True(t, strings.HasPrefix(v, "{% ") && strings.HasSuffix(v, " %}"), v)
			require.Zero(t, strings.Count(v, "'")%2, v)
			for open, end := range map[string]string{"(": ")", "[": "]", "{": "}"} {
				require.Equal(t, strings.Count(v, open), strings.Count(v, end), v)
			}
		}
	}
	walk(value)
	require.Greater(t, expressions, 20)
}

// Every call that the machine makes is allowed, and nothing else.
func TestReviewRoleIsWhatTheMachineCalls(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, review(reviewArgs()), graphtest.Preview())
	_, states := definition(t, g)
	services := map[string]string{"accessanalyzer": "access-analyzer"}
	calls := map[string]bool{}
	for _, s := range states {
		if s.Type != "Task" {
			continue
		}
		parts := strings.Split(s.Resource, ":")
		service, call := parts[len(parts)-2], parts[len(parts)-1]
		if renamed, ok := services[service]; ok {
			service = renamed
		}
		calls[service+":"+strings.ToUpper(call[:1])+call[1:]] = true
	}
	granted := map[string]bool{}
	doc := document(t, g.One("aws:iam/rolePolicy:RolePolicy", "review-machine-review"), "policy")
	for _, s := range doc {
		for _, a := range s.Actions {
			if s.Sid != "LogAndTrace" && s.Sid != "UseKeys" {
				granted[a] = true
			}
		}
	}
	require.Equal(t, calls, granted)
	require.Equal(t, []string{"arn:aws:s3:::redoubt-audit/access-reviews/*"}, statement(t, doc, "WriteEvidence").Resources)
	require.Equal(t, []string{"arn:aws:sns:eu-central-1:123456789012:redoubt-low"}, statement(t, doc, "Announce").Resources)
	require.Len(t, statement(t, doc, "ReadFindings").Resources, 2)
	require.Len(t, statement(t, doc, "UseKeys").Conditions, 2)
}

func TestReviewWithoutAnalyzersGathersTheRest(t *testing.T) {
	t.Parallel()
	args := reviewArgs()
	args.ExternalAnalyzerArn, args.UnusedAnalyzerArn, args.KeyAliases = "", "", nil
	args.EvidencePrefix, args.Schedule, args.Timezone, args.Paused = "audit/reviews/", "rate(30 days)", "Europe/Berlin", true
	g := graphtest.Run(t, review(args), graphtest.Preview())
	_, states := definition(t, g)
	require.NotContains(t, states, "Fetch-unused-access")
	require.Contains(t, states, "Fetch-credential-report")
	for _, s := range document(t, g.One("aws:iam/rolePolicy:RolePolicy", "review-machine-review"), "policy") {
		require.NotContains(t, []string{"ReadFindings", "UseKeys"}, s.Sid)
	}
	schedule := g.Only("aws:scheduler/schedule:Schedule")
	require.Equal(t, "rate(30 days)", schedule.Input("scheduleExpression"))
	require.Equal(t, "Europe/Berlin", schedule.Input("scheduleExpressionTimezone"))
	require.Equal(t, "DISABLED", schedule.Input("state"))
}

func TestReviewIsScheduledAndLoggedWithoutItsData(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, review(reviewArgs()))
	machine, schedule := g.Only(machineType), g.Only("aws:scheduler/schedule:Schedule")
	require.Equal(t, "ALL", machine.Input("loggingConfiguration.level"))
	require.Equal(t, false, machine.Input("loggingConfiguration.includeExecutionData"), "the credential report stays in the bucket")
	require.Equal(t, "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/redoubt/access-review:*",
		machine.Input("loggingConfiguration.logDestination"))
	require.True(t, g.Depends(machine, g.One("aws:iam/rolePolicy:RolePolicy", "review-machine-review")))
	require.Equal(t, identity.Quarterly, schedule.Input("scheduleExpression"))
	require.Equal(t, "UTC", schedule.Input("scheduleExpressionTimezone"))
	require.Equal(t, "ENABLED", schedule.Input("state"))
	require.Same(t, machine, g.Refers(schedule.Input("target.arn")))
	start := document(t, g.One("aws:iam/rolePolicy:RolePolicy", "review-schedule-start"), "policy")
	require.Equal(t, []string{"arn:aws:states:eu-central-1:123456789012:stateMachine:redoubt-access-review"}, start[0].Resources)
}

func TestReviewFindings(t *testing.T) {
	t.Parallel()
	g, err := graphtest.Build(review(&identity.AccessReviewArgs{
		Scope: scope, Prefix: "redoubt", Schedule: "quarterly", EvidenceBucket: "Audit", EvidencePrefix: "/x",
		TopicName: "arn:aws:sns:eu-central-1:1:x", KeyAliases: []string{"alias/*"},
	}))
	require.Empty(t, g.Resources)
	for _, want := range []string{"schedule:", "evidenceBucket:", "evidencePrefix:", "topicName:", "keyAliases[0]:", "logGroupArn: missing"} {
		require.ErrorContains(t, err, want)
	}
}
