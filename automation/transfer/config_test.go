package transfer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/transfer"
)

// Configuration files change hands with their stacks, and come back.
func TestConfigurationFiles(t *testing.T) {
	t.Parallel()
	const canary = "canary-configuration"
	address, _ := diy(t)
	source := newMachine(t, address, "", passphrase)
	file := filepath.Join(source.folder, "Pulumi.dev.yaml")
	source.fill(t, "dev", resources(t, "shop", "dev", 1, canary))
	source.run(t, canary+"\n", "config", "set", "--stack", "dev", "--secret", "password")
	source.run(t, canary+"\nline two\n\n", "config", "set", "--stack", "dev", "--secret", "--path", "db.users[0].key")
	source.run(t, "", "config", "set", "--stack", "dev", "--path", "db.host", "h")
	source.run(t, "", "config", "set", "--stack", "dev", "aws:region", "eu-west-1")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text = []byte("# Ours.\n" + strings.Replace(string(text), "config:\n", "config: # all of it\n", 1))
	require.NoError(t, os.WriteFile(file, text, 0o600))
	require.NoError(t, os.Chmod(file, 0o640))
	show := func(m *machine, stack string) string {
		return m.run(t, "", "config", "--json", "--show-secrets", "--open=false", "--stack", stack)
	}
	values := show(source, "dev")

	r := newRedoubt(t)
	opts := transfer.Options{
		From: transfer.Side{URL: address}, To: r.side(), All: true, DryRun: true,
		Passphrases: phrase(passphrase), ConfigDir: source.folder,
	}
	before := files(t, source.folder)
	dry := run(t, opts)
	require.Equal(t, &transfer.Config{
		File: file, Outcome: "would be rewritten", Secrets: 2, Removed: []string{"encryptionsalt"},
	}, dry.Stacks[0].Config)
	require.Equal(t, before, files(t, source.folder))

	opts.DryRun = false
	watch := watchFor(t, canary, passphrase, source.folder)
	moved := run(t, opts)
	watch()
	require.True(t, moved.OK, "%+v", moved.Stacks[0].Config)
	require.Equal(t, file+".before-transfer", moved.Stacks[0].Config.Backup)
	backup, err := os.ReadFile(file + ".before-transfer")
	require.NoError(t, err)
	require.Equal(t, string(text), string(backup))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(written), "# Ours.\n")
	require.Contains(t, string(written), "config: # all of it\n")
	require.NotContains(t, string(written), "encryptionsalt")
	target := newMachine(t, r.url, r.token, "")
	target.folder = source.folder
	require.Equal(t, values, show(target, "acme/shop/dev"))

	again := run(t, opts)
	require.True(t, again.OK, "%+v", again.Stacks[0].Config)
	require.Equal(t, "already for the target", again.Stacks[0].Config.Outcome)

	const other = "another passphrase"
	backAddress, _ := diy(t)
	back := transfer.Options{From: r.side(), To: transfer.Side{URL: backAddress}, All: true, Passphrases: phrase(other), ConfigDir: source.folder}
	watch = watchFor(t, canary, other, source.folder)
	out := run(t, back)
	watch()
	require.True(t, out.OK, "%+v", out.Stacks[0].Config)
	require.Equal(t, file+".before-transfer-2", out.Stacks[0].Config.Backup)
	end := newMachine(t, backAddress, "", other)
	end.folder = source.folder
	require.Equal(t, values, show(end, "dev"))
	require.Equal(t, "already for the target", run(t, back).Stacks[0].Config.Outcome)
}

func TestConfigurationFilesThatAreLeftAlone(t *testing.T) {
	t.Parallel()
	address, _ := diy(t)
	source := newMachine(t, address, "", passphrase)
	source.run(t, "", "stack", "init", "dev", "--no-select")
	r := newRedoubt(t)
	file := filepath.Join(source.folder, "Pulumi.dev.yaml")
	for name, c := range map[string]struct{ text, want string }{
		"broken":              {"config: [", "it is not YAML"},
		"another passphrase":  {"encryptionsalt: v1:fyOu1qziqyY=:v1:txlRLPbpTnVR7rUf:EcsUdjSV0ktuF2Gw6kL4jDqiUFfLTQ==\nconfig:\n  shop:a:\n    secure: v1:j4DpD+m4kq30c8uh:4LybSaEjN3CqoNR1vTib1ldGi5TeySA=\n", "incorrect passphrase"},
		"nobody's encryption": {"config:\n  shop:a:\n    secure: AAAA\n", "cannot be decrypted"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
		report := run(t, transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, Passphrases: phrase(passphrase), ConfigDir: source.folder})
		require.False(t, report.OK, name)
		require.Contains(t, report.Stacks[0].Config.Problem, c.want, name)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, c.text, string(text), name)
	}
	require.NoError(t, os.Remove(file))
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, ConfigDir: source.folder}
	require.Equal(t, "there is no file", run(t, opts).Stacks[0].Config.Outcome)
	opts.ConfigDir = t.TempDir()
	require.Contains(t, run(t, opts).Stacks[0].Config.Problem, "no Pulumi.yaml of project shop")
}
