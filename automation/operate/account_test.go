package operate

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Processes take turns at an organization's account, and operations of one process
// have it together.
func TestSharedAccountsAreTakenInTurns(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	one, two := &accounts{folder: folder, shared: true}, &accounts{folder: folder, shared: true}
	ctx := t.Context()
	first, leaveFirst, err := one.use(ctx, "acme", nil)
	require.NoError(t, err)
	again, leaveAgain, err := one.use(ctx, "acme", nil)
	require.NoError(t, err)
	require.Same(t, first, again)
	_, leaveOther, err := two.use(ctx, "other", nil)
	require.NoError(t, err, "another organization's is another")
	require.NoError(t, leaveOther())

	// Who waits may give up, or be made to.
	stopped, stop := context.WithCancel(ctx)
	stop()
	_, _, err = two.use(stopped, "acme", nil)
	require.ErrorIs(t, err, errElsewhere)
	killed := make(chan struct{})
	close(killed)
	_, _, err = two.use(ctx, "acme", killed)
	require.ErrorIs(t, err, errElsewhere)

	got := make(chan error, 1)
	go func() {
		_, leave, err := two.use(ctx, "acme", nil)
		if err == nil {
			err = leave()
		}
		got <- err
	}()
	require.NoError(t, leaveFirst())
	_, err = two.of("acme")
	require.ErrorIs(t, err, errElsewhere, "the other operation has it still")
	require.NoError(t, leaveAgain())
	select {
	case err := <-got:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		require.FailNow(t, "who waits does not get it")
	}
	require.NoError(t, one.close())
	require.NoError(t, two.close())
}
