//go:build unix

package chaos

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A CLI that sleeps past its lease loses the stack to the next one. When it
// wakes up nothing that it writes is taken, and it begins nothing more: it does
// at most the steps whose beginning was acknowledged before it fell asleep,
// which no database can take back. The state has them as pending.
func TestAStoppedCLIIsFencedOff(t *testing.T) {
	t.Parallel()
	const stack = "sleepy"
	l := newLane(t, settings{})
	l.node.create(t, stack)
	stopped := make(chan struct{})
	started := make(chan *run, 1)
	l.trap.set(stack, 90, func() bool { // in the middle of it
		r := <-started
		if err := r.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		close(stopped)
		return false
	})
	sleeper := l.laptop.start(t, stack, 1, "up")
	started <- sleeper
	t.Cleanup(func() { _ = sleeper.Process.Signal(syscall.SIGCONT) })
	select {
	case <-stopped:
	case <-sleeper.Done:
		require.FailNow(t, "it ended before it fell asleep", sleeper.out.String())
	}
	l.trap.set("", 0, nil)
	l.node.free(t, stack)
	l.sound(t, stack)
	begun := map[string]bool{}
	for _, op := range l.state(t, stack).Deployment.PendingOperations {
		begun[op.Resource.URN] = true
	}

	// Somebody else takes over and finishes.
	l.wire.forget()
	l.recover(t, stack, 1)
	winner := newLaptop(t, l.cloud, l.wire.url(t), l.node.token)
	winner.do(t, stack, 1, "up")
	won := l.node.export(t, stack)
	lives, _ := l.cloud.of(stack)
	require.Len(t, lives, things)
	changes := l.cloud.total()

	l.wire.forget()
	require.NoError(t, sleeper.Process.Signal(syscall.SIGCONT))
	require.Error(t, sleeper.ends(), "it says that it lost the stack")
	refused := 0
	for _, a := range l.wire.log() {
		if a.update {
			require.Equal(t, http.StatusForbidden, a.status, "%s %s", a.method, a.path)
			refused++
		}
	}
	require.NotZero(t, refused, "it tried")
	require.LessOrEqual(t, l.cloud.total(), changes+len(begun), "it began something more")
	require.JSONEq(t, string(won), string(l.node.export(t, stack)))
	require.Contains(t, strings.ToLower(sleeper.out.String()), "no longer holds the stack")
	_, made := l.cloud.of(stack)
	for urn, n := range made {
		if !begun[urn] {
			require.Equal(t, 1, n, urn)
		}
	}
}
