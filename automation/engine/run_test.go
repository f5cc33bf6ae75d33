package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/scripttest"
)

// scripted is a Command whose CLI is a shell script.
func scripted(t *testing.T, script string) *Command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pulumi")
	scripttest.Write(t, path, "#!/bin/sh\n"+script)
	return &Command{CLI: CLI{Executable: path}, Env: Inherit{}.Environment(), Folder: t.TempDir()}
}

func TestCommandGivesWhatTheCLIPrints(t *testing.T) {
	t.Parallel()
	c := scripted(t, `echo "$@"; echo "$X in $(pwd)" >&2; cat; exit 3`)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	var along bytes.Buffer
	out, errs, code, err := c.Run(t.Context(), dir, strings.NewReader("read"), []io.Writer{&along}, nil, []string{"X=y"}, "stack", "ls", "--", "-x")
	require.ErrorContains(t, err, "exit status 3")
	require.Equal(t, 3, code)
	require.Equal(t, "--non-interactive stack ls -- -x\nread", out)
	require.Equal(t, out, along.String(), "who reads along gets all of it")
	require.Equal(t, "y in "+dir+"\n", errs)
	left, err := os.ReadDir(c.Folder)
	require.NoError(t, err)
	require.Empty(t, left, "the output's files are removed")
}

func TestAMessageIsGivenAsItIs(t *testing.T) {
	t.Parallel()
	c := scripted(t, `for a in "$@"; do echo "[$a]"; done`)
	message := "as \"agreed\" on\nMonday: 10 % \\ ü"
	out, _, _, err := c.Run(t.Context(), t.TempDir(), nil, nil, nil, nil, "up", fmt.Sprintf("--message=%q", message), "--message=plain", "--x=\"y\"")
	require.NoError(t, err)
	require.Equal(t, "[--non-interactive]\n[up]\n[--message="+message+"]\n[--message=plain]\n[--x=\"y\"]\n", out)
}

// The CLI's folder comes first on PATH, and only the allowed variables follow.
func TestCommandEnvironment(t *testing.T) {
	t.Setenv("REDOUBT_CANARY", "canary")
	t.Setenv("AWS_PROFILE", "mine")
	t.Setenv("HTTPS_PROXY", "http://proxy.invalid")
	for _, row := range []struct {
		inherit      Inherit
		aws, network bool
	}{{Inherit{}, false, false}, {Inherit{AWS: true}, true, false}, {Inherit{Network: true}, false, true}} {
		c := scripted(t, "env")
		c.Env = row.inherit.Environment()
		out, _, _, err := c.Run(t.Context(), t.TempDir(), nil, nil, nil, []string{"PULUMI_X=1"})
		require.NoError(t, err)
		require.NotContains(t, out, "canary")
		require.Equal(t, row.aws, strings.Contains(out, "AWS_PROFILE=mine"))
		require.Equal(t, row.network, strings.Contains(out, "proxy.invalid"))
		require.Contains(t, out, "PULUMI_X=1\n")
		require.Contains(t, out, "PATH="+filepath.Dir(c.CLI.Executable)+":")
	}
}

// talk is with a CLI that says what happens to it and waits for an answer: not in a
// call that blocks, which a signal that comes just before it does not end.
type talk struct{ told, lets string }

func newTalk(t *testing.T) talk {
	t.Helper()
	k := talk{filepath.Join(t.TempDir(), "told"), filepath.Join(t.TempDir(), "lets")}
	require.NoError(t, syscall.Mkfifo(k.told, 0o600))
	return k
}

func (k talk) says(t *testing.T, want string) {
	t.Helper()
	text, err := os.ReadFile(k.told)
	require.NoError(t, err)
	require.Equal(t, want+"\n", string(text))
}

func (k talk) answer(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(k.lets, []byte("go\n"), 0o600))
}

// begin runs a CLI until it says that it is ready.
func (k talk) begin(ctx context.Context, t *testing.T, c *Command) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, _, _, err := c.Run(ctx, t.TempDir(), nil, nil, nil, nil)
		ended <- err
	}()
	k.says(t, "ready")
	return ended
}

// An interrupt is handed on once, and then the CLI has its time, unless it is
// ended by force.
func TestCommandWaitsAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		kill bool
		want error
	}{"waits": {false, nil}, "by force": {true, ErrKilled}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t)
			c := scripted(t, "trap 'echo interrupted > "+k.told+"' INT\necho ready > "+k.told+"\nuntil [ -e "+k.lets+" ]; do sleep 0.02; done\n")
			kill := make(chan struct{})
			c.Kill = kill
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := k.begin(ctx, t, c)
			cancel()
			k.says(t, "interrupted")
			require.Empty(t, ended)
			if row.kill {
				close(kill)
			} else {
				k.answer(t)
			}
			require.ErrorIs(t, <-ended, row.want)
		})
	}
}

// What the CLI writes down when the engine has ended is not interrupted: it would die
// of that, or never end.
func TestCommandConcludes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		interruptedBefore bool
		want              error
	}{"not interrupted": {false, nil}, "interrupted just before": {true, ErrKilled}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t)
			// The first interrupt is the last thing that it hears.
			c := scripted(t, "trap 'echo interrupted > "+k.told+"; while :; do sleep 1; done' INT\necho ready > "+k.told+"\nuntil [ -e "+k.lets+" ]; do sleep 0.02; done\n")
			concluded := make(chan struct{})
			c.Concluded, c.Conclusion = concluded, time.Millisecond
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := k.begin(ctx, t, c)
			if row.interruptedBefore {
				cancel()
				k.says(t, "interrupted")
				close(concluded)
			} else {
				close(concluded)
				cancel()
				k.answer(t)
			}
			require.ErrorIs(t, <-ended, row.want)
		})
	}
}

// An operation that was canceled before it began starts nothing.
func TestCommandDoesNotStartAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := scripted(t, "echo started")
	out, _, code, err := c.Run(ctx, t.TempDir(), nil, nil, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, unknownCode, code)
	require.Empty(t, out)
}

func TestOutputsAreMasked(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]any{"a": "x", "b": "[secret]", "c": map[string]any{"d": "[secret]"}}, masked(map[string]any{
		"a": "x",
		"b": map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"},
		"c": map[string]any{"d": map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}},
	}))
}
