// Package storetest says what a backend.Store means, by tests that each
// implementation must pass:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) backend.Store { … a new, empty store … })
//	}
package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// test is one meaning. Each gets a store of its own.
type test struct {
	name string
	run  func(t *testing.T, s backend.Store)
}

// Run runs the suite. open opens an empty store and sees to its end.
func Run(t *testing.T, open func(testing.TB) backend.Store) {
	t.Helper()
	for _, c := range slices.Concat(
		transactionTests, concurrencyTests, organizationTests, stackTests, stateTests, updateTests, pruneTests,
		journalTests, eventTests, keyTests, tokenTests, packTests, auditTests, textTests,
	) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// wait is how long something may take that takes no time.
const wait = 30 * time.Second

// update runs a transaction that must succeed.
func update(t testing.TB, s backend.Store, write func(tx backend.Tx)) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), func(tx backend.Tx) error {
		write(tx)
		return nil
	}))
}

// view reads.
func view(t testing.TB, s backend.Store, read func(tx backend.Tx)) {
	t.Helper()
	require.NoError(t, s.View(t.Context(), func(tx backend.Tx) error {
		read(tx)
		return nil
	}))
}

// got is a lookup that must succeed.
func got[T any](t testing.TB, s backend.Store, look func(backend.Tx) (T, error)) T {
	t.Helper()
	var found T
	require.NoError(t, s.View(t.Context(), func(tx backend.Tx) (err error) {
		found, err = look(tx)
		return err
	}))
	return found
}

// fails requires a transaction to fail with an error, and tells which.
func fails(t testing.TB, s backend.Store, want error, write func(backend.Tx) error) {
	t.Helper()
	require.ErrorIs(t, s.Update(t.Context(), write), want)
}

// deadline ends what hangs.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	t.Cleanup(cancel)
	return ctx
}

// at is a moment, to the microsecond.
func at(minutes int) time.Time {
	return time.Date(2026, 3, 1, 12, minutes, 0, 123_456_000, time.UTC)
}

// stack has all that a stack can have.
func stack(n int) backend.Stack {
	return backend.Stack{
		ID:             fmt.Sprintf("stk_%02d", n),
		Name:           backend.StackName{Org: "Acme", Project: "Shop", Stack: fmt.Sprintf("Prod-%02d", n)},
		Tags:           map[string]string{"team": "payments", "ünïcode": "日本 🦊 \"'\\"},
		Protected:      true,
		Version:        7,
		Resources:      901,
		PendingCreates: 2,
		RestoredAt:     at(n + 2),
		ActiveUpdate:   "upd_x",
		Fence:          12,
		CreatedAt:      at(n),
		UpdatedAt:      at(n + 1),
	}
}

// run is an update of a stack with all that an update can have.
func run(id, stackID string) backend.Update {
	return backend.Update{
		ID: id, StackID: stackID, Kind: backend.KindUpdate, Status: backend.StatusRunning,
		Version: 8, BaseVersion: 7, Journaled: true, Fence: 12,
		TokenHashes:    [][]byte{{1, 2, 0}, {255}},
		LeaseExpiresAt: at(5), Principal: "alice", Message: "größer\nals 🐘",
		Environment:  map[string]string{"git.head": "abc", "ci": ""},
		SealedConfig: []byte{0, 1, 2}, Changes: map[string]int{"create": 3, "same": 1}, Resources: 4,
		Policies: []backend.RequiredPack{{Name: "redoubt", Version: 2, Tag: "1.2.0", Evaluated: true, Reported: true}},
		Stepped:  true, Touched: true, Compliant: true, PendingOperations: 3, LeftOut: 2,
		CreatedAt: at(1), StartedAt: at(2), CompletedAt: at(3),
	}
}

// withUpdate is a store with a stack and an update of it.
func withUpdate(t testing.TB, s backend.Store) (stackID, updateID string) {
	t.Helper()
	update(t, s, func(tx backend.Tx) {
		require.NoError(t, tx.CreateStack(stack(1)))
		require.NoError(t, tx.CreateUpdate(run("upd_1", "stk_01")))
	})
	return "stk_01", "upd_1"
}
