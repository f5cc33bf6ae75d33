package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/internal/openapi"
)

func TestOpenAPIIsFresh(t *testing.T) {
	t.Parallel()
	now, err := api.Document()
	require.NoError(t, err)
	require.Equal(t, document(t, "openapi.json"), string(now), "go run ./internal/apigen")
}

// What was released stays: clients that were made of it go on working.
func TestNothingBreaksReleasedClients(t *testing.T) {
	t.Parallel()
	released, err := openapi.Read("../../docs/openapi.released.json")
	require.NoError(t, err)
	now, err := openapi.Read("../../docs/openapi.json")
	require.NoError(t, err)
	require.Empty(t, openapi.Breaking(released, now), "add beside what there is, or make it /v2")
}

func TestOpenAPIIsServed(t *testing.T) {
	t.Parallel()
	w := open(t)
	got := w.ask(t, "", "GET", "/v1/openapi.json", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	served, err := openapi.Parse(got.body)
	require.NoError(t, err)
	n := 0
	for path, methods := range served.Paths {
		for method, op := range methods {
			require.NotEmpty(t, op.ID)
			require.NotEmpty(t, op.Summary)
			require.Contains(t, api.Routes(), strings.ToUpper(method)+" "+path)
			n++
		}
	}
	require.Len(t, api.Routes(), n)
}
