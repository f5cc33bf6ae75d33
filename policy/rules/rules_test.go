package rules_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// today is the day on which the fixtures play.
var today = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)

func fixtures(t testing.TB) []fixture.File {
	t.Helper()
	files, err := fixture.Load("testdata")
	require.NoError(t, err)
	return files
}

// pack serves the rules over a real gRPC connection, so that unknowns and
// secrets travel as they do from the engine.
func pack(t testing.TB, list []rule.Rule, observe func(analyzer.Result)) plugin.Analyzer {
	t.Helper()
	a, err := analyzer.New(analyzer.Options{
		Name: "test", Version: "1.0.0", Rules: list, Observe: observe, Now: func() time.Time { return today },
	})
	require.NoError(t, err)
	lis := bufconn.Listen(1 << 20)
	srv := grpc.NewServer(grpc.MaxRecvMsgSize(400 << 20))
	pulumirpc.RegisterAnalyzerServer(srv, analyzer.NewServer(a))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:pack",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		srv.Stop()
		require.NoError(t, <-served)
	})
	return plugin.NewAnalyzerWithClient("test", pulumirpc.NewAnalyzerClient(conn))
}

// TestFixtures runs every case of every rule, as at preview and, where nothing
// is unknown for good, as after the update: the answer must be the same.
func TestFixtures(t *testing.T) {
	t.Parallel()
	byName := map[string]rule.Rule{}
	for _, r := range rules.All() {
		byName[r.Name] = r
	}
	for _, f := range fixtures(t) {
		r, ok := byName[f.Rule]
		require.True(t, ok, "testdata/%s.yaml belongs to no rule", f.Rule)
		for _, c := range f.Cases {
			phases := map[string]fixture.Phase{"preview": fixture.Preview}
			if !c.HasUnknown() && c.Want != "undetermined" {
				phases["updated"] = fixture.Updated
			}
			for name, phase := range phases {
				t.Run(fmt.Sprintf("%s/%s/%s", f.Rule, c.Name, name), func(t *testing.T) {
					t.Parallel()
					runCase(t, r, c, phase)
				})
			}
		}
	}
}

func runCase(t *testing.T, r rule.Rule, c fixture.Case, phase fixture.Phase) {
	t.Helper()
	subject := subjectOf(t, r, c)
	var got *analyzer.Result
	client := pack(t, []rule.Rule{r}, func(res analyzer.Result) {
		if res.URN == subject.URN() {
			got = &res
		}
	})
	diags := analyze(t, client, r, c, phase)

	require.NotNil(t, got, "the rule did not judge %s", subject.Name)
	outcome := got.Verdict.Outcome.String()
	if got.Exemption != nil {
		outcome = "exempt"
	}
	require.Equal(t, c.Want, outcome, "reasons: %v", got.Verdict.Reasons)

	var finding *plugin.AnalyzeDiagnostic
	for _, d := range diags {
		for _, secret := range c.Secrets() {
			require.NotContains(t, d.Message, secret, "a secret is printed")
		}
		if d.PolicyName == r.Name && d.URN == subject.URN() {
			require.Nil(t, finding, "two findings of one rule about one resource")
			finding = &d
		}
	}
	if c.Want != "fail" {
		require.Nil(t, finding)
		require.Contains(t, strings.Join(append(got.Verdict.Reasons, messages(diags)...), "\n"), c.Says)
		return
	}
	require.NotNil(t, finding)
	require.Equal(t, r.Severity, finding.Severity)
	for _, part := range []string{c.Says, r.Name, subject.Name, r.Fix, r.URL, r.Guide[0].String(), string(r.Severity)} {
		require.Contains(t, finding.Message, part)
	}
}

func messages(diags []plugin.AnalyzeDiagnostic) []string {
	out := make([]string, len(diags))
	for i, d := range diags {
		out[i] = d.Message
	}
	return out
}

// analyze sends the case as the engine does: the configuration, each resource's
// inputs, then the stack.
func analyze(
	t *testing.T, client plugin.Analyzer, r rule.Rule, c fixture.Case, phase fixture.Phase,
) []plugin.AnalyzeDiagnostic {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, client.Configure(ctx, map[string]plugin.AnalyzerPolicyConfig{
		r.Name:       {EnforcementLevel: apitype.Mandatory, Properties: c.Config},
		"exemptions": {EnforcementLevel: apitype.Advisory, Properties: map[string]any{"entries": append([]any{}, c.Exemptions...)}},
	}))
	stack, inputs, err := c.Stack(phase)
	require.NoError(t, err)
	var out []plugin.AnalyzeDiagnostic
	for _, in := range inputs {
		res, err := client.Analyze(ctx, in)
		require.NoError(t, err)
		out = append(out, res.Diagnostics...)
	}
	res, err := client.AnalyzeStack(ctx, stack)
	require.NoError(t, err)
	return append(out, res.Diagnostics...)
}

func subjectOf(t *testing.T, r rule.Rule, c fixture.Case) fixture.Resource {
	t.Helper()
	for _, res := range c.Resources {
		if c.Subject == res.Name {
			return res
		}
		for _, typ := range r.Types {
			if c.Subject == "" && rule.Canonical(typ) == rule.Canonical(res.Type) {
				return res
			}
		}
	}
	require.FailNow(t, "the case has no subject")
	return fixture.Resource{}
}

// TestEveryRuleHasItsExamples keeps the fixtures complete: they are also the
// rule's documentation.
func TestEveryRuleHasItsExamples(t *testing.T) {
	t.Parallel()
	files := map[string]fixture.File{}
	for _, f := range fixtures(t) {
		files[f.Rule] = f
	}
	for _, r := range rules.All() {
		f, ok := files[r.Name]
		require.True(t, ok, "%s has no testdata/%s.yaml", r.Name, r.Name)
		seen := map[string]bool{}
		for _, c := range f.Cases {
			seen[c.Want] = true
			if c.HasUnknown() || c.HasReference() {
				seen["unknown"] = true
			}
		}
		for _, want := range []string{"pass", "fail", "unknown"} {
			require.True(t, seen[want], "%s has no example of %q", r.Name, want)
		}
	}
}

// TestRulesAreComplete holds the catalogue to its own conventions.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	for _, r := range rules.All() {
		require.NoError(t, r.Validate())
		require.NotEmpty(t, r.Guide, "%s cites no bullet of the guide", r.Name)
		require.True(t, strings.HasPrefix(r.URL, "https://docs.aws.amazon.com/") || strings.HasPrefix(r.URL, "https://www.pulumi.com/"), "%s: %s", r.Name, r.URL)
		require.True(t, strings.HasSuffix(r.Summary, "."), "%s: the summary is a sentence", r.Name)
	}
}
