package story

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// A worker's machine sleeps in mid-update until its claim has ended. Another worker
// takes over. What the first does when it wakes up is not taken, it says so, and works
// on as before.
func TestWorkerSleeps(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	shared := join(soon, []string{"--database", database(t)})
	o := open(t, join(shared, []string{"--role", "api"})...)
	works := join(shared, c.flags(), []string{"--role", "worker"})
	sleeper := o.beside(t, "sleeper", works...)
	p := o.project(t, "shop", client.ProjectSettings{})
	g := c.gate("logs", changed, some)
	op := o.orders(t, p, "logs", nil).Operation
	g.await(t)
	asleep := descendants(t, sleeper.process.Process.Pid)
	sleeper.signals(t, syscall.SIGSTOP, asleep...)
	t.Cleanup(func() { sleeper.signals(t, syscall.SIGCONT, asleep...) })

	other := o.beside(t, "other worker", works...)
	died := o.reaches(t, op.ID, provision.NeedsRecovery)
	require.Contains(t, died.Failure.Message, "is not heard of any more")
	g.drop() // what it had asked AWS for was never done
	o.mended(t, died)
	before, err := o.as(anna).GetStack(t.Context(), op.StackID)
	require.NoError(t, err)
	events := len(o.events(t, op.ID))

	sleeper.signals(t, syscall.SIGCONT, asleep...)
	for _, said := range []string{"the claim on an operation is lost", "an operation is not this worker's any more"} {
		sleeper.says(t, said)
	}
	require.Eventually(t, func() bool { return len(descendants(t, sleeper.process.Process.Pid)) == 0 }, patience, often, "it ends what it ran")
	require.Len(t, o.events(t, op.ID), events, "nothing that it wrote was taken")
	require.Equal(t, string(provision.Failed), o.reads(t, op.ID).State)
	after, err := o.as(anna).GetStack(t.Context(), op.StackID)
	require.NoError(t, err)
	require.Equal(t, before, after)
	c.sound(t, o, op.StackID)

	other.end(t, syscall.SIGTERM)
	change := o.again(t, rita, op.StackID, client.NewOperation{Kind: "up", Inputs: bucket(500)})
	o.reaches(t, change.ID, provision.Succeeded)
	c.sound(t, o, op.StackID)
}

// Somebody's CLI sleeps in mid-update until its lease has ended, and an order has the
// stack then. What the CLI writes when it wakes up is not taken, and it says so.
func TestLaptopSleeps(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	o := open(t, join(soon, c.flags())...)
	p := o.project(t, "shop", client.ProjectSettings{})
	first := o.orders(t, p, "logs", nil)
	o.reaches(t, first.Operation.ID, provision.Succeeded)

	token := o.token(t, "laptop", omar, append(laptopVerbs, backend.ApplyProtected)...)
	g := c.gate("logs", changed, some)
	cli := o.sits(t, c.port, "shop", "logs", token, "up", "--yes", "--skip-preview")
	cli.comes(t, g) // its program has nothing in it: it deletes
	require.NoError(t, cli.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = cli.Process.Signal(syscall.SIGCONT) })
	g.drop()
	change := o.again(t, rita, first.Stack.ID, client.NewOperation{Kind: "up", Inputs: bucket(500), Options: &client.OrderOptions{Refresh: true}})
	o.reaches(t, change.ID, provision.Succeeded, provision.Failed)
	for o.reads(t, change.ID).State == string(provision.Failed) { // it came before the lease had ended
		retried, err := o.as(rita).RetryOperation(t.Context(), change.ID, client.RetryOperationParams{})
		require.NoError(t, err)
		change = o.reaches(t, retried.ID, provision.Succeeded, provision.Failed)
	}
	before, err := o.as(anna).GetStack(t.Context(), first.Stack.ID)
	require.NoError(t, err)

	require.NoError(t, cli.Process.Signal(syscall.SIGCONT))
	said, err := cli.ends()
	require.Error(t, err, said)
	require.Contains(t, said, "no longer holds the stack")
	after, err := o.as(anna).GetStack(t.Context(), first.Stack.ID)
	require.NoError(t, err)
	require.Equal(t, before, after)
	c.sound(t, o, first.Stack.ID)
}
