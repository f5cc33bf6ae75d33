package response_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/response"
)

// The whole definition, for readers and for Workflow Studio. UPDATE_GOLDEN=1
// writes it again.
func TestDefinitionIsTheGoldenFile(t *testing.T) {
	t.Parallel()
	const path = "testdata/definition.asl.json"
	m, err := response.Definition(args())
	require.NoError(t, err)
	text, err := m.JSON()
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, []byte(text), "", "  "))
	pretty.WriteByte('\n')
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		require.NoError(t, os.WriteFile(path, pretty.Bytes(), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run with UPDATE_GOLDEN=1")
	require.Equal(t, string(want), pretty.String())
}
