package runner

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A panic where nothing recovers ends the child alone, and its words are the
// error; what was made is in the state, and the stack is free.
func TestPanicEndsTheChildOnly(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := operation(t, f, Up, "panics", nil)
	_, err := run(t, spec)
	require.Equal(t, CodePanic, CodeOf(err), err)
	require.ErrorContains(t, err, "a program's own words")
	require.NotContains(t, err.Error(), "goroutine")
	spec.Blueprint = "things"
	_, err = run(t, spec.with("things", "1"))
	require.NoError(t, err)
	require.Equal(t, 1, f.count("t0"), "it was made twice")
}

// The child is killed: the CLI finishes what it has begun, writes it down, and
// frees the stack; nobody reads its output, and it does not mind.
func TestChildDies(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := slow(t, f)
	op := start(t, spec)
	await(t, "the create begins", f.begun)
	require.NoError(t, syscall.Kill(op.PID(), syscall.SIGKILL))
	eventually(t, "the child is gone", func() bool { return !alive(op.PID()) })
	f.release()
	_, err := op.Wait()
	require.Equal(t, CodeLost, CodeOf(err), err)
	requireMadeOnce(t, f, spec)
}

// The CLI is killed: the operation says so, and nothing is left of it.
func TestCLIDies(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	op := start(t, slow(t, f))
	await(t, "the create begins", f.begun)
	require.NoError(t, syscall.Kill(find(t, processes(t, op.PID()), "pulumi").pid, syscall.SIGKILL))
	_, err := op.Wait()
	require.Equal(t, CodeLost, CodeOf(err), err)
	require.ErrorContains(t, err, "refresh")
}

// The parent is killed: the child notices, cancels, waits for what has begun,
// and removes the folder.
func TestParentDies(t *testing.T) {
	folder := private(t)
	f := serveFake(t)
	spec := slow(t, f)
	executable, err := os.Executable()
	require.NoError(t, err)
	parent := exec.Command(executable, parentCommand)
	var said bytes.Buffer
	parent.Stderr = &said
	stdin, err := parent.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	writeSpec(t, stdin, spec)
	await(t, "the create begins", f.begun)
	all := processes(t, parent.Process.Pid)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	await(t, "the provider is told", f.canceled)
	f.release()
	eventually(t, "all processes end", func() bool {
		for _, p := range all {
			if alive(p.pid) {
				return false
			}
		}
		return true
	})
	requireEmpty(t, folder)
	requireMadeOnce(t, f, spec)
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
