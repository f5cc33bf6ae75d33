package runner

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What each process of an operation can see of the environment, and what others
// can see of its processes and files.
func TestWhatProcessesSee(t *testing.T) {
	folder := private(t)
	t.Setenv("REDOUBT_CANARY", "canary-in-the-environment")
	t.Setenv("DATABASE_PASSWORD", "canary-in-the-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "aws-canary")
	t.Setenv("HTTPS_PROXY", "http://proxy-canary.invalid")
	t.Setenv("NO_PROXY", "localhost,127.0.0.1")
	// The CLI starts this provider itself.
	plugins := t.TempDir()
	executable, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(executable, filepath.Join(plugins, pluginName)))
	t.Setenv("PATH", plugins+string(os.PathListSeparator)+os.Getenv("PATH"))

	for _, row := range []struct {
		name         string
		aws, network bool
	}{{"nothing", false, false}, {"AWS", true, false}, {"network", false, true}} {
		t.Run(row.name, func(t *testing.T) {
			f := serveFake(t)
			spec := operation(t, f, Up, "plugin", nil).encrypted(t, "secret", "hush-4711", "open-sesame")
			spec.Inherit.AWS, spec.Inherit.Network = row.aws, row.network
			op := start(t, spec)
			await(t, "the create begins", f.begun)
			all := processes(t, op.PID())
			find(t, all, "pulumi")
			find(t, all, pluginName)
			require.GreaterOrEqual(t, len(all), 3)
			for _, p := range all {
				require.NotEmpty(t, p.environ, p.name)
				require.NotContains(t, p.environ, "canary-in-the-environment", p.name)
				require.Equal(t, row.aws && p.pid != op.PID(), strings.Contains(p.environ, "aws-canary"), p.name)
				require.Equal(t, row.network && p.pid != op.PID(), strings.Contains(p.environ, "proxy-canary"), p.name)
				for _, secret := range []string{spec.Backend.Token, "hush-4711", "open-sesame", canary} {
					require.NotContains(t, p.args, secret, p.name)
					if secret != spec.Backend.Token {
						require.NotContains(t, p.environ, secret, p.name)
					}
				}
			}
			require.NotContains(t, all[0].environ, spec.Backend.Token, "the child gets what it is told by the pipe")
			requirePrivate(t, string(op.folder), spec)
			f.release()
			_, err := op.Wait()
			require.NoError(t, err)
		})
	}
	requireEmpty(t, folder)
}

// requirePrivate looks at the files of an operation that runs.
func requirePrivate(t *testing.T, folder string, spec Spec) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if path == folder {
			require.Zero(t, info.Mode().Perm()&0o077, "%s is for its owner alone", path)
		}
		if d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		require.NoError(t, err)
		require.NotContains(t, string(text), "hush-4711", name)
		if name != "passphrase" {
			require.NotContains(t, string(text), "open-sesame", name)
		}
		if name != filepath.Join("home", "credentials.json") {
			require.NotContains(t, string(text), spec.Backend.Token, name)
		}
		return nil
	}))
}
