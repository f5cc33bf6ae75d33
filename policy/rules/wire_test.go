package rules_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// failing calls the test with every failing example of every rule.
func failing(t *testing.T, test func(t *testing.T, r rule.Rule, c fixture.Case)) {
	t.Helper()
	files := map[string]fixture.File{}
	for _, f := range fixtures(t) {
		files[f.Rule] = f
	}
	for _, r := range rules.All() {
		for _, c := range files[r.Name].Cases {
			if c.Want == "fail" {
				t.Run(r.Name+"/"+c.Name, func(t *testing.T) {
					t.Parallel()
					test(t, r, c)
				})
			}
		}
	}
}

// Every violation can be exempted by the resource's URN, and an expired
// exemption exempts nothing.
func TestEveryFindingCanBeExempt(t *testing.T) {
	t.Parallel()
	failing(t, func(t *testing.T, r rule.Rule, c fixture.Case) {
		e := m{"rule": r.Name, "resource": string(subjectOf(t, r, c).URN()), "reason": "test", "owner": "test", "expires": "2026-07-01"}
		c.Want, c.Says, c.Exemptions = "exempt", "1 finding is exempt", []any{e}
		runCase(t, r, c, fixture.Preview)
		e["expires"] = "2026-06-30"
		c.Want, c.Says = "fail", "exemption: expired on 2026-06-30"
		runCase(t, r, c, fixture.Preview)
	})
}

// judgesTheMark is the rule that demands the mark of a secret: what is marked
// satisfies it.
const judgesTheMark = "secret-value-not-plaintext-in-state"

// judgeSecrecy are the rules that are about the mark itself.
var judgeSecrecy = []string{judgesTheMark, "secret-taint-into-plaintext-sink"}

// A rule that judges secret values judges them like others and prints none.
func TestSecretsAreJudgedAndNeverPrinted(t *testing.T) {
	t.Parallel()
	failing(t, func(t *testing.T, r rule.Rule, c fixture.Case) {
		stack, inputs, err := c.Stack(fixture.Preview)
		require.NoError(t, err)
		var values []string
		for i := range inputs {
			inputs[i].Properties = secretLeaves(resource.NewObjectProperty(inputs[i].Properties), &values).ObjectValue()
			stack[i].Properties = inputs[i].Properties
		}
		client := pack(t, []rule.Rule{r}, nil)
		require.NoError(t, client.Configure(t.Context(), map[string]plugin.AnalyzerPolicyConfig{
			r.Name: {EnforcementLevel: apitype.Mandatory, Properties: c.Config},
		}))
		subject, found := subjectOf(t, r, c).URN(), ""
		for _, d := range send(t, client, inputs, stack) {
			if d.URN == subject && d.PolicyName == r.Name {
				found = d.Message
			}
		}
		if r.Name == judgesTheMark {
			require.Empty(t, found)
			return
		}
		require.NotEmpty(t, found, "the rule does not see through secrets")
		reason, _, _ := strings.Cut(found, "\n")
		for _, v := range values {
			require.NotContains(t, reason, strconv.Quote(v))
		}
	})
}

func send(
	t *testing.T, client plugin.Analyzer, inputs []plugin.AnalyzerResource, stack []plugin.AnalyzerStackResource,
) []plugin.AnalyzeDiagnostic {
	t.Helper()
	var out []plugin.AnalyzeDiagnostic
	for _, in := range inputs {
		res, err := client.Analyze(t.Context(), in)
		require.NoError(t, err)
		out = append(out, res.Diagnostics...)
	}
	res, err := client.AnalyzeStack(t.Context(), stack)
	require.NoError(t, err)
	return append(out, res.Diagnostics...)
}

// secretLeaves marks every known value that is not a block or a list as secret.
func secretLeaves(v resource.PropertyValue, values *[]string) resource.PropertyValue {
	switch {
	case v.IsObject():
		out := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			out[k] = secretLeaves(e, values)
		}
		return resource.NewObjectProperty(out)
	case v.IsArray():
		out := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = secretLeaves(e, values)
		}
		return resource.NewArrayProperty(out)
	case v.IsSecret() || v.IsComputed() || v.IsNull():
		return v
	default:
		if v.IsString() && v.StringValue() != "" {
			*values = append(*values, v.StringValue())
		}
		return resource.MakeSecret(v)
	}
}

// A repair that a rule offers satisfies the rule, and changes nothing that the
// rule did not complain about.
func TestRemediationSatisfiesItsRule(t *testing.T) {
	t.Parallel()
	repaired := make(chan string, 1000)
	t.Run("cases", func(t *testing.T) {
		failing(t, func(t *testing.T, r rule.Rule, c fixture.Case) {
			if r.Remediate == nil || c.Unrepairable {
				return
			}
			var verdict rule.Outcome
			client := pack(t, []rule.Rule{r}, func(res analyzer.Result) { verdict = res.Verdict.Outcome })
			require.NoError(t, client.Configure(t.Context(), map[string]plugin.AnalyzerPolicyConfig{
				r.Name: {EnforcementLevel: apitype.Remediate, Properties: c.Config},
			}))
			_, inputs, err := c.Stack(fixture.Preview)
			require.NoError(t, err)
			for _, in := range inputs {
				if in.URN != subjectOf(t, r, c).URN() {
					continue
				}
				complaint, err := client.Analyze(t.Context(), in)
				require.NoError(t, err)
				require.Len(t, complaint.Diagnostics, 1)
				reason, _, _ := strings.Cut(complaint.Diagnostics[0].Message, "\n")
				res, err := client.Remediate(t.Context(), in)
				require.NoError(t, err)
				require.Len(t, res.Remediations, 1)
				for key, after := range res.Remediations[0].Properties {
					if before, had := in.Properties[key]; !had || !before.DeepEquals(after) {
						require.Contains(t, reason, string(key))
					}
				}
				in.Properties = res.Remediations[0].Properties
				_, err = client.Analyze(t.Context(), in)
				require.NoError(t, err)
				require.Equal(t, rule.Passed, verdict)
				repaired <- r.Name
			}
		})
	})
	close(repaired)
	seen := map[string]bool{}
	for name := range repaired {
		seen[name] = true
	}
	for _, r := range rules.All() {
		require.Equal(t, r.Remediate != nil, seen[r.Name], "%s: its repair has an example", r.Name)
	}
}
