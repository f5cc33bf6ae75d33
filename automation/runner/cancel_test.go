package runner

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// slow is an operation that waits in a create until the test lets it go on.
func slow(t *testing.T, f *fake) Spec {
	t.Helper()
	return operation(t, f, Up, "things", map[string]string{"things": "2", "slow": "true"})
}

// requireMadeOnce runs the stack's next update: what the one before had begun is
// in the state, and is not made again.
func requireMadeOnce(t *testing.T, f *fake, spec Spec) {
	t.Helper()
	spec.Kind = Up
	result, err := run(t, spec)
	require.NoError(t, err)
	require.Equal(t, 1, f.count("slow"), "it was made twice")
	for _, c := range result.Changes {
		require.NotContains(t, c.URN, "::slow", "it was in the state") // the rest may not have begun
	}
}

// A canceled update waits for the create that has begun, however long, and
// writes it down. The Automation API's own way kills the CLI after ten seconds,
// and the next update makes the resource again.
func TestCancelWaitsForWhatHasBegun(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := slow(t, f)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	defer cancel()
	op, err := Start(ctx, spec)
	require.NoError(t, err)
	await(t, "the create begins", f.begun)
	cancel()
	await(t, "the provider is told", f.canceled)
	op.Cancel() // again: nothing more comes of it
	select {
	case <-op.done:
		require.FailNow(t, "it did not wait")
	default:
	}
	f.release()
	result, err := op.Wait()
	require.Equal(t, CodeCanceled, CodeOf(err), err)
	require.Positive(t, result.Changed(), "what was done is in the result: %+v", result)
	requireMadeOnce(t, f, spec)
}

// A cancel that comes at once finds an operation that does not begin.
func TestCancelAtOnce(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Up, "things", map[string]string{"things": "1"})
	for range 5 {
		op := start(t, spec)
		op.Cancel()
		_, err := op.Wait()
		require.Equal(t, CodeCanceled, CodeOf(err), err)
	}
}

// By force an operation ends at once, with all its processes.
func TestKill(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	op := start(t, slow(t, f))
	await(t, "the create begins", f.begun)
	all := processes(t, op.PID())
	find(t, all, "pulumi")
	op.Cancel()
	op.Kill()
	_, err := op.Wait()
	require.Equal(t, CodeKilled, CodeOf(err), err)
	for _, p := range all {
		require.False(t, alive(p.pid), "%s lives on", p.name)
	}
}

// What does not end within its grace is ended by force.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := slow(t, f)
	spec.Grace = 1
	op := start(t, spec)
	await(t, "the create begins", f.begun)
	op.Cancel()
	_, err := op.Wait()
	require.Equal(t, CodeKilled, CodeOf(err), err)
}

// Another update of the stack is refused, and does not disturb the first.
func TestBusy(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := slow(t, f)
	op := start(t, spec)
	await(t, "the create begins", f.begun)
	_, err := run(t, spec)
	require.Equal(t, CodeBusy, CodeOf(err), err)
	f.release()
	_, err = op.Wait()
	require.NoError(t, err)
	requireMadeOnce(t, f, spec)
}
