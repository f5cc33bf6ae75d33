package operate

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/internal/scripttest"
	"redoubt/policy/exempt"
	"redoubt/policy/profile"
)

func TestAPackSaysWhichPoliciesItHas(t *testing.T) {
	t.Parallel()
	pack, err := engine.Sibling("redoubt-policy")
	require.NoError(t, err)
	p := &Policies{Pack: pack}
	names, err := p.Names(t.Context())
	require.NoError(t, err)
	require.Contains(t, names, "s3-cross-region-replication")
	require.NotContains(t, names, exempt.Policy)
	require.NotContains(t, names, profile.Policy)
	require.IsIncreasing(t, names)
	again, err := p.Names(t.Context())
	require.NoError(t, err)
	require.Equal(t, names, again)
}

func TestAPackThatDoesNotAnswerHasNoPolicies(t *testing.T) {
	t.Parallel()
	for script, why := range map[string]string{
		"exit 0": "before it has said where it listens", "echo hello": "is no port", "echo 70000": "is no port",
	} {
		pack := filepath.Join(t.TempDir(), "pack")
		scripttest.Write(t, pack, "#!/bin/sh\n"+script+"\n")
		_, err := (&Policies{Pack: pack}).Names(t.Context())
		require.ErrorContains(t, err, why)
	}
	_, err := (&Policies{Pack: filepath.Join(t.TempDir(), "none")}).Names(t.Context())
	require.Equal(t, provision.CodeEngineUnavailable, provision.CodeOf(err))
}
