package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/built"
	"redoubt/internal/languagehost"
	"redoubt/internal/rehearsal"
)

// The plain way: the stock CLI on the committed Pulumi.yaml, with a language
// runtime and a provider attached instead of downloaded plugins.
func TestStockCLIPreviewsTheCommittedProject(t *testing.T) {
	t.Parallel()
	pack, err := built.Pack()
	require.NoError(t, err)
	root := moduleRoot(t)
	for _, stack := range []string{"dev", "prod"} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			cli := newCLI(t, root, languagehost.Options{Programs: map[string]string{filepath.Join(root, "infra"): program(t)}})
			cli.run(t, "stack", "init", stack)
			out := cli.run(t, "preview", "--stack", stack, "--policy-pack", pack)
			require.Contains(t, out, "aws:rds:Cluster", "the preview lists resources")
			require.Contains(t, out, "to create")
			require.NotContains(t, out, "mandatory")
		})
	}
}

// `--policy-pack policy`: the folder with PulumiPolicy.yaml, compiled by the
// language runtime.
func TestStockCLIRunsThePolicyFolder(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	cli := newCLI(t, root, languagehost.Options{Programs: map[string]string{filepath.Join(root, "infra"): program(t)}})
	cli.run(t, "stack", "init", "dev")
	out := cli.run(t, "preview", "--stack", "dev", "--policy-pack", filepath.Join(root, "policy"))
	require.Contains(t, out, "redoubt", "the pack is named in the output")
	require.Contains(t, out, "to create")
}

// A misspelt key ends in one clear message of the program, through the CLI.
func TestStockCLIShowsEveryConfigurationFinding(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	cli := newCLI(t, root, languagehost.Options{Programs: map[string]string{filepath.Join(root, "infra"): program(t)}})
	cli.run(t, "stack", "init", "dev")
	cli.run(t, "config", "set", "--stack", "dev", "--path", "redoubt:network.cidr", "10.0.0.0/30")
	cli.run(t, "config", "set", "--stack", "dev", "redoubt:netwrok", "x")
	out, err := cli.try("preview", "--stack", "dev")
	require.Error(t, err)
	require.Contains(t, out, `redoubt:network.cidr: /30 is out of range (/16 to /22)`)
	require.Contains(t, out, `redoubt:netwrok: there is no such key (did you mean "network"?)`)
}

// cli is the stock CLI in a copy of the project's files, with a backend of its own.
type cli struct {
	exe, folder string
	env         []string
}

func newCLI(t *testing.T, root string, opts languagehost.Options) *cli {
	t.Helper()
	ctx := t.Context()
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	// The servers outlive the test's context: it ends before the clean-up runs.
	ctx = context.WithoutCancel(ctx)
	provider, err := rehearsal.Serve(ctx, account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, provider.Close()) })
	language, err := languagehost.Serve(ctx, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, language.Close()) })

	folder := t.TempDir()
	for _, name := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		text = []byte(strings.ReplaceAll(string(text), "main: infra", "main: "+filepath.Join(root, "infra")))
		if name != "Pulumi.yaml" {
			text = append(text, "  redoubt:functions:\n    dir: "+filepath.Join(root, "dist", "functions")+"\n"...)
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(folder, "state"), 0o700))
	return &cli{
		exe: cliPath(t, root), folder: folder,
		env: append(os.Environ(), provider.Env(), language.Env(),
			"PATH="+language.Folder()+string(os.PathListSeparator)+os.Getenv("PATH"),
			"PULUMI_HOME="+filepath.Join(folder, "home"),
			"PULUMI_BACKEND_URL=file://"+filepath.Join(folder, "state"),
			"PULUMI_CONFIG_PASSPHRASE=for this test",
			"PULUMI_SKIP_UPDATE_CHECK=true",
			"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true"),
	}
}

func (c *cli) try(args ...string) (string, error) {
	cmd := exec.Command(c.exe, append(args, "--non-interactive", "--color", "never")...)
	cmd.Dir, cmd.Env = c.folder, c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *cli) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(args...)
	require.NoError(t, err, "pulumi %s\n%s", strings.Join(args, " "), out)
	return out
}

// cliPath is the CLI that `make tools` built, or the one on PATH where that is
// new enough for it not to have built one.
func cliPath(t *testing.T, root string) string {
	t.Helper()
	ours := filepath.Join(root, "bin", "pulumi")
	if _, err := os.Stat(ours); err == nil {
		return ours
	}
	onPath, err := exec.LookPath("pulumi")
	require.NoError(t, err, "no Pulumi CLI: run make tools")
	return onPath
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	return root
}

// programName makes the test binary the program: it is linked once.
const programName = "infra-program"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == programName {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is the executable of the committed project.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), programName)
	require.NoError(t, os.Symlink(self, path))
	return path
}
