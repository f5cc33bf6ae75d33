package pulumiapi_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/clitest"
	"redoubt/internal/languagehost"
	"redoubt/internal/rehearsal"
)

// clisVariable names more CLIs to run the conformance story with, as paths
// separated like those of PATH: releases that people still have. For example:
//
//	REDOUBT_PULUMI_CLIS=/opt/pulumi-3.250.0/pulumi go test -run Conformance ./automation/pulumiapi
const clisVariable = "REDOUBT_PULUMI_CLIS"

// clis are the executables that the story is run with.
func clis(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(append([]string{clitest.Path(t)}, filepath.SplitList(os.Getenv(clisVariable))...), func(s string) bool { return s == "" })
}

// laptop is somebody's machine: the stock CLI with a home of its own, a project,
// a language runtime and a provider that are attached instead of downloaded.
type laptop struct {
	exe, folder, home string
	env               []string
}

const passphrase = "for this test"

const projectFile = "name: shop\nruntime: go\ndescription: What the conformance story deploys\n"

// newLaptop gives a person a machine with a token. env is added to the CLI's
// environment.
func newLaptop(t *testing.T, exe, token string, env ...string) *laptop {
	t.Helper()
	// The servers outlive the test's context: it ends before the clean-up runs.
	ctx := context.WithoutCancel(t.Context())
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	provider, err := rehearsal.Serve(ctx, account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, provider.Close()) })

	l := &laptop{exe: exe, folder: filepath.Join(t.TempDir(), "project"), home: filepath.Join(t.TempDir(), "home")}
	pack := l.path("pack")
	require.NoError(t, os.MkdirAll(pack, 0o700))
	program, err := link(t.TempDir(), programName)
	require.NoError(t, err)
	analyzer, err := link(t.TempDir(), packName)
	require.NoError(t, err)
	// The pack runs from its source when it is published, and from where the CLI
	// unpacks it when it is required.
	installed := filepath.Join(l.home, "policies", org, "pulumi-analyzer-shop-rules-v1.2.3")
	language, err := languagehost.Serve(ctx, languagehost.Options{Programs: map[string]string{l.folder: program, pack: analyzer, installed: analyzer}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, language.Close()) })

	l.write(t, "Pulumi.yaml", projectFile)
	l.write(t, "pack/PulumiPolicy.yaml", "runtime: go\nversion: 1.2.3\n")
	l.env = clitest.Environment(l.home, provider.Env(), language.Env(),
		"PATH="+language.Folder()+string(os.PathListSeparator)+os.Getenv("PATH"),
		"PULUMI_ACCESS_TOKEN="+token, "PULUMI_CONFIG_PASSPHRASE="+passphrase)
	l.env = append(l.env, env...)
	return l
}

func (l *laptop) path(name string) string { return filepath.Join(l.folder, name) }

func (l *laptop) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(l.path(name), []byte(text), 0o600))
}

// try runs the CLI in the project's folder.
func (l *laptop) try(args ...string) (string, error) {
	return l.tryIn(l.folder, args...)
}

func (l *laptop) tryIn(folder string, args ...string) (string, error) {
	cmd := exec.Command(l.exe, append(args, "--non-interactive", "--color", "never")...)
	// `change-secrets-provider passphrase` reads the new one from here.
	cmd.Dir, cmd.Env, cmd.Stdin = folder, l.env, strings.NewReader(passphrase+"\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs the CLI and wants it to succeed.
func (l *laptop) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := l.try(args...)
	require.NoError(t, err, "pulumi %s\n%s", strings.Join(args, " "), out)
	return out
}

// fail runs the CLI and wants it to fail.
func (l *laptop) fail(t *testing.T, args ...string) string {
	t.Helper()
	out, err := l.try(args...)
	require.Error(t, err, "pulumi %s\n%s", strings.Join(args, " "), out)
	return out
}
