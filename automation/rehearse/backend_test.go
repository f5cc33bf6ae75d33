package rehearse

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// A rehearsal's backend gives each stack a token that is for nothing else, and
// leaves nothing behind.
func TestServiceKeepsStacksApartAndLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	s, err := startService(t.Context())
	require.NoError(t, err)
	kept, err := s.backend(t.Context(), "dev")
	require.NoError(t, err)
	caller, err := s.server.Service().Authenticate(t.Context(), kept.Token)
	require.NoError(t, err)
	require.True(t, caller.May(backend.Apply, backend.StackName{Org: organization, Project: "shop", Stack: "dev"}))
	require.False(t, caller.May(backend.Read, backend.StackName{Org: organization, Project: "shop", Stack: "prod"}))
	require.NoError(t, s.close())
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
