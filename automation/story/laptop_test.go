package story

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/internal/languagehost"
	"redoubt/internal/rehearsal"
)

// laptopProgram makes this binary the program on a laptop.
const laptopProgram = "laptop-program"

// nothing is a program without resources.
func nothing(*pulumi.Context) error { return nil }

// laptop runs the stock CLI on a stack as somebody with a token, and returns what it
// said.
func (o *office) laptop(t *testing.T, project, stack, token string, args ...string) (string, error) {
	t.Helper()
	found, err := engine.FindCLI()
	require.NoError(t, err)
	folder := t.TempDir()
	program := filepath.Join(t.TempDir(), laptopProgram)
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, program))
	language, err := languagehost.Serve(context.WithoutCancel(t.Context()), languagehost.Options{Programs: map[string]string{folder: program}})
	require.NoError(t, err)
	defer func() { require.NoError(t, language.Close()) }()
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	cloud, err := rehearsal.Serve(context.WithoutCancel(t.Context()), account, "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, cloud.Close()) }()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Pulumi.yaml"), []byte("name: "+project+"\nruntime: go\n"), 0o600))
	cmd := exec.Command(found.Executable, append(args, "--stack", org+"/"+project+"/"+stack, "--non-interactive", "--color", "never")...)
	cmd.Dir = folder
	cmd.Env = environment(fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", cloud.Port()), language.Env(),
		"PATH="+language.Folder()+string(os.PathListSeparator)+os.Getenv("PATH"), "PULUMI_HOME="+t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true", "PULUMI_ACCESS_TOKEN="+token, "PULUMI_BACKEND_URL="+o.url)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Who has a laptop and a token may look at an ordered stack, and not change it past
// those who approve.
func TestLaptop(t *testing.T) {
	t.Parallel()
	o := open(t)
	p := o.project(t, "shop", client.ProjectSettings{})
	ordered, err := o.as(rita).CreateStack(t.Context(), client.NewStack{ProjectID: p.ID, Name: "logs", Blueprint: "secure-bucket", Inputs: bucket(400)}, client.CreateStackParams{})
	require.NoError(t, err)
	o.reaches(t, ordered.Operation.ID, provision.Succeeded)
	token := o.token(t, "laptop", rita, backend.Read, backend.Write, backend.Decrypt, backend.Preview, backend.Apply)

	said, err := o.laptop(t, "shop", "logs", token, "preview")
	require.NoError(t, err, said)
	require.Contains(t, said, "delete")
	for _, args := range [][]string{{"up", "--yes", "--skip-preview"}, {"destroy", "--yes", "--skip-preview"}, {"refresh", "--yes", "--skip-preview"}} {
		said, err = o.laptop(t, "shop", "logs", token, args...)
		require.Error(t, err, said)
		require.Contains(t, said, "stack main/shop/logs is protected: preview it, and order the change to have it approved and applied", "%v", args)
	}
	o.sound(t, ordered.Stack.ID)
}

// A plan that was approved, and is not what would be done any more, goes back to who
// approved it.
func TestStalePlan(t *testing.T) {
	t.Parallel()
	o := open(t)
	p := o.project(t, "shop", client.ProjectSettings{ApprovalRules: []client.ApprovalRule{twoPeople}})
	ordered := o.orders(t, p, "logs", nil)
	o.approves(t, o.reaches(t, ordered.Operation.ID, provision.AwaitingApproval))
	o.reaches(t, ordered.Operation.ID, provision.Succeeded)

	change := o.again(t, rita, ordered.Stack.ID, client.NewOperation{Kind: "up", Inputs: bucket(500)})
	change = o.reaches(t, change.ID, provision.AwaitingApproval)
	_, err := o.as(omar).PutLock(t.Context(), ordered.Stack.ID, client.Reason{Reason: "the state is looked at"})
	require.NoError(t, err)
	o.approves(t, change)
	require.Equal(t, string(provision.Approved), o.reads(t, change.ID).State, "it waits for the lock")

	// Somebody who may all of that brings the state back as it was: the same, and a
	// new version.
	hand := o.token(t, "hand", omar, backend.Read, backend.Write, backend.Decrypt, backend.ApplyProtected)
	o.tokens["hand"] = hand
	status, _, state := o.raw(t, "hand", http.MethodGet, "/api/stacks/main/shop/logs/export", nil, "")
	require.Equal(t, http.StatusOK, status, state)
	status, _, answer := o.raw(t, "hand", http.MethodPost, "/api/stacks/main/shop/logs/import", nil, state)
	require.Equal(t, http.StatusOK, status, answer)
	_, err = o.as(omar).DeleteLock(t.Context(), ordered.Stack.ID)
	require.NoError(t, err)

	again := o.reaches(t, change.ID, provision.AwaitingApproval)
	require.NotEqual(t, change.PlanDigest, again.PlanDigest)
	var why []string
	for _, e := range o.events(t, change.ID) {
		var data struct{ Why string }
		require.NoError(t, json.Unmarshal(e.Data, &data))
		why = append(why, data.Why)
	}
	require.Contains(t, text(why), "plan_stale: the stack's state moved from version 1 to 2")
	_, err = o.decides(t, anna, change, provision.Approve)
	require.Equal(t, string(provision.CodePlanStale), client.CodeOf(err), "the old plan is not approved again: %v", err)
	o.approves(t, again)
	o.reaches(t, change.ID, provision.Succeeded)
	seen, err := o.as(rita).GetStack(t.Context(), ordered.Stack.ID)
	require.NoError(t, err)
	require.Contains(t, string(seen.Inputs), "500")
}
