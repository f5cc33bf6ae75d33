package main

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
)

func TestEndpointIsAHostName(t *testing.T) {
	t.Parallel()
	settings := aws.Config{Region: "eu-central-1"}
	for _, tc := range []struct{ host, want string }{
		{"", "SEARCH_ENDPOINT: empty"},
		{"http://search.example", "without a scheme"},
		{"search.example/_dashboards", "without a scheme or a path"},
	} {
		_, err := newDomain(func(string) string { return tc.host }, settings)
		require.ErrorContains(t, err, tc.want)
	}
	d, err := newDomain(func(string) string { return "vpc-logs.eu-central-1.es.amazonaws.com" }, settings)
	require.NoError(t, err)
	require.Equal(t, "https://vpc-logs.eu-central-1.es.amazonaws.com", d.Endpoint)
	require.Equal(t, "eu-central-1", d.Region)
}
