package analyzer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/exempt"
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
		named(entry("*::elsewhere", "2027-01-01"), "wvr_2"),
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
		"1 finding is exempt:\n  mandatory high rotates on \"" + string(key("legacy", nil).URN) + `": exempt until 2026-07-01 by "ana", because "old": "enableKeyRotation is false: it never changes"`,
		"1 exemption matched no violation and can go: rotates on *::nobody until 2027-01-01 (ana: old)",
	}, got)
}

func named(e map[string]any, id string) map[string]any { e["id"] = id; return e }

// What is let pass is said with the exemption's id, of joins too, and not any more
// when the resource is gone.
func TestWhatExemptionsLetPassIsSaid(t *testing.T) {
	t.Parallel()
	a := newPack(t, rotation, explicit)
	alias := map[string]any{"rule": "has-alias", "resource": "*::app", "reason": "why", "owner": "bob", "expires": "2026-12-31"}
	require.NoError(t, a.Configure(t.Context(), exempting(named(entry("urn:pulumi:*", "2027-01-01"), "wvr_1"), alias)))
	for _, name := range []string{"app", "other"} {
		res, err := a.Analyze(t.Context(), key(name, off()))
		require.NoError(t, err)
		require.Empty(t, res.Diagnostics)
	}
	said := func(keys ...plugin.AnalyzerResource) (found []exempt.Finding) {
		res, err := a.AnalyzeStack(t.Context(), stackOf(keys...))
		require.NoError(t, err)
		for _, d := range res.Diagnostics {
			if f, ok := exempt.Parse(d.Message); ok {
				require.Equal(t, exempt.Policy, d.PolicyName)
				found = append(found, f...)
			}
		}
		return found
	}
	found := said(key("app", off()), key("other", off()))
	require.Len(t, found, 3)
	require.Equal(t, "has-alias", found[0].Rule)
	require.Equal(t, "advisory", found[0].Level)
	require.Empty(t, found[0].ID)
	require.Equal(t, exempt.Finding{
		Rule: "rotates", URN: string(key("other", nil).URN), Level: "mandatory", Severity: "high", Message: "enableKeyRotation is false: it never changes",
		Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Owner: "ana", Reason: "old", ID: "wvr_1",
	}, found[2])
	require.Len(t, said(key("app", off())), 2)
	require.NoError(t, a.Configure(t.Context(), nil))
	require.Empty(t, said(key("app", off())))
}

// One for a rule that another version of the pack has, or that nobody has, stops
// nothing and lets nothing pass.
func TestExemptionsForUnknownRulesArePassedOver(t *testing.T) {
	t.Parallel()
	a := newPack(t, rotation)
	gone := entry("*::app", "2027-01-01")
	gone["rule"] = "rotate"
	other := named(entry("*::x", "2027-01-01"), "wvr_9")
	other["rule"] = "was-there"
	require.NoError(t, a.Configure(t.Context(), exempting(gone, other)))
	res, err := a.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	require.Len(t, res.Diagnostics, 1)
	require.Equal(t, apitype.Mandatory, res.Diagnostics[0].EnforcementLevel)
	res, err = a.AnalyzeStack(t.Context(), stackOf(key("app", off())))
	require.NoError(t, err)
	require.Len(t, res.Diagnostics, 1)
	require.Equal(t, apitype.Advisory, res.Diagnostics[0].EnforcementLevel)
	require.Equal(t, "2 exemptions passed over, because this pack has no such policy: "+
		"rotate on *::app until 2027-01-01 (ana: old); did you mean rotates?; wvr_9 for was-there on *::x until 2027-01-01 (ana: old)", res.Diagnostics[0].Message)
}

func TestExemptionErrorsNameTheField(t *testing.T) {
	t.Parallel()
	a := newPack(t, rotation)
	with := func(field string, v any) map[string]any { e := entry("*::x", "2027-01-01"); e[field] = v; return e }
	err := a.Configure(t.Context(), exempting(
		"everything", with("id", 7), with("reason", " "), with("owner", 7), with("expires", "01.02.2027"),
		with("resource", "*"), with("resource", "legacy"), with("until", "x"), entry("*::x", "2027-01-01"), entry("*::x", "2028-01-01"),
	))
	for _, want := range []string{
		"entries[0]: must be an object with rule, resource, reason, owner, expires",
		"entries[1]: id must be a text",
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
