package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
)

// says asks a server as the Pulumi CLI does, and returns the status and the answer.
func says(t *testing.T, method, url, credential string, in any) (status int, answer map[string]any) {
	t.Helper()
	text, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Authorization", credential)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()                        //nolint:errcheck // it was read
	_ = json.NewDecoder(response.Body).Decode(&answer) // some answers are empty
	return response.StatusCode, answer
}

// locked starts a server with a stack main/shop/prod that an update holds which
// cannot be closed, and returns the update's id and where the stack's calls go.
func locked(t *testing.T) (env []string, stack, update string) {
	t.Helper()
	p, url := serve(t, nil, "--data", filepath.Join(t.TempDir(), "data"), "--leases-duration", "100ms", "--leases-first", "100ms", "--leases-sweep", "1h")
	token := tokenForm.FindString(p.out.String())
	env, stack = []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + token}, url+"/api/stacks/main/shop/prod"
	status, _ := says(t, http.MethodPost, url+"/api/stacks/main/shop", "token "+token, map[string]any{"stackName": "prod"})
	require.Equal(t, http.StatusOK, status)
	_, made := says(t, http.MethodPost, stack+"/update", "token "+token, map[string]any{})
	update, _ = made["updateID"].(string)
	_, started := says(t, http.MethodPost, stack+"/update/"+update, "token "+token, map[string]any{"journalVersion": 1})
	lease := "update-token " + started["token"].(string)
	status, _ = says(t, http.MethodPatch, stack+"/update/"+update+"/journalentries", lease, map[string]any{"entries": []json.RawMessage{
		[]byte(`{"version":1,"kind":1,"sequenceID":1,"operationID":1,"state":{"urn":"urn:pulumi:prod::shop::a:b:C::made","type":"a:b:C"}}`),
		[]byte(`{"version":1,"kind":0,"sequenceID":2,"operationID":2,"operation":{"type":"creating","resource":{"urn":"urn:pulumi:prod::shop::a:b:C::making","type":"a:b:C"}}}`),
		[]byte(`{"version":1,"kind":1,"sequenceID":3,"operationID":3,"removeOld":999}`),
	}})
	require.Equal(t, http.StatusOK, status)
	status, answer := says(t, http.MethodPost, stack+"/update/"+update+"/complete", lease, map[string]any{"status": "failed"})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer["message"], "redoubt stack salvage main/shop/prod --reason")
	return env, stack, update
}

func TestSalvageOfAStack(t *testing.T) {
	t.Parallel()
	env, stack, update := locked(t)
	token := "token " + strings.TrimPrefix(env[1], "REDOUBT_TOKEN=")
	var stdout string
	require.Eventually(t, func() bool { // its lease has to end
		var code int
		code, stdout, _ = ask(t, env, "stack", "salvage", "main/shop/prod", "--dry-run")
		return code == exitOK
	}, patience, 50*time.Millisecond)
	for _, want := range []string{
		"Update " + update + " (update of admin", "would be closed as interrupted", "would be that of 1 resource(s), with 1 pending operation(s)",
		"creating urn:pulumi:prod::shop::a:b:C::making", "Left out, 1 in all", "entry 3, in part: it names resource 999 of the base, which has 0", "Nothing was changed",
	} {
		require.Contains(t, stdout, want)
	}
	code, _, stderr := ask(t, env, "stack", "salvage", "main/shop/prod")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "Give --reason")
	status, answer := says(t, http.MethodDelete, stack+"?force=true", token, nil)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer["message"], "redoubt stack salvage main/shop/prod --reason")

	var plan, done adminapi.Salvaged
	require.NoError(t, json.Unmarshal([]byte(must(t, env, "stack", "salvage", "main/shop/prod", "--dry-run", "--json")), &plan))
	require.Contains(t, string(plan.State), "::made")
	require.NoError(t, json.Unmarshal([]byte(must(t, env, "stack", "salvage", "main/shop/prod", "--json", "--reason", "INC-42")), &done))
	require.Equal(t, backend.StatusInterrupted, done.Status)
	require.Equal(t, plan.LeftOut, done.LeftOut)
	require.Empty(t, done.State)

	lines := strings.Split(strings.TrimSpace(must(t, env, "stack", "journal", "main/shop/prod", update)), "\n")
	require.Len(t, lines, 3)
	require.JSONEq(t, `{"sequence":3,"entry":{"version":1,"kind":1,"sequenceID":3,"operationID":3,"removeOld":999}}`, lines[2])
	require.Contains(t, must(t, env, "audit", "export"), `"reason":"INC-42"`)
	status, answer = says(t, http.MethodPost, stack+"/update", token, map[string]any{})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer["message"], "needs recovery")
	code, _, stderr = ask(t, env, "stack", "salvage", "main/shop/prod", "--reason", "again")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "no update holds stack main/shop/prod")
}

func TestSalvageSaysWhatToDoThen(t *testing.T) {
	t.Parallel()
	env, _, update := locked(t)
	require.Eventually(t, func() bool {
		code, stdout, _ := ask(t, env, "stack", "salvage", "main/shop/prod", "--reason", "INC-42")
		return code == exitOK && strings.Contains(stdout, "is closed as interrupted") && strings.Contains(stdout, "redoubt stack journal main/shop/prod "+update) &&
			strings.Contains(stdout, "takes no update before `pulumi refresh --clear-pending-creates`")
	}, patience, 50*time.Millisecond)
}
