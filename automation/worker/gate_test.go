package worker_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gate is a file that previews wait for.
type gate string

func newGate(t *testing.T) gate { return gate(filepath.Join(t.TempDir(), "open")) }

func (g gate) open(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(string(g), nil, 0o600))
}

// awaited waits until a preview waits for it.
func (g gate) awaited(t *testing.T) {
	t.Helper()
	eventually(t, "a preview", func() bool { _, err := os.Stat(string(g) + ".waits"); return err == nil })
}

// waitFor waits until there is a file, which is how a program of another process is
// told to go on.
func waitFor(ctx context.Context, path string) error {
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		if err := os.WriteFile(path+".waits", nil, 0o600); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
