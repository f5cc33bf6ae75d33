package worker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/internal/postgrestest"
	"redoubt/internal/processtest"
)

// admin is an administrator of everything, to the backend.
func (w *world) admin() backend.Caller {
	return backend.Caller{Token: backend.Token{Principal: "test", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}}}
}

// children are the processes that a process has started, by a word on their command
// line.
func children(t *testing.T, parent int, word string) []int {
	t.Helper()
	return processtest.PIDs(processtest.Children(t, parent, word))
}

// busy are the processes of operations that a process has started, without the one
// that waits for the next operation.
func busy(t *testing.T, parent int) []int {
	t.Helper()
	return slices.DeleteFunc(children(t, parent, runner.ChildCommand), func(pid int) bool { return len(children(t, pid, "pulumi")) == 0 })
}

func (w *world) child(t *testing.T, parent int) (pid int) {
	t.Helper()
	eventually(t, "an operation's process", func() bool {
		pids := busy(t, parent)
		if len(pids) != 1 {
			return false
		}
		pid = pids[0]
		return true
	})
	return pid
}

// The process of an operation is killed: nothing is done twice, and people know.
func TestKilledChild(t *testing.T) {
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.works(t)
		project := w.project(t, free)

		g := newGate(t)
		_, o := w.stack(t, project, "preview", "things", inputs{Things: 1, Previewing: string(g)})
		g.awaited(t)
		require.NoError(t, syscall.Kill(w.child(t, os.Getpid()), syscall.SIGKILL))
		o = w.reaches(t, o.ID, provision.Failed)
		require.Equal(t, provision.CodeEngineUnavailable, o.Failure.Code, o.Failure.Message)
		require.Zero(t, w.fake.Count("preview", "t0"))

		// The engine outlives its program, and finishes what it has begun.
		env, o := w.stack(t, project, "apply", "things", inputs{Things: 1, Slow: true})
		await(t, "the slow thing", w.fake.Begun)
		require.NoError(t, syscall.Kill(w.child(t, os.Getpid()), syscall.SIGKILL))
		w.fake.Release()
		o = w.reaches(t, o.ID, provision.Failed)
		require.Empty(t, o.Failure.Pending)
		o = w.order(t, env, provision.NewOperation{Kind: provision.KindUp})
		w.reaches(t, o.ID, provision.Succeeded)
		require.Equal(t, 1, w.fake.Count("apply", "slow"), "it was in the state")
		w.noTokenWorks(t)
	})
}

// The engine is killed in the middle of a creation: the stack needs recovery.
func TestForcedCancelAndRecovery(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.works(t)
		env, o := w.stack(t, w.project(t, free), "dev", "things", inputs{Things: 1, Slow: true})
		await(t, "the slow thing", w.fake.Begun)
		_, err := w.service.Cancel(t.Context(), alice, o.ID, true)
		require.NoError(t, err)
		o = w.reaches(t, o.ID, provision.NeedsRecovery)
		require.Equal(t, provision.CodeNeedsRecovery, o.Failure.Code)
		require.Len(t, o.Failure.Pending, 1)
		require.Contains(t, o.Failure.Pending[0], "::slow")

		_, err = w.service.Order(t.Context(), alice, env.ID, provision.NewOperation{Kind: provision.KindUp})
		require.Equal(t, provision.CodeNeedsRecovery, provision.CodeOf(err))
		mend := w.order(t, env, provision.NewOperation{Kind: provision.KindRecover})
		w.reaches(t, mend.ID, provision.Succeeded)
		require.Equal(t, provision.Failed, w.read(t, o.ID).State, "nobody needs to look at it any more")
		w.fake.Release()
		up := w.order(t, env, provision.NewOperation{Kind: provision.KindUp})
		w.reaches(t, up.ID, provision.Succeeded)
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.works(t)
		project := w.project(t, free)

		g := newGate(t)
		_, o := w.stack(t, project, "preview", "things", inputs{Things: 1, Previewing: string(g)})
		g.awaited(t)
		_, err := w.service.Cancel(t.Context(), alice, o.ID, false)
		require.NoError(t, err)
		w.reaches(t, o.ID, provision.Canceled)

		_, o = w.stack(t, project, "apply", "things", inputs{Things: 1, Slow: true})
		await(t, "the slow thing", w.fake.Begun)
		_, err = w.service.Cancel(t.Context(), alice, o.ID, false)
		require.NoError(t, err)
		w.reaches(t, o.ID, provision.Canceling)
		w.fake.Release()
		// What was begun is finished. Here that was all there was to do, and the engine
		// may say either.
		eventually(t, "the end", func() bool { return w.read(t, o.ID).State.Final() })
		o = w.read(t, o.ID)
		require.Contains(t, []provision.State{provision.Canceled, provision.Succeeded}, o.State, o.Failure)
		var stack backend.Stack
		require.NoError(t, w.records.View(t.Context(), func(tx provision.Tx) (err error) { stack, err = tx.StackByID(o.StackID); return err }))
		require.Zero(t, stack.PendingCreates)
		require.Empty(t, stack.ActiveUpdate)
		w.noTokenWorks(t)
	})
}

// A worker's whole process is killed, in a preview and in an update: another worker
// takes over, and nothing is done twice.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgrestest.Database(t), func(s *setup) { s.Lease = 4 * time.Second })
	project := w.project(t, free)

	g := newGate(t)
	_, o := w.stack(t, project, "preview", "things", inputs{Things: 1, Previewing: string(g)})
	first := start(t, w.setup)
	g.awaited(t)
	node := w.read(t, o.ID).Node
	require.NotEmpty(t, node)
	first.kill(t)
	w.works(t)
	eventually(t, "another worker", func() bool {
		other := w.read(t, o.ID)
		return other.Node != node && other.State == provision.Previewing
	})
	g.open(t)
	w.reaches(t, o.ID, provision.Succeeded)
	require.Equal(t, 1, w.fake.Count("preview", "t0"))
	require.Contains(t, w.told(t, o.ID), "is not heard of any more")
}

func TestKilledWorkerInAnUpdate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// all says that the machine dies with it: the engine too.
		all   bool
		state provision.State
	}{
		{"its engine goes on", false, provision.Failed},
		{"its machine dies", true, provision.NeedsRecovery},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, postgrestest.Database(t), func(s *setup) { s.Lease, s.UpdateLease = 4*time.Second, 10*time.Second })
			env, o := w.stack(t, w.project(t, free), "dev", "things", inputs{Things: 1, Slow: true})
			// The backend must live on: only the worker dies.
			s := w.setup
			s.URL = w.http.URL
			first := start(t, s)
			await(t, "the slow thing", w.fake.Begun)
			child := w.child(t, first.cmd.Process.Pid)
			engines := children(t, child, "pulumi")
			require.NotEmpty(t, engines)
			first.kill(t)
			if c.all {
				for _, pid := range append(engines, child) {
					_ = syscall.Kill(-pid, syscall.SIGKILL) // gone already: good
				}
			}
			w.works(t)
			if !c.all {
				w.fake.Release() // what the engine makes that goes on
			}
			o = w.reaches(t, o.ID, c.state)
			if c.all {
				require.Contains(t, strings.Join(o.Failure.Pending, " "), "::slow")
				mend := w.order(t, env, provision.NewOperation{Kind: provision.KindRecover})
				w.reaches(t, mend.ID, provision.Succeeded)
				w.fake.Release()
			}
			up := w.order(t, env, provision.NewOperation{Kind: provision.KindUp})
			w.reaches(t, up.ID, provision.Succeeded)
			if !c.all {
				require.Equal(t, 1, w.fake.Count("dev", "slow"), "it was in the state")
			}
		})
	}
}

// Somebody takes the claim: the old worker ends what it runs, and writes nothing.
func TestStolenClaim(t *testing.T) {
	both(t, func(t *testing.T, address string) {
		// The engine may be interrupted when it has nothing to do any more, and die of
		// it before it tells: its update ends with its lease.
		w := newWorld(t, address, func(s *setup) { s.Lease, s.UpdateLease = 4*time.Second, 10*time.Second })
		stop := w.works(t)
		project := w.project(t, free)
		steal := func(o provision.Operation) provision.Claim {
			var taken provision.Claim
			require.NoError(t, w.records.Update(t.Context(), func(tx provision.Tx) (err error) {
				c, err := tx.Claim(o.StackID)
				if err != nil {
					return err
				}
				if err := tx.ReleaseClaim(o.StackID, c.Fence); err != nil {
					return err
				}
				taken, err = tx.TakeClaim(provision.Claim{StackID: o.StackID, OperationID: o.ID, Node: "thief", ExpiresAt: tx.Now().Add(time.Hour)}, tx.Now())
				return err
			}))
			return taken
		}
		_, o := w.stack(t, project, "dev", "things", inputs{Things: 1, Slow: true})
		await(t, "the slow thing", w.fake.Begun)
		o = w.read(t, o.ID)
		require.Equal(t, provision.Applying, o.State)
		claim := steal(o)
		child := w.child(t, os.Getpid())
		w.fake.Release()
		eventually(t, "the old worker's engine ends", func() bool { return syscall.Kill(child, 0) != nil })
		stop()
		now := w.read(t, o.ID)
		require.Equal(t, provision.Applying, now.State, "the old worker writes nothing")
		require.Equal(t, o.Version, now.Version)

		// The thief is not heard of any more, and the sweep decides.
		require.NoError(t, w.records.Update(t.Context(), func(tx provision.Tx) error { return tx.ReleaseClaim(o.StackID, claim.Fence) }))
		eventually(t, "the sweep", func() bool {
			_, err := w.service.Sweep(context.WithoutCancel(t.Context()))
			require.NoError(t, err)
			return w.read(t, o.ID).State == provision.Failed
		})
		require.Equal(t, 1, w.fake.Count("dev", "slow"), "and nothing is made twice")
		w.noTokenWorks(t)
	})
}

// A node stops: previews go back to the queue, updates finish what they have begun,
// and no process is left.
func TestShutdown(t *testing.T) {
	w := newWorld(t, "", nil)
	t.Setenv("TMPDIR", t.TempDir())
	project := w.project(t, free)
	stop := w.works(t)
	g := newGate(t)
	_, preview := w.stack(t, project, "preview", "things", inputs{Things: 1, Previewing: string(g)})
	_, apply := w.stack(t, project, "apply", "things", inputs{Things: 1, Slow: true})
	g.awaited(t)
	await(t, "the slow thing", w.fake.Begun)
	w.fake.Release()
	stop()
	require.Equal(t, provision.Queued, w.read(t, preview.ID).State)
	require.Contains(t, []provision.State{provision.Succeeded, provision.Failed}, w.read(t, apply.ID).State)
	require.NoError(t, w.engine.Close(), "which ends the process that waits")
	require.Empty(t, children(t, os.Getpid(), runner.ChildCommand))
	left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, 1, w.fake.Count("apply", "slow"))

	g.open(t)
	w.works(t)
	w.reaches(t, preview.ID, provision.Succeeded)
	require.Equal(t, 1, w.fake.Count("preview", "t0"), fmt.Sprint(w.read(t, preview.ID)))
}

// The whole service dies, with its database in a file: what it acknowledged is there
// when it is started again, previews begin anew, and an update is not.
func TestKilledService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", func(s *setup) { s.Lease, s.UpdateLease = 4*time.Second, 8*time.Second })
	project := w.project(t, free)
	g := newGate(t)
	_, preview := w.stack(t, project, "preview", "things", inputs{Things: 1, Previewing: string(g)})
	env, apply := w.stack(t, project, "apply", "things", inputs{Slow: true})
	w.Listen = w.http.Listener.Addr().String()
	require.NoError(t, w.close())
	service := start(t, w.setup)
	g.awaited(t)
	await(t, "the slow thing", w.fake.Begun)
	var orphans []int
	for _, child := range busy(t, service.cmd.Process.Pid) {
		orphans = append(append(orphans, child), children(t, child, "pulumi")...)
	}
	require.Len(t, orphans, 4)
	service.kill(t)
	for _, pid := range orphans {
		_ = syscall.Kill(-pid, syscall.SIGKILL) // gone already: good
	}

	var err error
	w.installation, err = w.setup.open(t.Context())
	require.NoError(t, err)
	w.works(t)
	g.open(t)
	w.reaches(t, preview.ID, provision.Succeeded)
	require.Equal(t, 1, w.fake.Count("preview", "t0"))
	apply = w.reaches(t, apply.ID, provision.NeedsRecovery)
	require.Contains(t, strings.Join(apply.Failure.Pending, " "), "::slow")
	mend := w.order(t, env, provision.NewOperation{Kind: provision.KindRecover})
	w.reaches(t, mend.ID, provision.Succeeded)
	w.fake.Release()
	up := w.order(t, env, provision.NewOperation{Kind: provision.KindUp})
	w.reaches(t, up.ID, provision.Succeeded)
	require.Equal(t, 2, w.fake.Count("apply", "slow"), "once before the crash, and once after people said so")
}
