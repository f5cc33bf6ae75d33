package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/rehearsal"
)

// Control-C cancels an update, which brings what has begun to its end; again,
// it ends the update by force.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for name, force := range map[string]bool{"once": false, "twice": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, env := administered(t)
			account, err := rehearsal.Open("")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, account.Close()) })
			provider, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, provider.Close()) })
			// Long enough to be interrupted in the middle of it.
			lift, err := account.Inject(rehearsal.Fault{Call: "create", Delay: 2 * time.Second})
			require.NoError(t, err)
			temporary := t.TempDir()
			env = append(env, attachedProviders+"=aws:"+strconv.Itoa(provider.Port()), "TMPDIR="+temporary, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true")
			up := []string{"up", "--stack", "dev", "--project", root, "--policy-pack", "none", "--create", "--yes"}

			p := begin(t, env, up...)
			says := func(what string) {
				t.Helper()
				require.Eventually(t, func() bool { return strings.Contains(p.err.String(), what) || exited(p) }, patience, 10*time.Millisecond)
				require.Contains(t, p.err.String(), what)
			}
			says("+  aws:")
			require.NoError(t, p.Process.Signal(os.Interrupt))
			says("Canceling")
			if force {
				require.NoError(t, p.Process.Signal(os.Interrupt))
				says("by force")
			}
			require.Equal(t, exitCanceled, p.end(t), p.err)
			left, err := filepath.Glob(filepath.Join(temporary, "*"))
			require.NoError(t, err)
			require.Empty(t, left)
			if force {
				require.Contains(t, p.err.String(), "may be pending")
				return
			}
			require.Contains(t, p.err.String(), "is in the state")
			// What was made is not made again: the account would refuse it.
			lift()
			must(t, env, up...)
		})
	}
}
