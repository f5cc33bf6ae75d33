package runner

import (
	"context"
	"sync"
	"time"
)

// Starter starts operations as Start does, and sooner: while one runs, or when it has
// ended (Spec.Last), it starts the process of the next, so that the loading of the programs' packages, which may take
// longer than a small preview's own work, is over when that is ordered. For a service;
// who runs one operation has nothing of it.
//
//	s := runner.NewStarter(10 * time.Minute)
//	defer s.Close()
//	op, err := s.Start(ctx, spec)
//
// A process that waits was told nothing, and has no credentials. It ends with this
// one, like any child, and it is not used once the executable was replaced.
type Starter struct {
	idle time.Duration

	mu     sync.Mutex
	spare  *spare
	making bool
	closed bool
	work   sync.WaitGroup
}

// spare is a child that nobody has taken yet.
type spare struct {
	*prepared
	// taken is closed when it is not the starter's any more.
	taken chan struct{}
}

// NewStarter makes a starter whose spare process waits so long for an operation, and
// is ended then to give its memory back; 0 for a starter without one.
func NewStarter(idle time.Duration) *Starter { return &Starter{idle: idle} }

// Start starts an operation, see the function of this name.
func (s *Starter) Start(ctx context.Context, spec Spec) (*Operation, error) {
	return launch(ctx, spec, s.obtain, s.refill)
}

// Close ends the process that waits, and lets none wait any more. Operations that run
// are not touched.
func (s *Starter) Close() {
	s.mu.Lock()
	s.closed = true
	waiting := s.release(s.spare)
	s.mu.Unlock()
	if waiting != nil {
		waiting.discard()
	}
	s.work.Wait()
}

// obtain is the child that waits, if it is what the command would start now, else
// another one.
func (s *Starter) obtain(command []string) (*prepared, error) {
	s.mu.Lock()
	waiting := s.release(s.spare)
	s.mu.Unlock()
	if waiting != nil {
		if waiting.fits(command) {
			return waiting, nil
		}
		waiting.discard()
	}
	return prepare(command)
}

// release takes a spare from the starter, whose lock the caller holds; nil where it is
// not there any more.
func (s *Starter) release(which *spare) *prepared {
	if which == nil || s.spare != which {
		return nil
	}
	s.spare = nil
	close(which.taken)
	return which.prepared
}

// refill starts the next child, if none is there. Where it cannot be started, the
// next operation finds out why.
func (s *Starter) refill(command []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.idle <= 0 || s.spare != nil || s.making {
		return
	}
	s.making = true
	s.work.Go(func() {
		p, err := prepare(command)
		s.mu.Lock()
		s.making = false
		unwanted := s.closed
		if err == nil && !unwanted {
			waiting := &spare{p, make(chan struct{})}
			s.spare = waiting
			s.work.Go(func() { s.keep(waiting) })
		}
		s.mu.Unlock()
		if err == nil && unwanted {
			p.discard()
		}
	})
}

// keep ends a spare that has died, or that nobody needs.
func (s *Starter) keep(waiting *spare) {
	timer := time.NewTimer(s.idle)
	defer timer.Stop()
	select {
	case <-waiting.taken:
		return
	case <-waiting.exited:
	case <-timer.C:
	}
	s.mu.Lock()
	mine := s.release(waiting)
	s.mu.Unlock()
	if mine != nil {
		mine.discard()
	}
}
