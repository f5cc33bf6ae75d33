package story

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
)

// The update of an operation that dies is closed soon: longer than a CLI that lives
// is silent.
var soon = []string{"--leases-duration", "15s", "--leases-first", "15s", "--leases-sweep", "1s"}

// whole orders defense-in-depth, whose preview and apply take seconds.
func (o *office) whole(t *testing.T, p client.Project, name string) client.Ordered {
	t.Helper()
	_, err := os.Stat(filepath.Join(module, "dist", "functions"))
	require.NoError(t, err, "run `make functions`")
	b, err := o.as(rita).GetBlueprint(t.Context(), "defense-in-depth")
	require.NoError(t, err)
	no := false
	ordered, err := o.as(rita).CreateStack(t.Context(), client.NewStack{
		ProjectID: p.ID, Name: name, Blueprint: b.Name, Inputs: b.Example, Protected: &no,
	}, client.CreateStackParams{})
	require.NoError(t, err)
	return ordered
}

// sound sees that what lives in the account is what the stacks' states have: nothing
// was made twice, and nothing is forgotten. The server ends for that.
func (o *office) sound(t *testing.T, stacks ...string) {
	t.Helper()
	states := map[string]int{}
	for _, id := range stacks {
		page, err := o.as(anna).ListResources(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, page.NextCursor)
		for _, r := range page.Items {
			if r.Custom && !r.External && strings.HasPrefix(r.Type, "aws:") {
				states[r.URN]++
			}
		}
	}
	require.NotEmpty(t, states)
	lives := map[string]int{}
	for _, r := range o.account(t) {
		lives[r.URN]++
	}
	require.Equal(t, states, lives, "what the states have, and what lives")
}

// mended orders again what died in the middle, after a recovery where that is asked
// for.
func (o *office) mended(t *testing.T, op client.Operation) {
	t.Helper()
	if op.State == string(provision.Succeeded) {
		return
	}
	if op.State == string(provision.NeedsRecovery) {
		_, err := o.as(rita).CreateOperation(t.Context(), op.StackID, client.NewOperation{Kind: "up"}, client.CreateOperationParams{})
		require.ErrorContains(t, err, "recover", "nothing is done over what is not known")
		mend := o.again(t, omar, op.StackID, client.NewOperation{Kind: "recover"})
		o.reaches(t, mend.ID, provision.Succeeded)
		require.Equal(t, string(provision.Failed), o.reads(t, op.ID).State, "nobody needs to look at it any more")
	}
	retried, err := o.as(rita).RetryOperation(t.Context(), op.ID, client.RetryOperationParams{})
	require.NoError(t, err)
	o.reaches(t, retried.ID, provision.Succeeded)
}

// The server is killed while one order is previewed and another waits for people:
// after the restart both go on.
func TestServerKilledInPreview(t *testing.T) {
	t.Parallel()
	o := open(t, soon...)
	rule := twoPeople
	rule.Stacks = "guarded"
	p := o.project(t, "shop", client.ProjectSettings{ApprovalRules: []client.ApprovalRule{rule}})
	guarded := o.orders(t, p, "guarded", nil)
	waiting := o.reaches(t, guarded.Operation.ID, provision.AwaitingApproval)
	whole := o.whole(t, p, "whole")
	o.done(t, whole.Operation.ID, provision.PhasePreview, 5)
	o.kill(t)
	o.start(t)

	require.Equal(t, string(provision.AwaitingApproval), o.reads(t, waiting.ID).State)
	o.approves(t, waiting)
	o.reaches(t, waiting.ID, provision.Succeeded)
	op := o.reaches(t, whole.Operation.ID, provision.Succeeded)
	require.Contains(t, strings.Join(o.way(t, op.ID), " "), "queued preparing previewing queued preparing previewing", "it began anew")
	o.sound(t, whole.Stack.ID, guarded.Stack.ID)
}

// The server is killed in the middle of an apply. With it dies the account's
// endpoint, so that the engine does not know what became of what it had begun.
func TestServerKilledInApply(t *testing.T) {
	t.Parallel()
	o := open(t, soon...)
	p := o.project(t, "shop", client.ProjectSettings{})
	whole := o.whole(t, p, "whole")
	o.done(t, whole.Operation.ID, provision.PhaseUp, 20)
	o.kill(t)
	o.start(t)
	op := o.reaches(t, whole.Operation.ID, provision.Failed, provision.NeedsRecovery, provision.Succeeded)
	o.mended(t, op)
	other := o.orders(t, p, "logs", nil)
	o.reaches(t, other.Operation.ID, provision.Succeeded)
	o.sound(t, whole.Stack.ID, other.Stack.ID)
}

// The process of an operation is killed in mid-apply.
func TestRunnerKilled(t *testing.T) {
	t.Parallel()
	o := open(t, soon...)
	p := o.project(t, "shop", client.ProjectSettings{})
	whole := o.whole(t, p, "whole")
	o.done(t, whole.Operation.ID, provision.PhaseUp, 20)
	pids := slices.DeleteFunc(children(t, o.process.Process.Pid, runner.ChildCommand), func(pid int) bool {
		return len(children(t, pid, "pulumi")) == 0 // it waits for the next operation
	})
	require.Len(t, pids, 1)
	require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
	op := o.reaches(t, whole.Operation.ID, provision.Failed, provision.NeedsRecovery)
	require.NotEmpty(t, op.Failure.Message)
	o.mended(t, op)
	o.sound(t, whole.Stack.ID)
}

// A server that is stopped finishes what has begun, and records it.
func TestServerStoppedInApply(t *testing.T) {
	t.Parallel()
	o := open(t, "--provisioning-shutdown", "0s")
	p := o.project(t, "shop", client.ProjectSettings{})
	whole := o.whole(t, p, "whole")
	o.done(t, whole.Operation.ID, provision.PhaseUp, 20)
	o.end(t, syscall.SIGTERM)
	o.start(t)
	op := o.reads(t, whole.Operation.ID)
	require.True(t, op.Final, "it was not left behind: %s", op.State)
	if op.State != string(provision.Succeeded) {
		require.Equal(t, string(provision.Failed), op.State)
		require.Empty(t, op.Failure.Pending, "what had begun was finished")
		require.Contains(t, op.Failure.Message, "its node was stopped")
	}
	o.mended(t, op)
	o.sound(t, whole.Stack.ID)
}

// children are the processes that a process has started, by a word on their command
// line.
func children(t *testing.T, parent int, word string) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err != nil || fields[1] != strconv.Itoa(parent) || !strings.Contains(string(line), word) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}
