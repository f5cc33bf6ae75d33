package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The CLI downloads no plugin, unless it is told that it may.
func TestPluginsAreDownloadedOnlyWhereThatIsSaid(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for acquire, want := range map[bool]string{false: "true", true: "false"} {
		f, claim, err := MakeFolder(OperationFolder)
		require.NoError(t, err)
		env, err := f.Variables("", acquire)
		require.NoError(t, err)
		require.Equal(t, want, env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"])
		plugins := filepath.Join(t.TempDir(), "plugins")
		require.NoError(t, f.SharePlugins(plugins, acquire))
		_, err = os.Stat(plugins)
		require.Equal(t, acquire, err == nil, "a folder is made only for what is downloaded")
		require.NoError(t, f.Remove())
		require.NoError(t, claim.Close())
	}
}
