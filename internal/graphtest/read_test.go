package graphtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/graphtest"
)

// What is read is what was run: the same file, and the same ids.
func TestReadGivesBackTheGraph(t *testing.T) {
	t.Parallel()
	ran := graphtest.Run(t, program)
	path := filepath.Join(t.TempDir(), "golden.json")
	require.NoError(t, os.WriteFile(path, ran.JSON(), 0o600))
	read, err := graphtest.Read(path)
	require.NoError(t, err)
	require.Equal(t, string(ran.JSON()), string(read.JSON()))
	require.Equal(t, ran.Tree(), read.Tree())
	for i, r := range read.Resources {
		require.Equal(t, ran.Resources[i].URN, r.URN)
		require.Equal(t, ran.Resources[i].ID, r.ID)
	}
	require.Equal(t, ran.Only(policyType).Input("policy"), read.Only(policyType).Input("policy"))
}

func TestReadSaysWhatIsNoGoldenFile(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Read("no-such.json")
	require.ErrorContains(t, err, "no-such.json")
	_, err = graphtest.Read("read.go")
	require.ErrorContains(t, err, "golden file read.go")
}
