package identity

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	f := newFailures()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.now = func() time.Time { return now }
	for range failureBurst {
		require.NoError(t, f.check("192.0.2.1"))
		f.add("192.0.2.1")
	}
	require.Equal(t, provision.CodeQuotaExceeded, provision.CodeOf(f.check("192.0.2.1")))
	require.Equal(t, provision.CodeQuotaExceeded, provision.CodeOf(f.check("::ffff:192.0.2.1")))
	require.NoError(t, f.check("192.0.2.2"))
	now = now.Add(failureEvery)
	require.NoError(t, f.check("192.0.2.1"))

	// Bounded memory: those that failed longest ago are forgotten.
	for i := range 3 * addressLimit {
		f.add(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	require.Equal(t, addressLimit, f.by.Len())
	f.add("no address")
	require.Equal(t, addressLimit, f.by.Len())
}
