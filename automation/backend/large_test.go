package backend_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// largeVariable is the size in MB of the state of TestALargeState; `make chaos`
// sets 400.
const largeVariable = "REDOUBT_LARGE_STATE"

// A state that is far larger than any should be comes in, is built upon and goes
// out as it was, in a time that clients wait.
func TestALargeState(t *testing.T) {
	t.Parallel()
	size := 64
	if text := os.Getenv(largeVariable); text != "" {
		var err error
		size, err = strconv.Atoi(text)
		require.NoError(t, err, largeVariable)
	}
	w := newWorld(t, filepath.Join(t.TempDir(), "data"))
	name := w.stack(t, "dev")
	state := largeState(size << 20)
	began := time.Now()
	update, err := w.Import(t.Context(), w.admin, name, state)
	require.NoError(t, err)
	imported := time.Since(began)
	require.True(t, bytes.Equal(state, w.exported(t, name, 0)))
	exported := time.Since(began) - imported
	w.update(t, name, "one-more")
	stack, _, err := w.Stack(t.Context(), w.admin, name)
	require.NoError(t, err)
	require.Equal(t, update.Resources+1, stack.Resources)
	t.Logf("%d MB, %d resources: import %s, export %s, an update %s", size, update.Resources,
		imported.Round(time.Millisecond), exported.Round(time.Millisecond), (time.Since(began) - imported - exported).Round(time.Millisecond))
	require.Less(t, time.Since(began), time.Duration(size)*time.Second, "a second for each MB is far too much, on any machine")
	require.Equal(t, backend.StatusSucceeded, mustUpdate(t, w, name, 2).Status)
}

func mustUpdate(t *testing.T, w *world, name backend.StackName, version int64) backend.HistoryEntry {
	t.Helper()
	u, err := w.UpdateByVersion(t.Context(), w.admin, name, version)
	require.NoError(t, err)
	return u
}

// largeState is a deployment of about so many bytes in resources of 10 KB.
func largeState(size int) []byte {
	var b bytes.Buffer
	b.Grow(size + 1<<16)
	b.WriteString(`{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"resources":[`)
	filler := bytes.Repeat([]byte("0123456789abcdef"), 600)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"urn":%q,"custom":true,"id":"%d","type":"test:index:Thing","outputs":{"n":%d,"text":"%s"}}`, urn(fmt.Sprint("r", i)), i, i*7919, filler[i%16:])
	}
	b.WriteString("]}}")
	return b.Bytes()
}
