package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLongestGapOfASchedule(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		days  int
		exact bool
	}{
		"rate(30 days)":              {30, true},
		"rate(1 day)":                {1, true},
		"rate(36 hours)":             {2, true},
		"cron(0 8 1 * ? *)":          {31, true},
		"cron(0 8 1 1/3 ? *)":        {92, true},
		"cron(0 8 1 */2 ? *)":        {62, true},
		"cron(0 8 1 JAN,JUL ? *)":    {184, true},
		"cron(0 8 15 3 ? *)":         {366, true},
		"cron(0 8 ? * SUN *)":        {7, false},
		"cron(0 8 ? * SUN#1 *)":      {37, false},
		"cron(0 8 L * ? *)":          {37, false},
		"cron(0 8 31 * ? *)":         {62, false},
		"cron(0 8 1,15 1/6 ? *)":     {190, false},
		"cron(0 8 ? JAN-MAR MON *)":  {306, false},
		"cron(0 /4 1 1,4,7,10 ? * )": {92, true},
	} {
		days, exact, ok := longestGap(text)
		require.True(t, ok, text)
		require.Equal(t, want.days, days, text)
		require.Equal(t, want.exact, exact, text)
	}
	for _, text := range []string{
		"", "30 days", "rate(30)", "rate(0 days)", "rate(2 weeks)", "cron(0 8 1 * ?)", "cron(0 8 1 * ? 2030)",
		"cron(0 8 1 13 ? *)", "cron(0 8 1 1/x ? *)", "cron(0 8 1 5-2 ? *)",
	} {
		_, _, ok := longestGap(text)
		require.False(t, ok, text)
	}
}
