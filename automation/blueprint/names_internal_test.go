package blueprint

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPhysicalPrefixes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ project, stack, begins string }{
		{"shop", "orders", "shop-orders-"},
		{"a-very-long-project", "orders-of-today", "orders-of-today-"},
		{"shop", "a-stack-whose-name-is-too-long", "a-stack-whose-name-"},
		{"1st", "Stack_2", "s-1st-stack-2-"},
		{"internal", "x", "s-internal-x-"},
		{"--", "__", "s-"},
	} {
		got := physicalPrefix("acme", tc.project, tc.stack, prefixLength)
		require.True(t, strings.HasPrefix(got, tc.begins), "%s", got)
		require.Len(t, strings.TrimPrefix(got, tc.begins), hashLength, "%s", got)
	}
	require.NotEqual(t, physicalPrefix("o", "a-b", "c", prefixLength), physicalPrefix("o", "a", "b-c", prefixLength))
	require.NotEqual(t, physicalPrefix("o", "a", "b", prefixLength), physicalPrefix("p", "a", "b", prefixLength))
}

func TestPhysicalPrefixesAlwaysFit(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	r := rand.New(rand.NewPCG(3, 4))
	const letters = "abcXYZ019-_.é"
	word := func() string {
		var b strings.Builder
		for range r.IntN(60) {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	for range 5000 {
		project, stack := word(), word()
		for _, length := range []int{prefixLength, serviceNameLength, wholeNameLength} {
			got := physicalPrefix("acme", project, stack, length)
			require.Regexp(t, form, got, "%q %q", project, stack)
			require.LessOrEqual(t, len(got), length)
		}
	}
}
