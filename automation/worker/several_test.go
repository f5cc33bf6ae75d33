package worker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
	"redoubt/automation/river"
	"redoubt/automation/worker"
)

// deaf hears no jobs: its worker finds what there is by looking.
type deaf struct{ *river.Dispatcher }

func (deaf) Listen(ctx context.Context, _ func(context.Context, river.Job)) error {
	<-ctx.Done()
	return nil
}

// Two workers on one database, one of which hears of nothing: one operation at a
// time on each stack, no more at once than the quota lets a project, and who ordered
// little does not wait for who ordered much.
func TestTwoWorkers(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		const most = 2
		w := newWorld(t, address, func(s *setup) { s.Slots, s.Quota = 4, provision.Quota{Concurrent: most, Queued: 100} })
		many, few := w.project(t, free), w.project(t, free)
		var orders []provision.Operation
		var stacks []provision.Environment
		for i := range 5 {
			project := many
			if i == 4 {
				project = few
			}
			env, o := w.stack(t, project, fmt.Sprintf("s%d", i), "things", inputs{Things: 1, Tag: "0"})
			stacks, orders = append(stacks, env), append(orders, o)
		}
		for n := range 3 {
			for _, env := range stacks {
				orders = append(orders, w.order(t, env, provision.NewOperation{Kind: provision.KindUp, Inputs: encoded(t, inputs{Things: 2, Tag: fmt.Sprint(n + 1)})}))
			}
		}
		require.Len(t, orders, 20)

		w.works(t)
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		other := worker.New(w.service, w.engine, deaf{w.queue}, worker.Options{Slots: 4, Lease: w.Lease, Look: 200 * time.Millisecond})
		var ended sync.WaitGroup
		ended.Go(func() { require.NoError(t, other.Run(ctx)) })
		t.Cleanup(func() { cancel(); ended.Wait() })

		nodes := map[string]int{}
		var running, fewDone []provision.Operation
		for _, o := range orders {
			o = w.reaches(t, o.ID, provision.Succeeded)
			running = append(running, o)
			if o.ProjectID == few.ID {
				fewDone = append(fewDone, o)
			}
			if strings.Contains(w.told(t, o.ID), other.Node()) {
				nodes[other.Node()]++
			}
		}
		require.Positive(t, nodes[other.Node()], "who hears nothing looks")
		require.Less(t, nodes[other.Node()], len(orders), "and does not do all")
		for i, a := range running {
			at := map[string]int{}
			for j, b := range running {
				if overlap := a.StartedAt.Before(b.EndedAt) && b.StartedAt.Before(a.EndedAt); !overlap {
					continue
				}
				require.True(t, i == j || a.StackID != b.StackID, "%s and %s ran on one stack at once", a.ID, b.ID)
				if !b.StartedAt.After(a.StartedAt) && b.EndedAt.After(a.StartedAt) {
					at[b.ProjectID]++
				}
			}
			require.LessOrEqual(t, at[a.ProjectID], most, "the quota holds")
		}
		last := slices.MaxFunc(running, func(a, b provision.Operation) int { return a.EndedAt.Compare(b.EndedAt) })
		require.Equal(t, many.ID, last.ProjectID)
		for i := range 4 { // each stack's are done in the order in which they were ordered
			for n := 1; n < 4; n++ {
				require.True(t, running[5*(n-1)+i].EndedAt.Before(running[5*n+i].EndedAt.Add(time.Microsecond)))
			}
		}
		require.Len(t, fewDone, 4)
		for i := range 5 {
			require.Equal(t, 1, w.fake.Count(fmt.Sprintf("s%d", i), "t0"))
			require.Equal(t, 1, w.fake.Count(fmt.Sprintf("s%d", i), "t1"))
		}
	})
}

// What a paused queue has waits, and what runs goes on.
func TestPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.works(t)
	project := w.project(t, free)
	eventually(t, "the queue", func() bool { return w.queue.Pause(t.Context(), river.Default) == nil })
	env, o := w.stack(t, project, "dev", "things", inputs{Things: 1})
	// Drift has a queue of its own; it comes where nothing else waits for its stack.
	_, err := w.service.Cancel(t.Context(), alice, o.ID, false)
	require.NoError(t, err)
	_, o = w.stack(t, project, "other", "things", inputs{Things: 1})
	check := w.order(t, env, provision.NewOperation{Kind: provision.KindDrift})
	w.reaches(t, check.ID, provision.Succeeded)
	require.Equal(t, provision.Queued, w.read(t, o.ID).State)
	require.NoError(t, w.queue.Resume(t.Context(), river.Default))
	w.reaches(t, o.ID, provision.Succeeded)
}

// What waits too long ends.
func TestSweepOfWhatWaits(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		project := w.project(t, approved)
		_, queued := w.stack(t, project, "queued", "things", inputs{Things: 1})
		_, waiting := w.stack(t, project, "waiting", "things", inputs{Things: 1})
		overdue := func(id string) {
			require.NoError(t, w.records.Update(t.Context(), func(tx provision.Tx) error {
				o, err := tx.LockOperation(id)
				if err != nil {
					return err
				}
				o.DeadlineAt = tx.Now().Add(-time.Second)
				return tx.SaveOperation(&o)
			}))
		}
		overdue(queued.ID)
		n, err := w.service.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, provision.Skipped, w.read(t, queued.ID).State)

		stop := w.works(t)
		w.reaches(t, waiting.ID, provision.AwaitingApproval)
		stop()
		overdue(waiting.ID)
		n, err = w.service.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, provision.Expired, w.read(t, waiting.ID).State)
		n, err = w.service.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// Workers that die while they prepare an operation do so three times, and no more.
func TestDeathsWhilePreparing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		_, o := w.stack(t, w.project(t, free), "dev", "things", inputs{Things: 1})
		for n := range 3 {
			_, err := w.service.Claim(t.Context(), o.ID, provision.Node{ID: fmt.Sprint("n", n), Lease: time.Hour})
			require.NoError(t, err)
			_, err = w.service.Claim(t.Context(), o.ID, provision.Node{ID: "other"})
			require.ErrorIs(t, err, provision.ErrNotNow)
			swept, err := w.service.Sweep(t.Context())
			require.NoError(t, err)
			require.Zero(t, swept, "its claim holds")
			require.NoError(t, w.records.Update(t.Context(), func(tx provision.Tx) error {
				c, err := tx.Claim(o.StackID)
				if err != nil {
					return err
				}
				c.ExpiresAt = tx.Now().Add(-time.Second)
				return tx.RenewClaim(c)
			}))
			swept, err = w.service.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, swept)
		}
		o = w.read(t, o.ID)
		require.Equal(t, provision.Failed, o.State)
		require.Equal(t, provision.CodeEngineUnavailable, o.Failure.Code)
	})
}

// A schedule's look for drift proposes an update, which waits for people even where
// the project's rules want nobody.
func TestProposal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	env, first := w.stack(t, w.project(t, free), "dev", "things", inputs{Things: 1})
	stop := w.works(t)
	w.reaches(t, first.ID, provision.Succeeded)
	stop()
	o := provision.Operation{
		ID: "op_01kb0000000000000000000000", StackID: env.ID, ProjectID: env.ProjectID, Kind: provision.KindUp, State: provision.Queued, Version: 1,
		Blueprint: env.Blueprint, Inputs: encoded(t, inputs{Things: 2}), Options: provision.OperationOptions{Propose: true},
		RequestedBy: provision.Actor{Kind: provision.System, Name: "redoubt"}, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	require.NoError(t, w.records.Update(t.Context(), func(tx provision.Tx) error { return tx.CreateOperation(o) }))
	w.works(t)
	o = w.reaches(t, o.ID, provision.AwaitingApproval)
	require.Equal(t, "proposal", o.Required[0].Rule)
	w.approve(t, o)
	w.reaches(t, o.ID, provision.Succeeded)
}
