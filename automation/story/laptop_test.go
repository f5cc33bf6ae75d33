package story

import (
	"bytes"
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
)

// laptopProgram makes this binary the program on a laptop.
const laptopProgram = "laptop-program"

// nothing is a program without resources.
func nothing(*pulumi.Context) error { return nil }

// laptopVerbs are what somebody with a laptop may.
var laptopVerbs = []backend.Verb{backend.Read, backend.Write, backend.Decrypt, backend.Preview, backend.Apply}

// laptop runs the stock CLI on a stack as somebody with a token, and returns what it
// said.
func (o *office) laptop(t *testing.T, project, stack, token string, args ...string) (string, error) {
	t.Helper()
	return o.sits(t, newCloud(t).port, project, stack, token, args...).ends()
}

// sitting is a CLI that somebody has started.
type sitting struct {
	*exec.Cmd
	said bytes.Buffer
	// ended is closed when it has, and err is how then.
	ended chan struct{}
	err   error
}

// ends waits for its end.
func (s *sitting) ends() (string, error) {
	<-s.ended
	return s.said.String(), s.err
}

// comes waits until it has come to a gate.
func (s *sitting) comes(t *testing.T, g *gate) {
	t.Helper()
	select {
	case <-g.awaited:
	case <-s.ended:
		require.Fail(t, "it ended before it came to the gate", "%s", s.said.String())
	}
}

// sits starts the stock CLI on a stack as somebody with a token, for whom AWS is behind
// a port.
func (o *office) sits(t *testing.T, cloud int, project, stack, token string, args ...string) *sitting {
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
	t.Cleanup(func() { require.NoError(t, language.Close()) })
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Pulumi.yaml"), []byte("name: "+project+"\nruntime: go\n"), 0o600))
	s := &sitting{Cmd: exec.Command(found.Executable, append(args, "--stack", org+"/"+project+"/"+stack, "--non-interactive", "--color", "never")...), ended: make(chan struct{})}
	s.Dir, s.Stdout, s.Stderr = folder, &s.said, &s.said
	s.Env = environment(fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", cloud), language.Env(),
		"PATH="+language.Folder()+string(os.PathListSeparator)+os.Getenv("PATH"), "PULUMI_HOME="+t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true", "PULUMI_ACCESS_TOKEN="+token, "PULUMI_BACKEND_URL="+o.url)
	require.NoError(t, s.Start())
	go func() {
		s.err = s.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() { _ = s.Process.Kill() }) // it may have ended
	return s
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
	token := o.token(t, "laptop", rita, laptopVerbs...)

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
