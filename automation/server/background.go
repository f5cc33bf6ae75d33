package server

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// pruneEvery is how often what is kept for a while only is deleted.
const pruneEvery = time.Hour

// background runs what nobody asks for until ctx ends, and then waits for it.
// Any number of nodes may do so on one database: closing an update locks it.
func (s *Server) background(ctx context.Context) (wait func()) {
	var all sync.WaitGroup
	all.Go(func() { repeat(ctx, s.config.Leases.Sweep, s.sweep) })
	all.Go(func() { repeat(ctx, pruneEvery, s.prune) })
	s.provisioning.background(ctx, &all)
	return all.Wait
}

// repeat runs a job again and again, every so often on average: nodes that were
// started together should not ask the database together.
func repeat(ctx context.Context, every time.Duration, job func(context.Context)) {
	timer := time.NewTimer(rand.N(every))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			job(ctx)
			timer.Reset(every/2 + rand.N(every))
		}
	}
}

func (s *Server) sweep(ctx context.Context) {
	closed, err := s.service.Sweep(ctx)
	if ctx.Err() != nil {
		return // it goes on after the restart
	}
	s.metrics.sweeps.WithLabelValues(result(err)).Inc()
	if closed > 0 {
		s.log.Info("updates were closed whose lease had ended", "updates", closed)
	}
	if err != nil {
		s.log.Error("updates whose lease has ended could not be closed", "error", err)
	}
}

func (s *Server) prune(ctx context.Context) {
	err := s.service.Prune(ctx)
	if ctx.Err() != nil {
		return
	}
	s.metrics.prunes.WithLabelValues(result(err)).Inc()
	if err != nil {
		s.log.Error("what is old could not be deleted", "error", err)
	}
}
