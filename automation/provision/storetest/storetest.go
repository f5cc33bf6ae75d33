// Package storetest says what a provision.Store means, by tests that each
// implementation must pass:
//
//	func TestProvisioning(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) provision.Store { … a new, empty store … })
//	}
//
// What the backend's part of a transaction means, package storetest of backend says.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// test is one meaning. Each gets a store of its own.
type test struct {
	name string
	run  func(t *testing.T, s provision.Store)
}

// Run runs the suite. open opens an empty store and sees to its end.
func Run(t *testing.T, open func(testing.TB) provision.Store) {
	t.Helper()
	for _, c := range slices.Concat(
		transactionTests, projectTests, environmentTests, operationTests, queueTests, claimTests, eventTests, historyTests,
		approvalTests, waiverTests, bindingTests, webhookTests, deliveryTests, replyTests, sessionTests,
		checkpointTests, figureTests, concurrencyTests,
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
func update(t testing.TB, s provision.Store, write func(tx provision.Tx)) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), func(tx provision.Tx) error {
		write(tx)
		return nil
	}))
}

// got is a lookup that must succeed.
func got[T any](t testing.TB, s provision.Store, look func(provision.Tx) (T, error)) T {
	t.Helper()
	var found T
	require.NoError(t, s.View(t.Context(), func(tx provision.Tx) (err error) {
		found, err = look(tx)
		return err
	}))
	return found
}

// fails requires a transaction to fail with an error.
func fails(t testing.TB, s provision.Store, want error, write func(provision.Tx) error) {
	t.Helper()
	require.ErrorIs(t, s.Update(t.Context(), write), want)
}

// missing requires each of the calls to find nothing.
func missing(t testing.TB, s provision.Store, want error, calls map[string]func(provision.Tx) error) {
	t.Helper()
	for name, call := range calls {
		require.ErrorIs(t, s.Update(t.Context(), call), want, name)
	}
}

// failing drops a result.
func failing[T any](_ T, err error) error { return err }

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
