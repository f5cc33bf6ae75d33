package chaos

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
)

// interrupted runs an update, does something in the middle of it, and requires
// that the update did not mind.
func interrupted(t *testing.T, l *lane, something func()) {
	t.Helper()
	const stack = "dev"
	l.node.create(t, stack)
	middle := make(chan struct{})
	l.trap.set(stack, 90, func() bool {
		close(middle)
		return false
	})
	r := l.laptop.start(t, stack, 1, "up")
	select {
	case <-middle:
		something()
	case <-r.Done:
	}
	r.succeeds(t)
	_, sprung := l.trap.seen()
	require.True(t, sprung)
	l.trap.set("", 0, nil)
	require.Empty(t, l.node.active(t, stack))
	l.sound(t, stack)
	require.Len(t, l.state(t, stack).things(), things)
	_, made := l.cloud.of(stack)
	for urn, n := range made {
		require.Equal(t, 1, n, urn)
	}
	require.Contains(t, l.laptop.do(t, stack, 1, "up"), "31 unchanged")
}

// The server is stopped for an upgrade, and started again where it was.
func TestAnUpdateSurvivesAnUpgradeOfTheServer(t *testing.T) {
	t.Parallel()
	l := newLane(t, settings{})
	interrupted(t, l, func() {
		l.node.end(syscall.SIGTERM)
		require.NoError(t, l.node.start())
	})
}

// The database crashes, and comes back.
func TestAnUpdateSurvivesACrashOfPostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, "log_statement = none", "fsync = on")
	l := newLane(t, settings{Database: server.URL(t, "postgres"), Lease: 10 * time.Second, First: 10 * time.Second})
	interrupted(t, l, func() {
		server.Stop(t)
		server.StartAgain(t)
	})
}
