package story

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/internal/rehearsal"
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
	states := o.states(t, stacks...)
	require.Equal(t, states, lives(o.account(t)), "what the states have, and what lives")
}

// sound sees the same of an account that outlives the servers.
func (c *cloud) sound(t *testing.T, o *office, stacks ...string) {
	t.Helper()
	require.Equal(t, o.states(t, stacks...), lives(c.Resources()), "what the states have, and what lives")
}

// states counts what the stacks' states have.
func (o *office) states(t *testing.T, stacks ...string) map[string]int {
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
	return states
}

// lives counts what lives in an account.
func lives(resources []rehearsal.Resource) map[string]int {
	n := map[string]int{}
	for _, r := range resources {
		n[r.URN]++
	}
	return n
}

// mended orders again what died in the middle, after a recovery where that is asked
// for.
func (o *office) mended(t *testing.T, op client.Operation) {
	t.Helper()
	switch provision.State(op.State) {
	case provision.Succeeded:
		return
	case provision.NeedsRecovery:
		o.recovers(t, op)
	}
	retried, err := o.as(rita).RetryOperation(t.Context(), op.ID, client.RetryOperationParams{})
	require.NoError(t, err)
	o.reaches(t, retried.ID, provision.Succeeded)
}

// recovers recovers the stack of an operation that died: before that it takes no other.
func (o *office) recovers(t *testing.T, op client.Operation) {
	t.Helper()
	_, err := o.as(rita).CreateOperation(t.Context(), op.StackID, client.NewOperation{Kind: "up"}, client.CreateOperationParams{})
	require.ErrorContains(t, err, "recover", "nothing is done over what is not known")
	mend := o.again(t, omar, op.StackID, client.NewOperation{Kind: "recover"})
	o.reaches(t, mend.ID, provision.Succeeded)
	require.Equal(t, string(provision.Failed), o.reads(t, op.ID).State, "nobody needs to look at it any more")
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

// The only server is killed, and its machine with it, while it has an operation in
// each phase. The next one goes on at once.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	o := open(t, join(soon, c.flags(), []string{"--slots", "6"})...)
	p := newPhases(t, o, c)
	p.all(t, o, o)
	o.fails(t)
	p.open()
	o.start(t)
	p.goOn(t, o)
}

// Several processes on one database, each with one role: orders go through either
// API, and can be watched there, whichever worker has them. Then everything dies that
// has a part in them, while there is one in each phase.
func TestNodesKilled(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	url := database(t)
	shared := join(soon, []string{"--database", url})
	api := open(t, join(shared, []string{"--role", "api"})...)
	other := api.beside(t, "other API", join(shared, []string{"--role", "api"})...)
	works := join(shared, c.flags(), []string{"--role", "worker"})
	worker := api.beside(t, "worker", join(works, []string{"--slots", "8"})...)
	p := newPhases(t, api, c)
	p.all(t, api, worker)

	watched := make(chan []string, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		var states []string
		for e, err := range other.as(anna).Events(ctx, p.of[provision.Previewing].ID, 0) {
			if err == nil && e.Type == string(provision.EventState) {
				states = append(states, string(e.Data))
			}
		}
		watched <- states
	}()
	api.kill(t)
	for phase, op := range p.of {
		require.Equal(t, string(phase), other.reads(t, op.ID).State, "an API has no part in it")
	}
	worker.fails(t)
	p.open()
	other.beside(t, "other worker", works...)
	p.goOn(t, other)
	require.Len(t, <-watched, len(other.way(t, p.of[provision.Previewing].ID)), "who watches sees the other worker too")
	api.start(t)
	late := api.again(t, rita, p.of[provision.Previewing].StackID, client.NewOperation{Kind: "up", Inputs: bucket(500)})
	other.reaches(t, late.ID, provision.Succeeded)
}

// An operation's process is killed in each phase that has one. The engine outlives
// it, and finishes what it has begun.
func TestRunnerKilled(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	o := open(t, join(soon, c.flags(), []string{"--database", database(t), "--slots", "6"})...)
	p := newPhases(t, o, c)
	p.all(t, o, o)
	pids := children(t, o.process.Process.Pid, runner.ChildCommand)
	require.Len(t, pids, 4)
	for _, pid := range pids {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	for _, g := range p.gates {
		g.open()
	}
	for _, phase := range []provision.State{provision.Preparing, provision.Previewing, provision.Applying, provision.Canceling} {
		op := o.reaches(t, p.of[phase].ID, provision.Failed, provision.Canceled)
		require.NotEmpty(t, op.Failure.Message)
		require.Empty(t, op.Failure.Pending)
	}
	c.sound(t, o, p.stacks()...)
	o.mended(t, o.reads(t, p.of[provision.Applying].ID))
	o.approves(t, o.reads(t, p.of[provision.AwaitingApproval].ID))
	o.reaches(t, p.of[provision.AwaitingApproval].ID, provision.Succeeded)
	c.sound(t, o, p.stacks()...)
}

// A server that is stopped finishes what has begun, and records it.
func TestServerStoppedInApply(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	o := open(t, join(c.flags(), []string{"--provisioning-shutdown", "0s"})...)
	p := o.project(t, "shop", client.ProjectSettings{})
	g := c.gate("logs", changed, some)
	op := o.orders(t, p, "logs", nil).Operation
	g.await(t)
	o.signals(t, syscall.SIGTERM)
	o.says(t, "operations are asked to end: the node stops")
	g.open()
	o.end(t, syscall.Signal(0)) // by itself
	o.start(t)
	op = o.reads(t, op.ID)
	require.Equal(t, string(provision.Failed), op.State, "it was not left behind")
	require.Empty(t, op.Failure.Pending, "what had begun was finished")
	require.Contains(t, op.Failure.Message, "its node was stopped")
	c.sound(t, o, op.StackID)
	o.mended(t, op)
	c.sound(t, o, op.StackID)
}
