package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	reports "redoubt/policy/report"
)

// deployedState is an export of a stack with a key that does not rotate, and a secret.
const deployedState = `{
    "version": 3,
    "deployment": {
        "manifest": {"time": "2026-07-01T00:00:00Z", "magic": "", "version": ""},
        "resources": [
            {"urn": "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod", "custom": false, "type": "pulumi:pulumi:Stack"},
            {
                "urn": "urn:pulumi:prod::shop::aws:kms/key:Key::app",
                "custom": true, "id": "1", "type": "aws:kms/key:Key",
                "inputs": {
                    "enableKeyRotation": false,
                    "description": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "\"CANARY-51c0\""}
                },
                "outputs": {}
            }
        ]
    }
}`

// stateFile writes a state, and returns its name.
func stateFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestAuditOfAFile(t *testing.T) {
	t.Parallel()
	file := stateFile(t, deployedState)
	code, stdout, stderr := redoubt(t, "audit", "--file", file)
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(t, stdout, "[mandatory] high: kms-key-rotation-enabled on aws:kms/key:Key app")
	require.Contains(t, stdout, "shop/prod: 2 resources")

	for on, want := range map[string]int{"mandatory": exitFailed, "advisory": exitFailed, "never": exitOK} {
		code, _, _ := redoubt(t, "audit", "state", "--file", file, "--fail-on", on)
		require.Equal(t, want, code, on)
	}
	config := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"all": "advisory"}`), 0o600))
	code, _, _ = redoubt(t, "audit", "--file", file, "--config", config)
	require.Equal(t, exitOK, code, "nothing is mandatory")

	code, stdout, _ = redoubt(t, "audit", "--file", file, "--format", "json", "--fail-on", "never")
	require.Equal(t, exitOK, code)
	var r reports.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Equal(t, reports.FailOnNever, r.FailOn)
	require.Equal(t, "state.json", r.Subject.File, "no folder of this machine is in a report")
}

func TestAuditWritesEveryForm(t *testing.T) {
	t.Parallel()
	file, folder := stateFile(t, deployedState), t.TempDir()
	args := []string{"audit", "--file", file, "--history", filepath.Join(folder, "history"), "--fail-on", "never"}
	for _, end := range []string{"txt", "json", "sarif", "xml", "md", "html"} {
		args = append(args, "--output", filepath.Join(folder, "r."+end))
	}
	code, stdout, stderr := redoubt(t, args...)
	require.Equal(t, exitOK, code, stderr)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "mandatory and")
	files, err := filepath.Glob(filepath.Join(folder, "r.*"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), "kms-key-rotation-enabled", path)
		require.NotContains(t, string(text), "CANARY", path)
	}
	code, _, stderr = redoubt(t, "audit", "--file", file, "--output", filepath.Join(folder, "a"), "--format", "sarif", "--fail-on", "never")
	require.Equal(t, exitOK, code, stderr)
	text, err := os.ReadFile(filepath.Join(folder, "a"))
	require.NoError(t, err)
	require.Contains(t, string(text), "sarif-schema-2.1.0.json")
}

// What cannot be judged is said, all of it at once, with the exit code 2.
func TestAuditOfBadInput(t *testing.T) {
	t.Parallel()
	good := stateFile(t, deployedState)
	unknown, wrong := stateFile(t, `{"no-such-rule": "advisory"}`), stateFile(t, `{"kms-key-rotation-enabled": "sometimes"}`)
	history := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(history, "x.json"), []byte("{"), 0o600))
	rows := map[string]struct {
		args []string
		want []string
	}{
		"nothing":         {nil, []string{"which state? Give --file FILE", "--stack organization/project/stack"}},
		"both":            {[]string{"--file", good, "--stack", "a/b/c"}, []string{"either --file or --stack"}},
		"no file":         {[]string{"--file", "none.json"}, []string{"the state cannot be read", "none.json"}},
		"no JSON":         {[]string{"--file", stateFile(t, "hello")}, []string{"state.json: it is no state of a stack: no JSON at line 1"}},
		"terraform":       {[]string{"--file", stateFile(t, `{"version": 4, "terraform_version": "1"}`)}, []string{"a state of Terraform"}},
		"unknown version": {[]string{"--file", stateFile(t, `{"version": 9, "deployment": {}}`)}, []string{"version 9", "3 and 4"}},
		"no stack":        {[]string{"--stack", "shop"}, []string{`"shop" is no stack: organization/project/stack`}},
		"no form":         {[]string{"--file", good, "--output", "r.pdf", "--output", "none/r.html"}, []string{"r.pdf: the name does not say which form", "none is no folder"}},
		"too many forms":  {[]string{"--file", good, "--format", "json", "--format", "html"}, []string{"2 --format for standard output"}},
		"unequal forms":   {[]string{"--file", good, "--format", "json", "--output", "a", "--output", "b"}, []string{"1 --format for 2 --output"}},
		"unknown form":    {[]string{"--file", good, "--format", "pdf"}, []string{"--format pdf is no form of a report"}},
		"unknown policy":  {[]string{"--file", good, "--config", unknown}, []string{"no-such-rule: there is no such policy"}},
		"wrong level":     {[]string{"--file", good, "--config", wrong}, []string{"kms-key-rotation-enabled: ", `"sometimes"`}},
		"history":         {[]string{"--file", good, "--history", history}, []string{"x.json is no report in JSON: move it elsewhere"}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := redoubt(t, append([]string{"audit"}, row.args...)...)
			require.Equal(t, exitError, code, "%s\n%s", stdout, stderr)
			for _, want := range row.want {
				require.Contains(t, stderr, want)
			}
			require.Empty(t, stdout)
		})
	}
}

// The state of a stack of a server: it is read over the API that the stock CLI uses.
func TestAuditOfAServersStack(t *testing.T) {
	t.Parallel()
	_, url, env := administered(t)
	token := strings.TrimPrefix(env[1], "REDOUBT_TOKEN=")
	post := func(path, body string) {
		request, err := http.NewRequest(http.MethodPost, url+"/api/stacks/main/shop"+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "token "+token)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		var answer bytes.Buffer
		_, err = answer.ReadFrom(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode, answer.String())
	}
	post("", `{"stackName": "prod"}`)
	require.Contains(t, must(t, env, "audit", "--stack", "main/shop/prod"), "0 resources", "never updated")
	post("/prod/import", deployedState)
	code, stdout, stderr := ask(t, env, "audit", "--stack", "main/shop/prod")
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(t, stdout, "kms-key-rotation-enabled on aws:kms/key:Key app")
	require.Contains(t, stdout, "main/shop/prod: 2 resources")

	code, _, stderr = ask(t, env, "audit", "--stack", "main/shop/other")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "has no stack main/shop/other, or none that this token may read")
	code, _, stderr = ask(t, []string{env[0], "REDOUBT_TOKEN=wrong"}, "audit", "--stack", "main/shop/prod")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "does not know the token")
	code, _, stderr = ask(t, []string{"REDOUBT_URL=http://127.0.0.1:1", "REDOUBT_TOKEN=x"}, "audit", "--stack", "main/shop/prod")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "does not answer")
}

// A rehearsal reports what the pack found at the preview.
func TestRehearseReports(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	// An order without a replica, under a configuration that wants one.
	code, _, stderr := redoubt(t, "rehearse", "--blueprint", "secure-bucket", "--policy-pack", pack, "--stack", "dev",
		"--policy-config", filepath.Join(root, "policy", "profiles", "prod.json"),
		"--report", filepath.Join(folder, "{stack}.json"), "--report", filepath.Join(folder, "r.sarif"))
	require.Equal(t, exitFailed, code, stderr)
	text, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	require.NoError(t, err)
	var r reports.Report
	require.NoError(t, json.Unmarshal(text, &r))
	require.True(t, r.FindingsOnly)
	require.NotEmpty(t, r.Failing())
	for _, f := range r.Findings {
		require.NotContains(t, f.Message, "fix:", "a rule's advice is the rule's")
		require.NotContains(t, f.Message, f.Policy)
	}
	require.FileExists(t, filepath.Join(folder, "r.sarif"))

	code, _, stderr = redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--stack", "dev", "--stack", "prod", "--report", "r.sarif")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "2 stacks would write to it: put {stack} in its name")
	code, _, stderr = redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--break", "all", "--report", "r.pdf")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "it is of a rehearsal, and --break makes none")
	require.Contains(t, stderr, "r.pdf: the name does not say")
}

// What takes long is told, once a while, and what does not is silent.
func TestSlowProgress(t *testing.T) {
	t.Parallel()
	var out output
	p := newSlowProgress(&out)
	p.say("reading")
	for i := range 3 {
		p.say(fmt.Sprintf("%d of 3", i+1))
	}
	p.end()
	p.end()
	require.Empty(t, out.String(), "it was done at once")
	p.show()
	p.show()
	require.Equal(t, "… 3 of 3\n", out.String(), "the newest, and each once")
}
