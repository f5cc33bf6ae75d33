package sql_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/sql"
)

// crashFolder makes this program a process that appends rows until it is killed.
const crashFolder = "REDOUBT_TEST_CRASH_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(crashFolder); folder != "" {
		fmt.Fprintln(os.Stderr, appendForever(folder))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForever writes the sequence of each row that was acknowledged.
func appendForever(folder string) error {
	store, err := sql.Open(context.Background(), folder)
	if err != nil {
		return err
	}
	for sequence := int64(0); ; sequence++ {
		if err := appendRow(store, sequence, 2000); err != nil {
			return err
		}
		fmt.Println(sequence)
	}
}

func TestAKilledProcessLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	store, err := sql.Open(context.Background(), folder)
	require.NoError(t, err)
	prepare(t, store)
	require.NoError(t, store.Close())

	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), crashFolder+"="+folder)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	last := int64(-1)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last, err = strconv.ParseInt(lines.Text(), 10, 64)
		require.NoError(t, err)
		if last == 100 {
			require.NoError(t, process.Process.Kill())
		}
	}
	require.Error(t, process.Wait(), "killed")
	require.GreaterOrEqual(t, last, int64(100))

	kept := sequences(t, open(t, folder)) // and the folder is free again
	for sequence := range last + 1 {
		require.True(t, kept[sequence], "row %d of %d", sequence, last)
	}
}
