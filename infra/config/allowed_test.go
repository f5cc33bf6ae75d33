package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/config"
)

// The reference says what the validation's errors say.
func TestAllowedValuesInWords(t *testing.T) {
	t.Parallel()
	allowed := config.AllowedValues()
	for field, want := range map[string]string{
		"network.nat":                "one of none, single, perAZ",
		"edge.shield.response":       "one of empty, count, block",
		"edge.rateLimit":             "10 to 2000000000",
		"database.minAcu":            "0.5 to 256",
		"alerting.channels[].levels": "one of high, medium, low",
	} {
		require.Equal(t, want, allowed[field].String(), field)
	}
	require.Contains(t, allowed["logs.flowDays"].OneOf, "365")
	require.NotContains(t, allowed["logs.flowDays"].OneOf, "8")
	require.NotContains(t, allowed, "network.cidr", "its comment says more")
}
