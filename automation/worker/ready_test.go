package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
	"redoubt/automation/worker"
)

// A node that is not ready takes nothing; what waits is run when it is again.
func TestANodeThatIsNotReadyTakesNothing(t *testing.T) {
	w := newWorld(t, "", func(s *setup) { s.Provider = 0 })
	_, o := w.stack(t, w.project(t, free), "dev", "bucket", inputs{})
	var ready atomic.Bool
	var asked atomic.Int64
	node := worker.New(w.service, w.engine, w.queue, worker.Options{Slots: 1, Look: 20 * time.Millisecond, Ready: func() error {
		asked.Add(1)
		if ready.Load() {
			return nil
		}
		return errors.New("the disk is full")
	}})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
	}()
	eventually(t, "it looks again and again", func() bool { return asked.Load() > 20 })
	require.Equal(t, provision.Queued, w.read(t, o.ID).State)
	ready.Store(true)
	w.reaches(t, o.ID, provision.Succeeded)
}
