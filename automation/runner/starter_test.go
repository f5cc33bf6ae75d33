package runner

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/scripttest"
)

// starter is one that a test ends.
func starter(t *testing.T, idle time.Duration) *Starter {
	t.Helper()
	s := NewStarter(idle)
	t.Cleanup(s.Close)
	return s
}

// waiting is the process that waits, once it does.
func (s *Starter) waiting(t *testing.T) (found *prepared) {
	t.Helper()
	eventually(t, "a process waits", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.spare != nil {
			found = s.spare.prepared
		}
		return found != nil
	})
	return found
}

// runs runs an operation and returns its process.
func (s *Starter) runs(t *testing.T, spec Spec) (pid int) {
	t.Helper()
	op, err := s.Start(context.WithoutCancel(t.Context()), spec)
	require.NoError(t, err)
	_, err = op.Wait()
	require.NoError(t, err)
	require.NoDirExists(t, string(op.folder))
	return op.PID()
}

func requireGone(t *testing.T, p *prepared) {
	t.Helper()
	eventually(t, "the process ends", func() bool { return !alive(p.child.Process.Pid) })
	eventually(t, "its folder is removed", func() bool {
		_, err := os.Stat(string(p.folder))
		return os.IsNotExist(err)
	})
}

// The process of an operation is the one that waited, and the next one waits then.
// What it waits with holds no secret, of this operation or another.
func TestNextProcessWaits(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "aws-canary")
	spec := operation(t, serveFake(t), Preview, "things", map[string]string{"things": "1"})
	spec.Inherit.AWS = true
	s := starter(t, long)
	first := s.runs(t, spec)
	next := s.waiting(t)
	require.NotEqual(t, first, next.child.Process.Pid)
	all := processes(t, next.child.Process.Pid)
	require.Len(t, all, 1, "it has started nothing")
	require.Contains(t, all[0].args, ChildCommand)
	for _, secret := range []string{"aws-canary", spec.Backend.Token} {
		require.NotContains(t, all[0].environ, secret)
	}
	requirePrivate(t, string(next.folder), spec)

	require.Equal(t, next.child.Process.Pid, s.runs(t, spec.as(Up)))
	after := s.waiting(t)
	require.NotEqual(t, next.child.Process.Pid, after.child.Process.Pid)
	s.Close()
	requireGone(t, after)
	s.runs(t, spec)
	require.Nil(t, s.spare, "a starter that is closed has none wait")
}

// Beside the last operation of several no process is started: there is time for that
// when it has ended.
func TestNextProcessAfterTheLastOperation(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	s, spec := starter(t, long), slow(t, f)
	spec.Last = true
	op, err := s.Start(t.Context(), spec)
	require.NoError(t, err)
	await(t, "the create begins", f.begun)
	s.mu.Lock()
	require.False(t, s.making || s.spare != nil)
	s.mu.Unlock()
	f.release()
	_, err = op.Wait()
	require.NoError(t, err)
	s.waiting(t)
}

// Two operations at once have processes of their own.
func TestWaitingProcessIsTakenOnce(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Preview, "things", map[string]string{"things": "1"})
	s := starter(t, long)
	s.runs(t, spec)
	next := s.waiting(t)
	first, err := s.Start(t.Context(), spec)
	require.NoError(t, err)
	second, err := s.Start(t.Context(), spec)
	require.NoError(t, err)
	require.Equal(t, next.child.Process.Pid, first.PID())
	require.NotEqual(t, first.PID(), second.PID())
	require.NotEqual(t, first.folder, second.folder)
	for _, op := range []*Operation{first, second} {
		_, err = op.Wait()
		require.NoError(t, err)
	}
}

// A program finds the operation's environment in its own process's.
func TestProgramSeesTheEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	spec := operation(t, nil, Preview, "environment", nil)
	s := starter(t, long)
	spec.Inherit.AWS = true
	for range 2 { // of a process that was started for it, and one that has waited
		op, err := s.Start(t.Context(), spec)
		require.NoError(t, err)
		_, err = op.Wait()
		require.EqualError(t, err, "the region is eu-central-1")
		s.waiting(t)
	}
	spec.Inherit.AWS = false
	_, err := run(t, spec)
	require.EqualError(t, err, "the region is none")
}

// What cannot be used is ended, and another process is started.
func TestUnfitProcessIsNotUsed(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	require.NoError(t, err)
	provider := serveFake(t)
	one := func(t *testing.T) Spec {
		return operation(t, provider, Preview, "things", map[string]string{"things": "1"})
	}

	t.Run("it is another program", func(t *testing.T) {
		t.Parallel()
		s, spec := starter(t, long), one(t)
		s.runs(t, spec)
		next, other := s.waiting(t), spec
		other.Command = []string{executable, ChildCommand, "with an argument"}
		require.NotEqual(t, next.child.Process.Pid, s.runs(t, other))
		requireGone(t, next)
	})
	t.Run("the executable was replaced", func(t *testing.T) {
		t.Parallel()
		s, mine := starter(t, long), one(t)
		link := filepath.Join(t.TempDir(), "redoubt")
		mine.Command = []string{link, ChildCommand}
		copied := link + ".new"
		text, err := os.ReadFile(executable)
		require.NoError(t, err)
		scripttest.Write(t, copied, string(text))
		require.NoError(t, os.Symlink(executable, link))
		s.runs(t, mine)
		next := s.waiting(t)
		require.NoError(t, os.Rename(copied, link))
		require.NotEqual(t, next.child.Process.Pid, s.runs(t, mine))
		requireGone(t, next)
	})
	t.Run("it has died", func(t *testing.T) {
		t.Parallel()
		s, spec := starter(t, long), one(t)
		s.runs(t, spec)
		next := s.waiting(t)
		require.NoError(t, syscall.Kill(next.child.Process.Pid, syscall.SIGKILL))
		requireGone(t, next)
		require.NotEqual(t, next.child.Process.Pid, s.runs(t, spec))
	})
	t.Run("nobody needs it", func(t *testing.T) {
		t.Parallel()
		p, err := prepare([]string{executable, ChildCommand})
		require.NoError(t, err)
		s, idle := starter(t, time.Millisecond), &spare{p, make(chan struct{})}
		s.spare = idle
		s.keep(idle)
		requireGone(t, p)
		require.Nil(t, s.spare)
	})
}

// Without a time to wait there is none.
func TestStarterWithoutASpare(t *testing.T) {
	t.Parallel()
	s := starter(t, 0)
	s.runs(t, operation(t, serveFake(t), Preview, "things", map[string]string{"things": "1"}))
	s.work.Wait()
	require.Nil(t, s.spare)
}

// The parent is killed while a process waits: that one ends, and removes its folder.
func TestWaitingProcessEndsWithItsParent(t *testing.T) {
	folder := private(t)
	executable, err := os.Executable()
	require.NoError(t, err)
	p, err := prepare([]string{executable, ChildCommand})
	require.NoError(t, err)
	require.NoError(t, p.pipes.control.Close()) // the system does so for one that is killed
	<-p.exited
	require.NoError(t, p.exit)
	requireEmpty(t, folder)
	p.pipes.closeParent()
	require.NoError(t, p.remove())

	// One that is killed with its parent leaves a folder in which nothing is, and
	// which the next one removes.
	left, err := prepare([]string{executable, ChildCommand})
	require.NoError(t, err)
	require.NoError(t, left.child.Process.Kill())
	<-left.exited
	left.pipes.closeParent()
	require.NoError(t, left.claim.Close())
	require.DirExists(t, string(left.folder))
	next, err := prepare([]string{executable, ChildCommand})
	require.NoError(t, err)
	require.NoDirExists(t, string(left.folder))
	next.discard()
	requireEmpty(t, folder)
}
