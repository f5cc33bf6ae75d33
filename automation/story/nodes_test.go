package story

import (
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
	"redoubt/internal/processtest"
)

// databases counts the databases.
var databases atomic.Int64

// database is a database of PostgreSQL's, for the test.
func database(t *testing.T) string {
	t.Helper()
	return databaseOf(t, postgrestest.Start(t, "max_connections = 200", "log_statement = none"))
}

func databaseOf(t *testing.T, server *postgrestest.Server) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL(t, "postgres"))
	require.NoError(t, err)
	name := fmt.Sprintf("story%d", databases.Add(1))
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	return server.URL(t, name)
}

// join are flags one after the other.
func join(flags ...[]string) []string { return slices.Concat(flags...) }

// descendants are the processes that a process has started, and those that they have,
// and so on.
func descendants(t *testing.T, pid int) (pids []int) {
	t.Helper()
	for _, child := range children(t, pid, "") {
		pids = append(append(pids, child), descendants(t, child)...)
	}
	return pids
}

// fails kills the process as the failure of its machine does, and all that it has
// started with it.
func (o *office) fails(t *testing.T) {
	t.Helper()
	pids := descendants(t, o.process.Process.Pid)
	o.signals(t, syscall.SIGSTOP, pids...) // nobody notices the end of another
	o.kill(t)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
}

// signals sends a signal to the process and to others.
func (o *office) signals(t *testing.T, s syscall.Signal, others ...int) {
	t.Helper()
	for _, pid := range append([]int{o.process.Process.Pid}, others...) {
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// children are the processes that a process has started, by a word on their command
// line.
func children(t *testing.T, parent int, word string) []int {
	t.Helper()
	return processtest.PIDs(processtest.Children(t, parent, word))
}
