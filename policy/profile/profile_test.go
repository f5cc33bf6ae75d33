package profile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/policy/rule"
)

func TestFindNamesTheProfilesAndTheNearest(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		p, err := Find(name)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
		require.NotEmpty(t, p.Summary)
	}
	const there = "(there are guide, fsbp, cis-5, nist-800-53, pci-4, audit)"
	for name, want := range map[string]string{
		"fspb":   `"fspb" is no profile: did you mean fsbp? ` + there,
		"nist":   `"nist" is no profile: did you mean nist-800-53? ` + there,
		"CIS-5":  `"CIS-5" is no profile: did you mean cis-5? ` + there,
		"strict": `"strict" is no profile ` + there,
		"":       `"" is no profile ` + there,
	} {
		_, err := Find(name)
		require.EqualError(t, err, want)
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	of := func(level rule.Level, severity rule.Severity, frameworks ...rule.Framework) rule.Rule {
		r := rule.Rule{Level: level, Severity: severity}
		for _, f := range frameworks {
			r.Controls = append(r.Controls, rule.Control{Framework: f, ID: "1"})
		}
		return r
	}
	for _, c := range []struct {
		name    string
		profile string
		rule    rule.Rule
		level   rule.Level
	}{
		{"guide keeps mandatory", Guide, of(rule.Mandatory, rule.Low), rule.Mandatory},
		{"guide keeps advisory", Guide, of(rule.Advisory, rule.High, rule.CIS), rule.Advisory},
		{"guide keeps off", Guide, of(rule.Disabled, rule.High, rule.CIS), rule.Disabled},
		{"high", "fsbp", of(rule.Mandatory, rule.High, rule.FSBP, rule.NIST), rule.Mandatory},
		{"critical", "pci-4", of(rule.Mandatory, rule.Critical, rule.PCI), rule.Mandatory},
		{"medium", "nist-800-53", of(rule.Mandatory, rule.Medium, rule.NIST), rule.Advisory},
		{"low", "cis-5", of(rule.Mandatory, rule.Low, rule.CIS), rule.Advisory},
		{"advice stays advice", "cis-5", of(rule.Advisory, rule.Critical, rule.CIS), rule.Advisory},
		{"taste, and high", "cis-5", of(rule.Disabled, rule.High, rule.CIS), rule.Mandatory},
		{"taste, and low", "fsbp", of(rule.Disabled, rule.Low, rule.FSBP), rule.Advisory},
		{"another framework's", "cis-5", of(rule.Mandatory, rule.Critical, rule.FSBP, rule.NIST, rule.PCI), rule.Disabled},
		{"nobody's", "pci-4", of(rule.Mandatory, rule.Critical), rule.Disabled},
		{"audit has what is mandatory", "audit", of(rule.Mandatory, rule.Critical), rule.Advisory},
		{"audit has what is off", "audit", of(rule.Disabled, rule.Low), rule.Advisory},
	} {
		p, err := Find(c.profile)
		require.NoError(t, err)
		require.Equal(t, c.level, p.Level(c.rule), c.name)
	}
}

func TestCheckRefusesAProfileWithoutRules(t *testing.T) {
	t.Parallel()
	cis, err := Find("cis-5")
	require.NoError(t, err)
	own := rule.Rule{Controls: rule.Controls(rule.NIST, "AC-6")}
	require.EqualError(t, cis.Check([]rule.Rule{own}), "profile cis-5 turns off every rule (1): none has a control of CIS")
	require.NoError(t, cis.Check([]rule.Rule{own, {Controls: rule.Controls(rule.CIS, "1.9")}}))
	for _, name := range []string{Guide, "audit"} {
		p, err := Find(name)
		require.NoError(t, err)
		require.NoError(t, p.Check([]rule.Rule{{}}), name)
	}
}
