package analyzer

import (
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/rule"
)

// taste is off without configuration, and a framework asks for it; explicit has no
// control at all.
var taste = rule.Rule{
	Name: "named", Summary: "A key is named.", Severity: rule.Low, Level: rule.Disabled, Types: []string{"kms/key"},
	Controls: rule.Controls(rule.FSBP, "KMS.99"),
	Check:    func(*rule.Resource, rule.Params) rule.Verdict { return rule.Fail("it has no name") },
	Fix:      "a name", URL: "https://docs.aws.amazon.com/kms/",
}

// profiled is a pack that was started with a profile, "" for none.
func profiled(t *testing.T, name string) *Analyzer {
	t.Helper()
	a, err := New(Options{
		Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation, explicit, taste}, Profile: name,
		Now: func() time.Time { return today },
	})
	require.NoError(t, err)
	return a
}

// filled is a configuration as the engine sends it: with the level and the settings
// of each policy that it does not name.
func filled(t *testing.T, a *Analyzer, given configs) configs {
	t.Helper()
	client, _ := dial(t, a)
	info, err := client.GetAnalyzerInfo(t.Context())
	require.NoError(t, err)
	out := configs{}
	for _, p := range info.Policies {
		c := plugin.AnalyzerPolicyConfig{EnforcementLevel: info.InitialConfig[p.Name].EnforcementLevel, Properties: map[string]any{}}
		for key, value := range info.InitialConfig[p.Name].Properties {
			c.Properties[key] = value
		}
		if all := given["all"].EnforcementLevel; all != "" {
			c.EnforcementLevel = all
		}
		if g := given[p.Name]; g.EnforcementLevel != "" {
			c.EnforcementLevel = g.EnforcementLevel
		}
		for key, value := range given[p.Name].Properties {
			c.Properties[key] = value
		}
		out[p.Name] = c
	}
	if all, ok := given["all"]; ok {
		out["all"] = all
	}
	return out
}

// found are the levels of the findings about a key that breaks every rule, over the
// wire.
func found(t *testing.T, a *Analyzer, given configs) map[string]rule.Level {
	t.Helper()
	client, _ := dial(t, a)
	require.NoError(t, client.Configure(t.Context(), filled(t, a, given)))
	out := map[string]rule.Level{}
	res, err := client.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	joins, err := client.AnalyzeStack(t.Context(), stackOf(key("app", off())))
	require.NoError(t, err)
	for _, d := range append(res.Diagnostics, joins.Diagnostics...) {
		out[d.PolicyName] = d.EnforcementLevel
	}
	return out
}

type levels = map[string]rule.Level

func chosen(name string, over map[string]any) plugin.AnalyzerPolicyConfig {
	c := plugin.AnalyzerPolicyConfig{Properties: map[string]any{"name": name}}
	if over != nil {
		c.Properties["levels"] = over
	}
	return c
}

func TestPrecedenceOfLevels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		started string
		given   configs
		want    levels
	}{
		"nothing said":    {"", nil, levels{"rotates": rule.Mandatory, "has-alias": rule.Advisory}},
		"at the start":    {"fsbp", nil, levels{"rotates": rule.Mandatory, "named": rule.Advisory}},
		"in the file":     {"", configs{"profile": chosen("fsbp", nil)}, levels{"rotates": rule.Mandatory, "named": rule.Advisory}},
		"file over start": {"fsbp", configs{"profile": chosen("audit", nil)}, levels{"rotates": rule.Advisory, "has-alias": rule.Advisory, "named": rule.Advisory}},
		"back to guide":   {"fsbp", configs{"profile": chosen("guide", nil)}, levels{"rotates": rule.Mandatory, "has-alias": rule.Advisory}},
		"all over the profile": {
			"",
			configs{"profile": chosen("fsbp", nil), "all": {EnforcementLevel: rule.Mandatory}},
			levels{"rotates": rule.Mandatory, "has-alias": rule.Mandatory, "named": rule.Mandatory},
		},
		"rule over all": {
			"",
			configs{"profile": chosen("fsbp", nil), "all": {EnforcementLevel: rule.Disabled}, "rotates": {EnforcementLevel: rule.Advisory}},
			levels{"rotates": rule.Advisory},
		},
		"levels over all": {
			"",
			configs{"profile": chosen("fsbp", map[string]any{"rotates": "advisory"}), "all": {EnforcementLevel: rule.Disabled}},
			levels{"rotates": rule.Advisory},
		},
		"rule over the profile": {
			"",
			configs{"profile": chosen("fsbp", nil), "has-alias": {EnforcementLevel: rule.Mandatory}, "rotates": {EnforcementLevel: rule.Disabled}},
			levels{"has-alias": rule.Mandatory, "named": rule.Advisory},
		},
		"the pack's own level, over a profile from the start": {
			"fsbp",
			configs{"has-alias": {EnforcementLevel: rule.Advisory}, "named": {EnforcementLevel: rule.Disabled}},
			levels{"rotates": rule.Mandatory, "has-alias": rule.Advisory},
		},
		"the pack's own level, over a profile of the file": {
			"",
			configs{"profile": chosen("fsbp", map[string]any{"has-alias": "advisory", "named": "disabled"})},
			levels{"rotates": rule.Mandatory, "has-alias": rule.Advisory},
		},
		"rule over levels": {
			"",
			configs{"profile": chosen("fsbp", map[string]any{"has-alias": "advisory"}), "has-alias": {EnforcementLevel: rule.Mandatory}},
			levels{"rotates": rule.Mandatory, "has-alias": rule.Mandatory, "named": rule.Advisory},
		},
		"a setting gives no level": {
			"",
			configs{"profile": chosen("fsbp", nil), "rotates": {Properties: map[string]any{"days": 9}}},
			levels{"rotates": rule.Mandatory, "named": rule.Advisory},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, found(t, profiled(t, c.started), c.given))
		})
	}
}

// What GetAnalyzerInfo says is what holds without configuration: `pulumi policy
// publish` shows it, and the engine sends it back.
func TestInfoSaysTheProfile(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, profiled(t, "fsbp"))
	info, err := client.GetAnalyzerInfo(t.Context())
	require.NoError(t, err)
	said := levels{}
	for _, p := range info.Policies {
		said[p.Name] = p.EnforcementLevel
		require.Equal(t, p.EnforcementLevel, info.InitialConfig[p.Name].EnforcementLevel, p.Name)
	}
	require.Equal(t, rule.Disabled, said["has-alias"])
	require.Equal(t, rule.Advisory, said["named"])
	require.Equal(t, rule.Mandatory, said["rotates"])
	require.Equal(t, "fsbp", info.InitialConfig["profile"].Properties["name"])
}

// An audit shows what is exempt, once, and stops nothing whatever else is set.
func TestAuditShowsWhatIsExempt(t *testing.T) {
	t.Parallel()
	a := profiled(t, "")
	client, _ := dial(t, a)
	given := exempting(named(entry("*::app", "2027-01-01"), "SEC-1"))
	given["profile"] = chosen("audit", nil)
	given["rotates"] = plugin.AnalyzerPolicyConfig{EnforcementLevel: apitype.Remediate}
	require.NoError(t, client.Configure(t.Context(), filled(t, a, given)))
	repaired, err := client.Remediate(t.Context(), key("app", off()))
	require.NoError(t, err)
	require.Empty(t, repaired.Remediations, "what is exempt stays as it is")
	res, err := client.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	byRule := map[string]plugin.AnalyzeDiagnostic{}
	for _, d := range res.Diagnostics {
		byRule[d.PolicyName] = d
	}
	require.Equal(t, apitype.Advisory, byRule["rotates"].EnforcementLevel)
	require.Contains(t, byRule["rotates"].Message,
		"it never changes.\n  exemption: exempt until 2027-01-01 (owner ana, SEC-1): old\n  guide: ")
	require.Equal(t, apitype.Advisory, byRule["named"].EnforcementLevel, "what is off is shown")
	require.NotContains(t, byRule["named"].Message, "exempt")

	res, err = client.AnalyzeStack(t.Context(), stackOf(key("app", off())))
	require.NoError(t, err)
	require.Len(t, res.Diagnostics, 1)
	require.Equal(t, "has-alias", res.Diagnostics[0].PolicyName, "and the exemption is not said twice")
}

func TestProfileErrors(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation}, Profile: "fspb"})
	require.EqualError(t, err, `policy pack: Profile, or REDOUBT_POLICY_PROFILE in its environment: "fspb" is no profile: `+
		"did you mean fsbp? (there are guide, fsbp, cis-5, nist-800-53, pci-4, audit)")

	a := profiled(t, "")
	for name, c := range map[string]struct {
		props map[string]any
		want  []string
	}{
		"unknown":    {map[string]any{"name": "cis"}, []string{`profile: name "cis" is no profile: did you mean cis-5? (there are guide,`}},
		"no rules":   {map[string]any{"name": "pci-4"}, []string{"profile: name profile pci-4 turns off every rule (3): none has a control of PCI"}},
		"not a text": {map[string]any{"name": 5}, []string{"profile: name must be a string, not 5"}},
		"everything at once": {
			map[string]any{"nmae": "fsbp", "levels": map[string]any{"rotate": "advisory", "named": "loud", "has-alias": true, "unknowns": "advisory"}},
			[]string{
				"profile: nmae is not a setting: this policy has levels, name",
				"profile: levels.rotate: there is no such policy: did you mean rotates?",
				`profile: levels.named must be one of advisory, mandatory, remediate, disabled, not "loud"`,
				"profile: levels.has-alias must be one of advisory, mandatory, remediate, disabled, not true",
				"profile: levels.unknowns: there is no such policy",
			},
		},
		"no object": {map[string]any{"levels": "advisory"}, []string{`profile: levels must be an object of rules and their levels, not "advisory"`}},
	} {
		err := a.Configure(t.Context(), configs{"profile": {Properties: c.props}})
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
	}
	require.Equal(t, levels{"rotates": rule.Mandatory, "has-alias": rule.Advisory}, found(t, a, nil), "a wrong configuration changes nothing")
}
