package analyzer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"

	"redoubt/policy/rule"
)

func entry(resource, expires string) map[string]any {
	return map[string]any{"rule": "rotates", "resource": resource, "reason": "old", "owner": "ana", "expires": expires}
}

func exempting(entries ...any) configs {
	return configs{"exemptions": {EnforcementLevel: apitype.Advisory, Properties: map[string]any{"entries": entries}}}
}

func TestExemptionsAreUsedListedAndExpire(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, rotation))
	require.NoError(t, client.Configure(t.Context(), exempting(
		entry("*::legacy", "2026-07-01"), // the last day is today
		entry(string(key("late", nil).URN), "2026-06-30"),
		entry("*::nobody", "2027-01-01"),
	)))
	messages := map[string]string{}
	for _, name := range []string{"legacy", "late", "app"} {
		res, err := client.Analyze(t.Context(), key(name, off()))
		require.NoError(t, err)
		for _, d := range res.Diagnostics {
			messages[name] = d.Message
		}
	}
	require.NotContains(t, messages, "legacy")
	require.Contains(t, messages["late"], "exemption: expired on 2026-06-30 (owner ana)")
	require.NotContains(t, messages["app"], "exemption")

	res, err := client.AnalyzeStack(t.Context(), stackOf(key("legacy", off()), key("late", off()), key("app", off())))
	require.NoError(t, err)
	var got []string
	for _, d := range res.Diagnostics {
		require.Equal(t, apitype.Advisory, d.EnforcementLevel)
		got = append(got, d.Message)
	}
	require.Equal(t, []string{
		"1 exemption in force: rotates on *::legacy until 2026-07-01 (ana: old)",
		"1 exemption matched no violation and can go: rotates on *::nobody until 2027-01-01 (ana: old)",
	}, got)
}

func TestExemptionErrorsNameTheField(t *testing.T) {
	t.Parallel()
	a := newPack(t, rotation)
	with := func(field string, v any) map[string]any { e := entry("*::x", "2027-01-01"); e[field] = v; return e }
	err := a.Configure(t.Context(), exempting(
		"everything", with("rule", "rotate"), with("reason", " "), with("owner", 7), with("expires", "01.02.2027"),
		with("resource", "*"), with("resource", "legacy"), with("until", "x"), entry("*::x", "2027-01-01"), entry("*::x", "2028-01-01"),
	))
	for _, want := range []string{
		"entries[0]: must be an object with rule, resource, reason, owner, expires",
		`entries[1]: rule "rotate" is not a policy of this pack`,
		"entries[2]: reason must be a text that is not empty",
		"entries[3]: owner must be a text that is not empty",
		`entries[4]: expires "01.02.2027" must be a day such as 2027-03-31`,
		`entries[5]: resource "*" covers every resource`,
		`entries[6]: resource "legacy" can match no URN: give the URN, or a pattern such as *::legacy`,
		"entries[7]: until is not a field",
		"entries[9] repeats entries[8]",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestAnExemptionThatWaitsForTheUpdateIsUsed(t *testing.T) {
	t.Parallel()
	g, err := parseExemptions(map[string]any{"entries": []any{entry("*::x", "2027-01-01")}}, map[string]rule.Rule{"rotates": rotation})
	require.NoError(t, err)
	f := finding{"rotates", key("x", nil).URN}
	active, expired := g.find(f, rule.Undetermined, today)
	require.NotNil(t, active)
	require.Nil(t, expired)
	require.True(t, g.used[0])
	active, _ = g.find(f, rule.Passed, today)
	require.Nil(t, active)
}

// FuzzParseExemptions holds the parser to: no panic, and an accepted exemption
// has every field, a day, and a pattern that is not everything.
func FuzzParseExemptions(f *testing.F) {
	f.Add(`{"entries":[{"rule":"rotates","resource":"*::x","reason":"r","owner":"o","expires":"2027-01-01"}]}`)
	f.Add(`{"entries":[{"rule":"rotates","resource":"urn:pulumi:dev::p::t::n","reason":"r","owner":"o","expires":"2027-13-41"}]}`)
	f.Add(`{"entries":{}}`)
	f.Add(`{"entries":[null,1,"x",[]],"extra":true}`)
	rules := map[string]rule.Rule{"rotates": rotation}
	f.Fuzz(func(t *testing.T, text string) {
		var props map[string]any
		if json.Unmarshal([]byte(text), &props) != nil {
			return
		}
		g, err := parseExemptions(props, rules)
		if err != nil {
			return
		}
		for _, e := range g.entries {
			require.Equal(t, "rotates", e.Rule)
			require.NotEmpty(t, e.Reason)
			require.NotEmpty(t, e.Owner)
			require.False(t, e.Expires.IsZero())
			require.True(t, e.activeAt(e.Expires.Add(23*time.Hour)))
			require.False(t, e.activeAt(e.Expires.AddDate(0, 0, 1)))
			require.False(t, e.matches(finding{"rotates", ""}), "%q matches everything", e.Resource)
		}
	})
}
