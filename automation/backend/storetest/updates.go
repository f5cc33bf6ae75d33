package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// ids of updates.
func ids(updates []backend.Update) []string {
	var found []string
	for _, u := range updates {
		found = append(found, u.ID)
	}
	return found
}

var updateTests = []test{
	{"an update comes back as it was", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		zero := backend.Update{ID: "upd_zero", StackID: "stk_01"}
		dry := run("upd_dry", "stk_01")
		dry.DryRun, dry.Kind, dry.TokenHashes, dry.Changes, dry.Environment = true, backend.KindPreview, [][]byte{}, map[string]int{}, map[string]string{}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateUpdate(zero))
			require.NoError(t, tx.CreateUpdate(dry))
		})
		for _, want := range []backend.Update{run("upd_1", "stk_01"), zero, dry} {
			require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.Update, error) { return tx.Update(want.ID) }))
			update(t, s, func(tx backend.Tx) {
				locked, err := tx.LockUpdate(want.ID)
				require.NoError(t, err)
				require.Equal(t, want, locked)
				held, err := tx.HoldUpdate(want.ID)
				require.NoError(t, err)
				require.Equal(t, backend.Held{
					Status: want.Status, DryRun: want.DryRun, Journaled: want.Journaled, Touched: want.Touched,
					Stepped: want.Stepped, Policies: want.Policies, TokenHashes: want.TokenHashes, LeaseExpiresAt: want.LeaseExpiresAt,
				}, held)
				require.WithinDuration(t, time.Now(), tx.Now(), time.Hour)
			})
		}
	}},
	{"an update that is not there, or is", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		for name, do := range map[string]func(backend.Tx) error{
			"by id":      func(tx backend.Tx) error { _, err := tx.Update("upd_2"); return err },
			"lock":       func(tx backend.Tx) error { _, err := tx.LockUpdate("upd_2"); return err },
			"hold":       func(tx backend.Tx) error { _, err := tx.HoldUpdate("upd_2"); return err },
			"save":       func(tx backend.Tx) error { return tx.SaveUpdate(run("upd_2", "stk_01")) },
			"by version": func(tx backend.Tx) error { _, err := tx.UpdateByVersion("stk_01", 9); return err },
			"its stack":  func(tx backend.Tx) error { return tx.CreateUpdate(run("upd_2", "stk_none")) },
		} {
			require.ErrorIs(t, s.Update(t.Context(), do), backend.ErrNotFound, name)
		}
		fails(t, s, backend.ErrExists, func(tx backend.Tx) error { return tx.CreateUpdate(run("upd_1", "stk_01")) })
	}},
	{"saving an update writes everything", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		want := backend.Update{ID: "upd_1", StackID: "stk_01", Kind: backend.KindDestroy, Status: backend.StatusInterrupted, Version: 3, StartedAt: at(9)}
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.SaveUpdate(want)) })
		require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.Update, error) { return tx.UpdateByVersion("stk_01", 3) }))
	}},
	{"history has pages, newest first", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			require.NoError(t, tx.CreateStack(stack(2)))
			for n := 1; n <= 12; n++ {
				// The ids do not have the order of the versions.
				it := backend.Update{ID: fmt.Sprintf("upd_%02d", 50-n), StackID: "stk_01", Version: int64(n), StartedAt: at(n), CreatedAt: at(n)}
				require.NoError(t, tx.CreateUpdate(it))
				other := it
				other.ID, other.StackID = it.ID+"x", "stk_02"
				require.NoError(t, tx.CreateUpdate(other))
			}
			require.NoError(t, tx.CreateUpdate(backend.Update{ID: "upd_created", StackID: "stk_01", CreatedAt: at(30)}))
			require.NoError(t, tx.CreateUpdate(backend.Update{ID: "upd_preview", StackID: "stk_01", DryRun: true, StartedAt: at(30), CreatedAt: at(30)}))
		})
		for _, c := range []struct {
			page, size int
			want       []string
		}{
			{1, 5, []string{"upd_38", "upd_39", "upd_40", "upd_41", "upd_42"}},
			{2, 5, []string{"upd_43", "upd_44", "upd_45", "upd_46", "upd_47"}},
			{3, 5, []string{"upd_48", "upd_49"}},
			{4, 5, nil},
			{1, 1, []string{"upd_38"}},
		} {
			require.Equal(t, c.want, ids(got(t, s, func(tx backend.Tx) ([]backend.Update, error) { return tx.History("stk_01", c.page, c.size) })))
		}
		require.Len(t, got(t, s, func(tx backend.Tx) ([]backend.Update, error) { return tx.History("stk_01", 1, 0) }), 12, "0 does not limit")
		require.Equal(t, "upd_43", got(t, s, func(tx backend.Tx) (backend.Update, error) { return tx.UpdateByVersion("stk_01", 7) }).ID)
	}},
	{"the latest previews, newest first", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			for n := range 5 {
				require.NoError(t, tx.CreateUpdate(backend.Update{ID: fmt.Sprintf("upd_%d", 9-n), StackID: "stk_01", DryRun: n != 3, CreatedAt: at(n)}))
			}
		})
		require.Equal(t, []string{"upd_5", "upd_7", "upd_8"}, ids(got(t, s, func(tx backend.Tx) ([]backend.Update, error) { return tx.LatestPreviews("stk_01", 3) })))
	}},
	{"running updates and expired leases", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			for _, u := range []backend.Update{
				{ID: "late", Status: backend.StatusRunning, LeaseExpiresAt: at(4)},
				{ID: "later", Status: backend.StatusRunning, LeaseExpiresAt: at(3)},
				{ID: "good", Status: backend.StatusRunning, LeaseExpiresAt: at(9)},
				{ID: "at once", Status: backend.StatusRunning, LeaseExpiresAt: at(5)},
				{ID: "done", Status: backend.StatusSucceeded, LeaseExpiresAt: at(1)},
				{ID: "created", Status: backend.StatusCreated},
				{ID: "no lease", Status: backend.StatusRunning},
				{ID: "dry", Status: backend.StatusRunning, DryRun: true, LeaseExpiresAt: at(2)},
			} {
				u.StackID = "stk_01"
				require.NoError(t, tx.CreateUpdate(u))
			}
		})
		expired := func(before time.Time, limit int) []string {
			return got(t, s, func(tx backend.Tx) ([]string, error) { return tx.Expired(before, limit) })
		}
		require.Equal(t, []string{"dry", "later", "late"}, expired(at(5), 10))
		require.Equal(t, []string{"dry", "later"}, expired(at(5), 2))
		require.Empty(t, expired(at(2), 10))
		require.Equal(t, int64(5), got(t, s, backend.Tx.Running))
	}},
}
