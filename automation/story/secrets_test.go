package story

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// Secrets of an order, of a webhook and of tokens are in nothing that is kept, said
// or answered: not in the data folder, the log, what is left of temporary files, the
// events and the API.
func TestSecrets(t *testing.T) {
	t.Parallel()
	o := open(t, "--log-level", "debug")
	p := o.project(t, "shop", client.ProjectSettings{Rehearse: true, ApprovalRules: []client.ApprovalRule{twoPeople}})
	b, err := o.as(rita).GetBlueprint(t.Context(), "defense-in-depth")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"/pagerUrl", "/pagerDutyRoutingKey"}, b.SecretInputs)
	var inputs map[string]any
	require.NoError(t, json.Unmarshal(b.Example, &inputs))
	inputs["pagerUrl"], inputs["pagerDutyRoutingKey"] = "https://pager.example.com/canary-url-5e1f", "canarykey77aa03bb41cc92dd05ee66ff"
	given, err := json.Marshal(inputs)
	require.NoError(t, err)
	hook, err := o.as(admin).CreateWebhook(t.Context(), client.NewWebhook{Org: org, URL: "https://hooks.example.com/redoubt", Types: []string{"*"}})
	require.NoError(t, err)

	canaries := map[string]string{"the address": "canary-url-5e1f", "the key": "canarykey77aa03bb41cc92dd05ee66ff", "the webhook's": strings.TrimPrefix(hook.Secret, "whsec_")}
	for who, token := range o.tokens {
		canaries["the token of "+who] = token
	}
	ordered, err := o.as(rita).CreateStack(t.Context(), client.NewStack{ProjectID: p.ID, Name: "whole", Blueprint: b.Name, Inputs: given}, client.CreateStackParams{})
	require.NoError(t, err)
	op := o.reaches(t, ordered.Operation.ID, provision.AwaitingApproval)
	o.approves(t, op)
	o.reaches(t, op.ID, provision.Succeeded)

	said := map[string][]byte{"the order's answer": []byte(text(ordered))}
	for _, who := range []string{rita, anna, omar, paul, admin} {
		for _, path := range []string{
			"/v1/operations/" + op.ID, "/v1/operations/" + op.ID + "/plan", "/v1/operations/" + op.ID + "/policy-results", "/v1/operations/" + op.ID + "/approvals",
			"/v1/operations?limit=200", "/v1/stacks", "/v1/stacks/" + op.StackID, "/v1/stacks/" + op.StackID + "/outputs", "/v1/stacks/" + op.StackID + "/resources",
			"/v1/stacks/" + op.StackID + "/history", "/v1/projects", "/v1/audit?limit=200", "/v1/webhooks?org=" + org, "/v1/webhooks/" + hook.Webhook.ID + "/deliveries", "/v0/admin/tokens", "/metrics",
		} {
			_, _, answer := o.raw(t, who, http.MethodGet, path, nil, "")
			said[who+" GET "+path] = []byte(answer)
		}
	}
	status, _, seen := o.raw(t, rita, http.MethodGet, "/v1/stacks/"+op.StackID, nil, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, seen, `"pagerUrl":"[secret]"`)
	said["the events"] = []byte(text(o.events(t, op.ID)))

	// And once more when the process has ended, and written all that it writes.
	for range 2 {
		require.NoError(t, filepath.WalkDir(o.folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // it was removed in the meantime
			}
			name, err := filepath.Rel(o.folder, path)
			if err != nil || name == "token" {
				return err
			}
			content, err := os.ReadFile(path)
			said[name] = content
			return err
		}))
		o.end(t, syscall.SIGTERM)
	}
	require.Contains(t, string(said[filepath.Join("data", "rehearsal", org+".jsonl")]), "-alerts-pager-high", "the program had the address")
	require.Contains(t, said, "server.log")
	require.Contains(t, said, filepath.Join("data", "redoubt.db"))
	for where, content := range said {
		for what, canary := range canaries {
			for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary)), hex.EncodeToString([]byte(canary))} {
				require.False(t, bytes.Contains(content, []byte(form)), "%s is in %s", what, where)
			}
		}
	}
}
