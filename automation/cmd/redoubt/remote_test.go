package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
)

// administered starts a server and returns the environment of its administrator.
func administered(t *testing.T) (data, url string, env []string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	p, url := serve(t, nil, "--data", data)
	return data, url, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + tokenForm.FindString(p.out.String())}
}

func TestTokensOfAServer(t *testing.T) {
	t.Parallel()
	_, url, env := administered(t)
	code, stdout, stderr := ask(t, env, "token", "create", "--name", "ci", "--principal", "robot", "--lifetime", "720h", "--grant", "main/*/*:read,preview", "--grant", "acme/*/*:read")
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, tokenForm.FindString(stdout)+"\n", stdout, "the token alone, for $(…)")
	require.Contains(t, stderr, "shown this once")
	robot := []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + strings.TrimSpace(stdout)}
	require.Equal(t, "main\n", must(t, robot, "org", "list"))
	code, _, stderr = ask(t, robot, "token", "list")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "only an administrator")

	var tokens []adminapi.Token
	require.NoError(t, json.Unmarshal([]byte(must(t, env, "token", "list", "--json")), &tokens))
	require.Len(t, tokens, 2)
	require.Equal(t, "robot", tokens[1].Principal)
	require.Len(t, tokens[1].Grants, 2)
	require.WithinDuration(t, tokens[1].CreatedAt.AddDate(0, 0, 30), tokens[1].ExpiresAt, 0)
	require.Regexp(t, `robot +ci +main/\*/\*:read,preview acme/\*/\*:read`, must(t, env, "token", "list"))

	must(t, env, "token", "revoke", tokens[1].ID)
	code, _, stderr = ask(t, robot, "org", "list")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "was revoked")
}

func TestAuditOfAServer(t *testing.T) {
	t.Parallel()
	_, _, env := administered(t)
	must(t, env, "org", "create", "acme")
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	log := must(t, env, "audit", "export")
	require.NoError(t, os.WriteFile(file, []byte(log), 0o600))
	require.Contains(t, must(t, nil, "audit", "verify", file), "entries 1 to 2")
	must(t, env, "org", "create", "later")
	require.Contains(t, must(t, env, "audit", "verify"), "entries 1 to 3")
	require.Contains(t, must(t, env, "audit", "verify", "--against", file), "entries 1 to 3")

	tail := must(t, env, "audit", "export", "--after", "2")
	part := filepath.Join(t.TempDir(), "part.jsonl")
	require.NoError(t, os.WriteFile(part, []byte(tail), 0o600))
	require.Contains(t, must(t, nil, "audit", "verify", part), "It begins with entry 3")

	lines := strings.SplitAfter(log, "\n")
	for name, forged := range map[string]string{
		"changed": strings.Replace(log, "acme", "evil", 1),
		"missing": lines[0] + tail,
		"swapped": lines[1] + lines[0],
	} {
		require.NoError(t, os.WriteFile(part, []byte(forged), 0o600))
		code, stdout, _ := ask(t, nil, "audit", "verify", "--json", part)
		require.Equal(t, exitFailed, code, name)
		require.Contains(t, stdout, `"ok": false`, name)
	}

	// Another server's log is whole, and not the one that was exported.
	_, _, other := administered(t)
	code, stdout, _ := ask(t, other, "audit", "verify", "--against", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "it was cut off")
	must(t, other, "org", "create", "acme")
	code, stdout, _ = ask(t, other, "audit", "verify", "--against", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "written anew")
}

func TestKeysProtectionAndPoliciesOfAServer(t *testing.T) {
	t.Parallel()
	data, _, env := administered(t)
	require.Contains(t, must(t, env, "key", "rotate", "--data", data), "redoubt key rewrap")
	require.Contains(t, must(t, env, "key", "rewrap"), "key(s) were wrapped anew")
	require.JSONEq(t, `{"keys":0}`, must(t, env, "key", "rewrap", "--json"))
	require.JSONEq(t, `[]`, must(t, env, "policy", "list", "main", "--json"))
	for want, args := range map[string][]string{
		"there is no stack main/a/b":                   {"stack", "protect", "main/a/b"},
		"is no stack: organization/project/stack":      {"stack", "unprotect", "b"},
		"cannot be a name":                             {"key", "rotate", "--stack", "main/../b"},
		"Either --data":                                {"key", "rotate"},
		"there is no complete policy pack":             {"policy", "require", "main", "pack"},
		"is not required":                              {"policy", "release", "main", "pack"},
		"is no grant":                                  {"token", "create", "--name", "x", "--principal", "x", "--grant", "everything"},
		"is no verb":                                   {"token", "create", "--name", "x", "--principal", "x", "--grant", "*/*/*:raed"},
		"that is a token itself: give its id, tok_abc": {"token", "revoke", "redoubt_abc_SECRET"},
		"already exists":                               {"org", "create", "main"},
	} {
		code, stdout, stderr := ask(t, env, args...)
		require.Equal(t, exitError, code, args)
		require.Contains(t, stderr, want)
		require.Empty(t, stdout)
	}
}

// Where the environment says nothing, the Pulumi CLI's login does.
func TestCommandsUseTheLoginOfThePulumiCLI(t *testing.T) {
	t.Parallel()
	_, url, env := administered(t)
	token := strings.TrimPrefix(env[1], "REDOUBT_TOKEN=")
	home := t.TempDir()
	credentials, err := json.Marshal(map[string]any{
		"current": url, "accessTokens": map[string]string{url: token}, "accounts": map[string]any{url: map[string]string{"accessToken": token}},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "credentials.json"), credentials, 0o600))
	login := []string{"PULUMI_HOME=" + home}
	require.Contains(t, must(t, login, "org", "list"), "main")
	require.Contains(t, must(t, login, "org", "list", "--url", url+"/"), "main")

	for want, row := range map[string]struct{ env, args []string }{
		"which server?":           {[]string{"PULUMI_HOME=" + t.TempDir()}, []string{"org", "list"}},
		"there is no token for":   {login, []string{"org", "list", "--url", "http://127.0.0.1:1"}},
		"is no address":           {[]string{"REDOUBT_URL=file://x", "REDOUBT_TOKEN=x"}, []string{"org", "list"}},
		"does not answer":         {[]string{"REDOUBT_URL=http://127.0.0.1:1", "REDOUBT_TOKEN=x"}, []string{"org", "list"}},
		"is not valid":            {[]string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=redoubt_a_b"}, []string{"org", "list"}},
		"it is no server of Redo": {[]string{"REDOUBT_URL=" + url + "/healthz", "REDOUBT_TOKEN=x"}, []string{"org", "list"}},
	} {
		code, _, stderr := ask(t, row.env, row.args...)
		require.Equal(t, exitError, code, want)
		require.Contains(t, stderr, want)
	}
}
