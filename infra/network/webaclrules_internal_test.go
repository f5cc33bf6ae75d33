package network

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A web ACL over 1,500 units costs more, and over 5,000 is refused.
func TestManagedGroupsFitIntoTheWebAcl(t *testing.T) {
	t.Parallel()
	// IP set, rate, countries, and the login rate: a prefix match costs 2, each text transformation 10.
	const ours = 1 + 2 + 1 + (2 + 2 + 3*10)
	total := ours
	for _, g := range managedGroups {
		total += g.wcu
	}
	require.LessOrEqual(t, total, 1500)
}
