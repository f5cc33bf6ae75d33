package buckets

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestTheLeastRecentlyUsedIsForgotten(t *testing.T) {
	t.Parallel()
	const most = 3
	s, now := New(rate.Every(time.Hour), 2, most), time.Now()
	require.Nil(t, s.Seen("a"))
	require.True(t, s.Use("a").AllowN(now, 2))
	require.False(t, s.Use("a").AllowN(now, 1), "it is the same bucket")
	require.Same(t, s.Use("a"), s.Seen("a"))
	for i := range 2 * most {
		s.Use(strconv.Itoa(i))
		s.Use("a")
		require.Len(t, s.by, min(i+2, most))
		require.Equal(t, len(s.by), s.Len(), "what is forgotten is found nowhere")
	}
	require.False(t, s.Use("a").AllowN(now, 1), "what is used is not forgotten")
	require.Nil(t, s.Seen("0"))
	require.NotNil(t, s.Seen(strconv.Itoa(2*most-1)))
}
