package runner

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Parent and child are killed at once, and nobody is left to remove the folder
// with the credentials: the next operation does, when the CLI has ended too, and
// not before.
func TestNextOperationRemovesWhatTheKilledLeft(t *testing.T) {
	temporary := private(t)
	f := serveFake(t)
	spec := slow(t, f)
	executable, err := os.Executable()
	require.NoError(t, err)
	parent := exec.Command(executable, parentCommand)
	stdin, err := parent.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	writeSpec(t, stdin, spec)
	await(t, "the create begins", f.begun)
	all := processes(t, parent.Process.Pid)
	child := all[1]
	require.Contains(t, child.args, ChildCommand)
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		// Stopped first, so that neither sees the other die.
		for _, pid := range []int{parent.Process.Pid, child.pid} {
			require.NoError(t, syscall.Kill(pid, signal))
		}
	}
	_ = parent.Wait()
	eventually(t, "the child is gone", func() bool { return !alive(child.pid) })
	require.True(t, alive(find(t, all, "pulumi").pid))

	left := onlyFolder(t, temporary)
	require.NotEmpty(t, filesCalled(t, left, "credentials.json"), "else there is nothing to see here")
	next := operation(t, nil, Preview, "fails", nil) // beside the update that goes on
	_, err = run(t, next)
	require.EqualError(t, err, "a program's own error")
	require.Equal(t, left, onlyFolder(t, temporary), "the CLI still uses it")
	require.NotEmpty(t, filesCalled(t, left, "credentials.json"))

	f.release()
	// A process whose first thread has ended may hold its files for a moment.
	eventually(t, "all processes end", func() bool {
		return !slices.ContainsFunc(all, func(p process) bool { return alive(p.pid) }) && unlocked(t, filepath.Join(left, "lock"))
	})
	require.Equal(t, left, onlyFolder(t, temporary), "nobody was there to remove it")
	_, err = run(t, next)
	require.EqualError(t, err, "a program's own error")
	requireEmpty(t, temporary)
	requireMadeOnce(t, f, spec)
}

// unlocked says whether nobody holds a lock.
func unlocked(t *testing.T, path string) bool {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// onlyFolder is what is in a folder.
func onlyFolder(t *testing.T, folder string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

// filesCalled are the files of that name below a folder.
func filesCalled(t *testing.T, folder, name string) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == name {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}
