package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/policy/exempt/review"
)

// A configuration's exemptions, without a server.
func TestExemptionsOfAConfiguration(t *testing.T) {
	t.Parallel()
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	const fine = `{"rule": "kms-key-rotation-enabled", "resource": "*::app", "reason": "imported material", "owner": "ana", "expires": "2039-01-31", "id": "SEC-1"}`
	config := write("policy.json", `{"exemptions": {"entries": [`+fine+`,
		{"rule": "kms-key-rotation-enabled", "resource": "*::old", "reason": "old", "owner": "ana", "expires": "2020-01-31"},
		{"rule": "kms-key-rotation", "resource": "*::app", "reason": "typo", "owner": "ana", "expires": "2039-01-31"},
		{"rule": "kms-key-rotation-enabled", "resource": "*::gone", "reason": "gone", "owner": "ana", "expires": "2039-01-31"}]}}`)
	state := write("state.json", `{"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:dev::shop::aws:kms/key:Key::app", "type": "aws:kms/key:Key"}]}}`)

	code, stdout, stderr := redoubt(t, "policy", "exemptions", "--config", config, "--state", state)
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `RULE +RESOURCES +ENVIRONMENTS +OWNER +REASON +ID +EXPIRES +DAYS LEFT +STATE\n`, stdout)
	require.Regexp(t, `kms-key-rotation-enabled +\*::app +ana +imported material +SEC-1 +2039-01-31 +\d+ +active\n`, stdout)
	require.Regexp(t, `kms-key-rotation-enabled +\*::old .* 2020-01-31 +-\d+ +expired, matches nothing\n`, stdout)

	code, stdout, stderr = redoubt(t, "policy", "exemptions", "check", "--config", config, "--state", state)
	require.Equal(t, exitFailed, code, stderr)
	require.Regexp(t, `\*::old \(ana\): expired \d+ days ago, on 2020-01-31: its findings are violations again`, stdout)
	require.Contains(t, stdout, "kms-key-rotation on *::app (ana): unknown rule: the pack has no such rule")
	require.Contains(t, stdout, "*::gone (ana): matches nothing: no resource in the given states")
	require.NotContains(t, stdout, "SEC-1")

	code, stdout, _ = redoubt(t, "policy", "exemptions", "check", "--config", config, "--state", state, "--json")
	require.Equal(t, exitFailed, code)
	var rows []review.Row
	require.NoError(t, json.Unmarshal([]byte(stdout), &rows))
	require.Len(t, rows, 3)
	require.Equal(t, []review.State{review.Expired, review.Unused}, rows[0].States)

	// By the rules of a pack, which has the exemption's rule; and nothing is about to expire.
	good := write("good.json", `{"exemptions": {"entries": [`+fine+`]}}`)
	code, stdout, stderr = redoubt(t, "policy", "exemptions", "check", "--config", good, "--policy-pack", pack)
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, "Exemptions: 1, and nothing to do about any.\n", stdout)
	code, stdout, _ = redoubt(t, "policy", "exemptions", "check", "--config", good, "--expiring", "9999d")
	require.Equal(t, exitOK, code, "advice only")
	require.Contains(t, stdout, "SEC-1 for kms-key-rotation-enabled on *::app (ana): expires in")

	// All that cannot be read, at once.
	bad := write("bad.json", `{"exemptions": {"entries": [{"rule": "x"}]}}`)
	code, stdout, stderr = redoubt(t, "policy", "exemptions", "check", "--config", bad, "--state", bad)
	require.Equal(t, exitError, code)
	require.Empty(t, stdout)
	for _, want := range []string{"entries[0]: owner must be", "is no state as pulumi stack export writes it"} {
		require.Contains(t, stderr, want)
	}
}

// A server's waivers, of one project and of all.
func TestExemptionsOfAServer(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	o.does(t, "alice", "project", "create", "acme/bank")
	waive := func(project, policy string) (w client.Waiver) {
		text := o.does(t, "alice", "waive", policy, "--project", project, "--stack", "log*", "--resource", "*::app", "--reason", "copied", "--for", "7d", "--json")
		require.NoError(t, json.Unmarshal([]byte(text), &w))
		return w
	}
	kept, revoked, gone := waive("acme/shop", "kms-key-rotation-enabled"), waive("acme/shop", "kms-key-rotation-enabled"), waive("acme/bank", "was-there")
	o.does(t, "alice", "waivers", "revoke", revoked.ID)

	all := o.does(t, "alice", "policy", "exemptions")
	require.Regexp(t, `kms-key-rotation-enabled +\*::app +log\* +\S*alice +copied +`+kept.ID+` +\S+ +6 +expiring`, all)
	require.Contains(t, all, gone.ID)
	require.NotContains(t, all, revoked.ID)
	require.NotContains(t, o.does(t, "alice", "policy", "exemptions", "--project", "acme/shop"), gone.ID)
	require.Regexp(t, kept.ID+` +\S+ +6 +active`, o.does(t, "alice", "policy", "exemptions", "--expiring", "1d"))

	code, stdout, _ := o.as(t, "alice", "", "policy", "exemptions", "check", "--expiring", "1d")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "acme/bank: "+gone.ID+" for was-there on *::app")
	require.NotContains(t, stdout, kept.ID)
}
