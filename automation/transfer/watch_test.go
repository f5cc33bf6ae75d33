package transfer_test

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// watchFor looks, until the function it returns is called and once more then,
// for texts that must be nowhere: on no command line of any process, and in no
// file of the transfers' own folders and of those that are named.
func watchFor(t *testing.T, canary, phrase string, folders ...string) (stop func()) {
	t.Helper()
	var all sync.WaitGroup
	done := make(chan struct{})
	var found []string
	rounds := 0
	look := func() {
		rounds++
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, path := range lines {
			// A process may be gone.
			if text, err := os.ReadFile(path); err == nil && holds(text, canary, phrase) {
				found = append(found, string(text))
			}
		}
		mine, _ := filepath.Glob(filepath.Join(os.TempDir(), "redoubt-transfer-*"))
		for _, folder := range append(mine, folders...) {
			_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return nil // files come and go
				}
				if text, err := os.ReadFile(path); err == nil && holds(text, canary, phrase) {
					found = append(found, path)
				}
				return nil
			})
		}
	}
	all.Go(func() {
		// Often enough for files that live as long as a process, and little enough
		// to leave the processor to those.
		often := time.NewTicker(50 * time.Millisecond)
		defer often.Stop()
		for {
			look()
			select {
			case <-done:
				look()
				return
			case <-often.C:
			}
		}
	})
	return func() {
		close(done)
		all.Wait()
		require.Empty(t, found)
		require.Greater(t, rounds, 3)
	}
}

func holds(text []byte, words ...string) bool {
	for _, w := range words {
		if bytes.Contains(text, []byte(w)) {
			return true
		}
	}
	return false
}

// query runs a statement.
func query(t *testing.T, address, statement string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	_, err = connection.Exec(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, connection.Close(t.Context()))
}

// ask sends a request that has to succeed.
func ask(t *testing.T, q *http.Request) []byte {
	t.Helper()
	res, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", text)
	return text
}
