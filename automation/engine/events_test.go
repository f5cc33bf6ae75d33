package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/stretchr/testify/require"

	"redoubt/policy/exempt"
)

func TestRecorderTurnsEventsIntoAnOutcome(t *testing.T) {
	t.Parallel()
	var progress []int
	r := &Recorder{OnResource: func(done int) { progress = append(progress, done) }}
	ch, stop := r.Record()
	for _, e := range []apitype.EngineEvent{
		{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: apitype.StepEventMetadata{Op: apitype.OpSame, URN: "urn:a"}}},
		{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: apitype.StepEventMetadata{
			Op: apitype.OpUpdate, URN: "urn:b", Type: "aws:x",
			DetailedDiff: map[string]apitype.PropertyDiff{"z": {}, "a.b": {}},
		}}},
		{PolicyEvent: &apitype.PolicyEvent{PolicyName: "p2", EnforcementLevel: "warning", Message: "<{%reset%}>later<{%fg 1%}>\n"}},
		{PolicyEvent: &apitype.PolicyEvent{PolicyName: "p1", EnforcementLevel: "mandatory", ResourceURN: "urn:b", Message: "no"}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "error", Message: "<{%reset%}>boom"}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "info", Message: "chatter"}},
		{SummaryEvent: &apitype.SummaryEvent{ResourceChanges: map[apitype.OpType]int{"same": 1, "update": 1}}},
	} {
		ch <- events.EngineEvent{EngineEvent: e}
	}
	out := stop()
	require.Equal(t, []int{1, 2}, progress)
	require.Equal(t, map[string]int{"same": 1, "update": 1}, out.Counts)
	require.Equal(t, 1, out.Changed())
	require.Equal(t, []Change{{URN: "urn:b", Type: "aws:x", Op: "update", Properties: []string{"a.b", "z"}}}, out.Changes)
	require.Equal(t, []Finding{
		{Policy: "p1", Level: "mandatory", URN: "urn:b", Message: "no"},
		{Policy: "p2", Level: "advisory", Message: "later"},
	}, out.Findings)
	require.Len(t, out.Mandatory(), 1)
	require.False(t, out.Judged)
	require.Equal(t, []string{"boom"}, out.Errors)
}

// What a pack's exemptions let pass are findings that stop nothing.
func TestExemptionsAreFindings(t *testing.T) {
	t.Parallel()
	day := time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)
	said := exempt.Format([]exempt.Finding{{
		Rule: "p1", URN: "urn:b", Level: "mandatory", Severity: "high", Message: "no", Until: day, Owner: "paul", Reason: "why", ID: "wvr_1",
	}})
	r := &Recorder{}
	record := func(all ...apitype.EngineEvent) Outcome {
		ch, stop := r.Record()
		for _, e := range all {
			ch <- events.EngineEvent{EngineEvent: e}
		}
		return stop()
	}
	out := record(
		apitype.EngineEvent{PolicyEvent: &apitype.PolicyEvent{PolicyPackName: "guide", PolicyName: exempt.Policy, EnforcementLevel: "warning", Message: "<{%reset%}>" + said + "\n"}},
		apitype.EngineEvent{PolicyEvent: &apitype.PolicyEvent{PolicyName: exempt.Policy, EnforcementLevel: "warning", Message: "2 exemptions passed over"}},
		apitype.EngineEvent{PolicyEvent: &apitype.PolicyEvent{PolicyName: "p0", EnforcementLevel: "mandatory", Message: said}},
	)
	require.Equal(t, []Finding{
		{Policy: exempt.Policy, Level: "advisory", Message: "2 exemptions passed over"},
		{Policy: "p0", Level: "mandatory", Message: said},
		{
			Pack: "guide", Policy: "p1", Level: "mandatory", Severity: "high", URN: "urn:b", Message: "no",
			Exemption: &Exemption{ID: "wvr_1", Until: day, Owner: "paul", Reason: "why"},
		},
	}, out.Findings)
	require.Len(t, out.Mandatory(), 1, "no other policy lets anything pass")
}

// A pack has judged a stack when it saw the whole of it, and named what it looked for.
func TestJudged(t *testing.T) {
	t.Parallel()
	resource := apitype.EngineEvent{PolicyAnalyzeSummaryEvent: &apitype.PolicyAnalyzeSummaryEvent{Passed: []string{"p"}}}
	nothing := apitype.EngineEvent{PolicyAnalyzeSummaryEvent: &apitype.PolicyAnalyzeSummaryEvent{}}
	whole := apitype.EngineEvent{PolicyAnalyzeStackSummaryEvent: &apitype.PolicyAnalyzeStackSummaryEvent{}}
	both := apitype.EngineEvent{PolicyAnalyzeStackSummaryEvent: &apitype.PolicyAnalyzeStackSummaryEvent{Failed: []string{"p"}}}
	r := &Recorder{}
	for _, c := range []struct {
		events []apitype.EngineEvent
		want   bool
	}{
		{nil, false},
		{[]apitype.EngineEvent{resource}, false},
		{[]apitype.EngineEvent{nothing, whole}, false},
		{[]apitype.EngineEvent{resource, nothing, whole}, true},
		{[]apitype.EngineEvent{nothing, both}, true},
	} {
		ch, stop := r.Record()
		for _, e := range c.events {
			ch <- events.EngineEvent{EngineEvent: e}
		}
		require.Equal(t, c.want, stop().Judged)
	}
}

// A preview says twice that a component is done; other resources may be done
// twice.
func TestRecorderCountsAComponentOnce(t *testing.T) {
	t.Parallel()
	done := func(op apitype.OpType, urn, kind string, custom bool, outputs map[string]any) apitype.EngineEvent {
		state := &apitype.StepEventStateMetadata{Custom: custom, Outputs: outputs}
		m := apitype.StepEventMetadata{Op: op, URN: urn, Type: kind, New: state}
		if op == apitype.OpDelete || op == apitype.OpDeleteReplaced {
			m.Old, m.New = state, nil
		}
		return apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: m}}
	}
	told := 0
	progress := 0
	r := &Recorder{OnEvent: func(apitype.EngineEvent) { told++ }, OnResource: func(done int) { progress = done }}
	ch, stop := r.Record()
	for _, e := range []apitype.EngineEvent{
		done(apitype.OpCreate, "urn:stack", stackType, false, nil),
		done(apitype.OpCreate, "urn:component", "shop:index:Component", false, nil),
		done(apitype.OpCreate, "urn:component", "shop:index:Component", false, map[string]any{"a": 1}),
		done(apitype.OpSame, "urn:other", "shop:index:Component", false, nil),
		done(apitype.OpSame, "urn:other", "shop:index:Component", false, nil),
		done(apitype.OpCreateReplacement, "urn:bucket", "aws:x", true, nil),
		done(apitype.OpDeleteReplaced, "urn:bucket", "aws:x", true, nil),
		done(apitype.OpDeleteReplaced, "urn:bucket", "aws:x", true, nil),
		done(apitype.OpCreate, "urn:stack", stackType, false, map[string]any{"url": "https://example.org"}),
	} {
		ch <- events.EngineEvent{EngineEvent: e}
	}
	out := stop()
	require.Equal(t, 6, told)
	require.Equal(t, 6, progress)
	require.Equal(t, []Change{
		{URN: "urn:bucket", Type: "aws:x", Op: "create-replacement"},
		{URN: "urn:bucket", Type: "aws:x", Op: "delete-replaced"},
		{URN: "urn:bucket", Type: "aws:x", Op: "delete-replaced"},
		{URN: "urn:component", Type: "shop:index:Component", Op: "create"},
		{URN: "urn:stack", Type: stackType, Op: "create"},
	}, out.Changes)
	require.Equal(t, map[string]any{"url": "https://example.org"}, out.Outputs, "the last ones")
}

// The SDK closes the channel only where the CLI connected: neither case may
// leave the recorder waiting.
func TestRecorderEndsWithAndWithoutAClose(t *testing.T) {
	t.Parallel()
	ch, stop := (&Recorder{}).Record()
	close(ch)
	require.Empty(t, stop().Changes)
	_, stop = (&Recorder{}).Record()
	require.Empty(t, stop().Changes)
}

func TestConcise(t *testing.T) {
	t.Parallel()
	long := errors.New("failed to run update: exit status 255\ncode: 255\nstdout: hundreds of lines\nstderr: error: the reason\n")
	require.NoError(t, Concise(nil, Outcome{}))
	require.EqualError(t, Concise(long, Outcome{}), "error: the reason")
	require.EqualError(t, Concise(long, Outcome{Errors: []string{"first", "second"}}), "first\nsecond")
	require.EqualError(t, Concise(long, Outcome{Findings: []Finding{{Level: "mandatory"}}}), "the policy pack refused it")
}

func TestConciseLeavesTheProgramsOwnWords(t *testing.T) {
	t.Parallel()
	err := Concise(errors.New("x"), Outcome{Errors: []string{"an unhandled error occurred: 1 error occurred:\n\t* configuration: 2 findings\n  redoubt:a: b (c)\n  redoubt:d: e (f)\n\n"}})
	require.EqualError(t, err, "configuration: 2 findings\n  redoubt:a: b (c)\n  redoubt:d: e (f)")
}

func TestTypeOfKeepsJSONTypes(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]config.Type{"true": config.TypeBool, "12": config.TypeInt, "1.5": config.TypeString, "": config.TypeString, "x1": config.TypeString} {
		require.Equal(t, want, typeOf(value), "%q", value)
	}
}
