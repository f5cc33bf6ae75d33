package river_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
	"redoubt/automation/river"
	"redoubt/internal/postgrestest"
)

// long is how long a test waits for what must come.
const long = 30 * time.Second

// Both databases must mean the same.
func TestDispatcher(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		conform(t, func(t *testing.T) string { return t.TempDir() })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		conform(t, func(t *testing.T) string { return postgrestest.Database(t) })
		t.Run("several processes", func(t *testing.T) { severalProcesses(t, postgrestest.Database(t)) })
	})
}

// conform is what every database's queues must do.
func conform(t *testing.T, database func(*testing.T) string) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, string)
	}{
		{"wakes at once", wakes},
		{"an operation that waits already is not doubled", doubles},
		{"drift does not wait for others, nor others for drift", shares},
		{"a pause keeps jobs for later", pauses},
		{"jobs outlive their process", restarts},
		{"a pause outlives its process", staysPaused},
		{"a queue that nobody has listened to cannot be paused", unknown},
		{"stops while a worker is busy", stops},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, database(t)) })
	}
}

func open(t *testing.T, address string, slots int) *river.Dispatcher {
	t.Helper()
	d, err := river.Open(t.Context(), address, river.Options{Slots: slots})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// woken is what a worker heard.
type woken struct {
	mu   sync.Mutex
	jobs []river.Job
}

func (w *woken) hear(_ context.Context, j river.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, j)
}

func (w *woken) heard() []river.Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]river.Job(nil), w.jobs...)
}

// listen listens until the test ends, or stop is called.
func listen(t *testing.T, d *river.Dispatcher, wake func(context.Context, river.Job)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Listen(ctx, wake) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, so func() bool) {
	t.Helper()
	require.Eventually(t, so, long, 5*time.Millisecond)
}

func wakes(t *testing.T, address string) {
	d, w := open(t, address, 4), &woken{}
	listen(t, d, w.hear)
	require.NoError(t, d.Wake(t.Context(), "op_1", provision.KindUp, 0))
	require.NoError(t, d.Wake(t.Context(), "op_2", provision.KindDrift, -10))
	eventually(t, func() bool { return len(w.heard()) == 2 })
	require.ElementsMatch(t, []river.Job{{Queue: river.Default, Operation: "op_1"}, {Queue: river.Drift, Operation: "op_2"}}, w.heard())
	// The operation may wait again, after its approval.
	eventually(t, func() bool {
		require.NoError(t, d.Wake(t.Context(), "op_1", provision.KindUp, 0))
		return len(w.heard()) > 2
	})
}

func doubles(t *testing.T, address string) {
	d := open(t, address, 4)
	for range 5 {
		require.NoError(t, d.Wake(t.Context(), "op_1", provision.KindUp, 0))
	}
	require.NoError(t, d.Wake(t.Context(), "op_2", provision.KindUp, 0))
	w := &woken{}
	listen(t, d, w.hear)
	eventually(t, func() bool { return len(w.heard()) == 2 })
	require.NoError(t, d.Wake(t.Context(), "op_3", provision.KindUp, 0))
	eventually(t, func() bool { return len(w.heard()) == 3 })
}

func shares(t *testing.T, address string) {
	for _, busy := range []struct {
		with, other provision.OperationKind
	}{{provision.KindDrift, provision.KindUp}, {provision.KindUp, provision.KindDrift}} {
		d := open(t, address, 4)
		free := make(chan struct{})
		release := sync.OnceFunc(func() { close(free) })
		w := &woken{}
		stop := listen(t, d, func(ctx context.Context, j river.Job) {
			w.hear(ctx, j)
			if j.Queue == river.QueueOf(busy.with) {
				<-free
			}
		})
		t.Cleanup(release)
		for i := range 10 {
			require.NoError(t, d.Wake(t.Context(), fmt.Sprintf("op_%s_%d", busy.with, i), busy.with, 0))
		}
		eventually(t, func() bool { return len(w.heard()) == river.Share(4)[river.QueueOf(busy.with)] })
		require.NoError(t, d.Wake(t.Context(), "op_other", busy.other, 0))
		eventually(t, func() bool {
			jobs := w.heard()
			return jobs[len(jobs)-1].Operation == "op_other"
		})
		release()
		eventually(t, func() bool { return len(w.heard()) == 11 })
		stop()
		require.NoError(t, d.Close())
	}
}

func pauses(t *testing.T, address string) {
	d, w := open(t, address, 4), &woken{}
	listen(t, d, w.hear)
	eventually(t, func() bool { return d.Pause(t.Context(), river.Drift) == nil })
	paused, err := d.Paused(t.Context(), river.Drift)
	require.NoError(t, err)
	require.True(t, paused)
	stats, err := d.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, []river.Stat{{Queue: river.Default}, {Queue: river.Drift, Paused: true}}, stats)

	// What was taken before the pause was heard of is none of its business; a
	// second pause is none.
	require.NoError(t, d.Pause(t.Context(), river.Drift))
	require.NoError(t, d.Wake(t.Context(), "op_up", provision.KindUp, 0))
	eventually(t, func() bool { return len(w.heard()) >= 1 })
	require.NoError(t, d.Resume(t.Context(), river.Drift))
	require.NoError(t, d.Wake(t.Context(), "op_drift", provision.KindDrift, 0))
	eventually(t, func() bool { return len(w.heard()) == 2 })
}

func restarts(t *testing.T, address string) {
	first := open(t, address, 0) // the API's process, say
	for i := range 20 {
		require.NoError(t, first.Wake(t.Context(), fmt.Sprintf("op_%d", i), provision.KindUp, 0))
	}
	require.NoError(t, first.Close())
	require.NoError(t, first.Close())

	w := &woken{}
	stop := listen(t, open(t, address, 2), w.hear)
	eventually(t, func() bool { return len(w.heard()) == 20 })
	stop()
}

func staysPaused(t *testing.T, address string) {
	first := open(t, address, 2)
	stop := listen(t, first, (&woken{}).hear)
	eventually(t, func() bool { return first.Pause(t.Context(), river.Default) == nil })
	stop()
	require.NoError(t, first.Close())

	second, w := open(t, address, 2), &woken{}
	listen(t, second, w.hear)
	paused, err := second.Paused(t.Context(), river.Default)
	require.NoError(t, err)
	require.True(t, paused)
	require.NoError(t, second.Wake(t.Context(), "op_1", provision.KindUp, 0))
	require.NoError(t, second.Wake(t.Context(), "op_2", provision.KindDrift, 0))
	eventually(t, func() bool { return len(w.heard()) == 1 })
	require.Equal(t, river.Drift, w.heard()[0].Queue)
	require.NoError(t, second.Resume(t.Context(), river.Default))
	eventually(t, func() bool { return len(w.heard()) == 2 })
}

func unknown(t *testing.T, address string) {
	d := open(t, address, 0)
	require.Equal(t, provision.CodeNotFound, provision.CodeOf(d.Pause(t.Context(), river.Default)))
	require.Equal(t, provision.CodeNotFound, provision.CodeOf(d.Resume(t.Context(), "other")))
	paused, err := d.Paused(t.Context(), river.Default)
	require.NoError(t, err)
	require.False(t, paused)
}

func stops(t *testing.T, address string) {
	d := open(t, address, 4)
	begun, ended := make(chan struct{}), make(chan struct{})
	stop := listen(t, d, func(ctx context.Context, _ river.Job) {
		close(begun)
		<-ctx.Done()
		close(ended)
	})
	require.NoError(t, d.Wake(t.Context(), "op_1", provision.KindUp, 0))
	<-begun
	stop()
	<-ended
}

// severalProcesses open the queue at the same time, and each job goes to one.
func severalProcesses(t *testing.T, address string) {
	const processes, jobs = 4, 100
	opened := make([]*river.Dispatcher, processes)
	var all sync.WaitGroup
	for i := range processes {
		all.Go(func() {
			d, err := river.Open(context.WithoutCancel(t.Context()), address, river.Options{Slots: 4})
			if err == nil {
				opened[i] = d
			} else {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w := &woken{}
	for _, d := range opened {
		require.NotNil(t, d)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		listen(t, d, w.hear)
	}
	for i := range jobs {
		require.NoError(t, opened[i%processes].Wake(t.Context(), fmt.Sprintf("op_%d", i), provision.KindUp, i%3-1))
	}
	eventually(t, func() bool { return len(w.heard()) == jobs })
	seen := map[string]bool{}
	for _, j := range w.heard() {
		require.False(t, seen[j.Operation], j.Operation)
		seen[j.Operation] = true
	}
}
