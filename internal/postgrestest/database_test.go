package postgrestest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
)

// victim makes the test binary a process that uses a database until it is killed.
const victim = "TEST_POSTGRESTEST_VICTIM"

// connect is a connection until the test ends.
func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

func TestDatabasesAreApartOnOneServer(t *testing.T) {
	t.Parallel()
	first, second := postgrestest.Database(t), postgrestest.Database(t)
	_, err := connect(t, first).Exec(t.Context(), "CREATE TABLE mine (n int)")
	require.NoError(t, err)
	_, err = connect(t, second).Exec(t.Context(), "SELECT n FROM mine")
	require.ErrorContains(t, err, `relation "mine" does not exist`)
	require.Equal(t, host(t, first), host(t, second))
}

func host(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Host
}

// Whose tests are killed leaves no server behind, and no folder.
func TestTheServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(victim) != "" {
		fmt.Println("address " + postgrestest.Database(t))
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or nobody is there to do so
	}
	process := exec.Command(os.Args[0], "-test.run", "^TestTheServerEndsWithItsProcess$")
	process.Env = append(os.Environ(), victim+"=1")
	_, err := process.StdinPipe()
	require.NoError(t, err)
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Kill() // gone already: good
		_ = process.Wait()
	})
	var address string
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address, _ = strings.CutPrefix(lines.Text(), "address ")
	}
	u, err := url.Parse(address)
	require.NoError(t, err)
	folder := filepath.Dir(u.Query().Get("sslrootcert"))
	require.DirExists(t, folder)
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	require.NoError(t, process.Process.Kill())
	require.Eventually(t, func() bool { _, err := os.Stat(folder); return os.IsNotExist(err) }, time.Minute, 50*time.Millisecond)
	_, err = pgx.Connect(t.Context(), address)
	require.Error(t, err)
}
