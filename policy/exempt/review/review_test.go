package review

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const config = `{
  "all": "mandatory",
  "exemptions": {"enforcementLevel": "advisory", "entries": [
    {"rule": "rotates", "resource": "*::app", "reason": "a", "owner": "ana", "expires": "2027-06-30", "id": "SEC-1"},
    {"rule": "rotates", "resource": "*::old", "reason": "b", "owner": "ana", "expires": "2026-06-30"},
    {"rule": "rotates", "resource": "*::soon", "reason": "c", "owner": "bob", "expires": "2026-07-31"},
    {"rule": "rotates", "resource": "*::later", "reason": "c", "owner": "bob", "expires": "2026-08-01"},
    {"rule": "rotates", "resource": "*::today", "reason": "c", "owner": "bob", "expires": "2026-07-01"},
    {"rule": "rotate", "resource": "*::app", "reason": "d", "owner": "bob", "expires": "2027-06-30"},
    {"rule": "rotates", "resource": "*::bucket", "reason": "no key", "owner": "bob", "expires": "2027-06-30"}
  ]}
}`

const state = `{"version": 3, "deployment": {"resources": [
  {"urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "type": "pulumi:pulumi:Stack"},
  {"urn": "urn:pulumi:dev::shop::aws:kms/key:Key::app", "type": "aws:kms/key:Key", "inputs": {"x": "hunter2"}},
  {"urn": "urn:pulumi:dev::shop::aws:kms/key:Key::soon", "type": "aws:kms/key:Key", "delete": true},
  {"urn": "urn:pulumi:dev::shop::aws:s3/bucketV2:BucketV2::bucket", "type": "aws:s3/bucketV2:BucketV2"}
]}}`

// Everything about every exemption at once, those that end first at first.
func TestReviewOfAConfiguration(t *testing.T) {
	t.Parallel()
	path := write(t, "policy.json", config)
	list, err := Configuration(path)
	require.NoError(t, err)
	require.Len(t, list, 7)
	require.Equal(t, Exemption{
		Source: path, Rule: "rotates", Resource: "*::app", Owner: "ana", Reason: "a", ID: "SEC-1", Ends: time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC),
	}, list[0])
	opts := Options{Now: now, Expiring: 31 * 24 * time.Hour, Rules: map[string][]string{"rotates": {"kms/key"}}}

	type found struct {
		resource, last string
		left           int
		states         string
		wrong          bool
	}
	all := func() (out []found) {
		for _, r := range Review(list, opts) {
			states := ""
			for _, s := range r.States {
				states += string(s) + ";"
			}
			out = append(out, found{r.Rule + r.Resource, r.LastDay(), r.DaysLeft, states, r.Wrong()})
		}
		return out
	}
	require.Equal(t, []found{
		{"rotates*::old", "2026-06-30", -1, "expired;", true},
		{"rotates*::today", "2026-07-01", 0, "expiring;", false},
		{"rotates*::soon", "2026-07-31", 30, "expiring;", false},
		{"rotates*::later", "2026-08-01", 31, "active;", false},
		{"rotate*::app", "2027-06-30", 364, "active;unknown rule;", true},
		{"rotates*::app", "2027-06-30", 364, "active;", false},
		{"rotates*::bucket", "2027-06-30", 364, "active;", false},
	}, all())

	// With what is deployed it is known which match nothing: no such resource, one
	// that is on its way out, and one that the rule does not judge.
	stack, err := Deployed(write(t, "state.json", state))
	require.NoError(t, err)
	require.Equal(t, "shop", stack.Project)
	require.Equal(t, "dev", stack.Name)
	require.Len(t, stack.Resources, 3)
	opts.Stacks = []Stack{stack}
	rows := all()
	for i, want := range []string{
		"expired;matches nothing;", "expiring;matches nothing;", "expiring;matches nothing;", "active;matches nothing;",
		"active;unknown rule;", "active;", "active;matches nothing;",
	} {
		require.Equal(t, want, rows[i].states, rows[i].resource)
	}
	// One that another stack needs is needed.
	opts.Stacks = append(opts.Stacks, Stack{Project: "shop", Name: "prod", Resources: []Resource{{URN: "urn:pulumi:prod::shop::aws:kms/key:Key::soon", Type: "aws:kms/key:Key"}}})
	require.Equal(t, "expiring;", all()[2].states)
}

func TestAdviceNamesTheExemptionAndWhatToDo(t *testing.T) {
	t.Parallel()
	rows := Review([]Exemption{
		{Source: "policy.json", Rule: "rotates", Resource: "*::old", Owner: "ana", ID: "SEC-1", Ends: now.AddDate(0, 0, -3)},
		{Source: "policy.json", Rule: "gone", Resource: "*::x", Owner: "ana", Ends: now.AddDate(0, 0, 2)},
		{Source: "policy.json", Rule: "rotates", Resource: "*::fine", Owner: "ana", Ends: now.AddDate(1000, 0, 0)},
	}, Options{Now: now, Expiring: 30 * 24 * time.Hour, Rules: map[string][]string{"rotates": nil}})
	require.Equal(t, []string{
		"policy.json: SEC-1 for rotates on *::old (ana): expired 3 days ago, on 2026-06-28: its findings are violations again: fix the resource, or renew it with a new end; then delete what is left",
	}, rows[0].Advice())
	require.Len(t, rows[1].Advice(), 2)
	require.Contains(t, rows[1].Advice()[0], "gone on *::x (ana): expires in 2 days, on 2026-07-03: renew it")
	require.Contains(t, rows[1].Advice()[1], "unknown rule: the pack has no such rule")
	require.Empty(t, rows[2].Advice())
	require.Equal(t, 365242, rows[2].DaysLeft)
}

// A waiver holds in its project and environments only, and one that has ended is
// history.
func TestReviewOfWaivers(t *testing.T) {
	t.Parallel()
	waiver := Exemption{Source: "acme/shop", Project: "shop", Environments: "log*", Rule: "rotates", Resource: "*::app", Owner: "ana", ID: "wvr_1", Ends: now.Add(time.Hour)}
	ended := waiver
	ended.Ends = now
	opts := Options{Now: now, Rules: map[string][]string{"rotates": nil}}
	with := func(e Exemption, stacks ...Stack) Row { opts.Stacks = stacks; return Review([]Exemption{e}, opts)[0] }
	require.Equal(t, []State{Active}, with(waiver).States)
	require.Equal(t, []State{Active}, with(waiver, Stack{Project: "shop", Name: "web"}, Stack{Project: "bank", Name: "logs"}).States)
	require.Equal(t, []State{Active, Unused}, with(waiver, Stack{Project: "shop", Name: "logs"}).States)
	require.True(t, with(waiver, Stack{Project: "shop", Name: "logs"}).Wrong())
	require.Equal(t, []State{Active}, with(waiver, Stack{Project: "shop", Name: "logs", Resources: []Resource{{URN: "urn:pulumi:logs::shop::t::app", Type: "t"}}}).States)
	require.Equal(t, []State{Expired}, with(ended).States)
	require.False(t, with(ended).Wrong())
	require.Empty(t, with(ended).Advice())
}

// What cannot be read is an error that names the file, all that is wrong, and nothing
// that may be a secret.
func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`nope`:                           {"policy.json is no configuration of a policy pack"},
		`[]`:                             {"policy.json is no configuration of a policy pack"},
		`{"exemptions": [1]}`:            {"exemptions: it must be an object with entries"},
		`{"exemptions": {"entries": 3}}`: {"entries must be a list"},
		`{"exemptions": {"entries": [{"rule": "a"}, {"rule": "b", "resource": "*", "reason": "r", "owner": "o", "expires": "soon"}], "more": 1}}`: {
			"entries[0]: owner must be", `entries[1]: resource "*" covers every resource`, `entries[1]: expires "soon" must be a day`, "more is not a setting",
		},
	} {
		_, err := Configuration(write(t, "policy.json", text))
		for _, w := range want {
			require.ErrorContains(t, err, w)
		}
	}
	for _, text := range []string{`{}`, `{"exemptions": "disabled"}`, `{"exemptions": {"enforcementLevel": "advisory"}}`} {
		list, err := Configuration(write(t, "policy.json", text))
		require.NoError(t, err)
		require.Empty(t, list)
	}
	for text, want := range map[string]string{
		`hunter2`:                   "it is not JSON",
		`{}`:                        "it has no deployment",
		`{"deployment": "hunter2"}`: "is a JSON string",
		`{"deployment": {}}`:        "it has no resources",
		`{"deployment": {"resources": [{"urn": "hunter2"}, {"type": "t"}]}}`: "resources[0] has no URN\nresources[1] has no URN",
	} {
		_, err := Deployed(write(t, "state.json", text))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "state.json is no state")
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := Configuration(filepath.Join(t.TempDir(), "missing.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
