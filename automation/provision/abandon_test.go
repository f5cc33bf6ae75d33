package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var abandonTests = []test{
	{"who starts alone takes over at once what the dead had", func(t *testing.T, w *world) {
		e, o := w.environment(t, "dev")
		var claim provision.Claim
		w.update(t, func(tx provision.Tx) (err error) {
			claim, err = tx.TakeClaim(provision.Claim{StackID: e.ID, OperationID: o.ID, Node: "dead", ExpiresAt: tx.Now().Add(time.Hour)}, tx.Now())
			return err
		})
		w.moved(t, o.ID, provision.Preparing)
		swept, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, swept, "its worker may live")
		require.NoError(t, w.Abandon(t.Context()))
		swept, err = w.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, swept)
		require.Equal(t, provision.Queued, w.kept(t, o.ID).State)
		w.update(t, func(tx provision.Tx) error {
			next, err := tx.TakeClaim(provision.Claim{StackID: e.ID, OperationID: o.ID, Node: "next", ExpiresAt: tx.Now().Add(time.Hour)}, tx.Now())
			require.Greater(t, next.Fence, claim.Fence)
			return err
		})
	}},
}
