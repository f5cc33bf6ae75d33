package server

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Run serves until ctx ends, then stops in order: no new connections, requests
// in flight finished within limits.shutdown, background work ended. Updates are
// not touched: each keeps its lease in the database, and its client, which tries
// again for a while, goes on with the next process.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1+len(s.sides()))
	all := append(s.sides(), s.main)
	for _, e := range all {
		go func() {
			if err := e.http.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		}()
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	wait := s.background(working)
	stopWork := s.provisioning.run(working)
	s.log.Info("serving", "address", s.Addr().String(), "url", s.URL(), "version", s.version)

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.draining.Store(true)
	// First what runs operations: their processes write to this server to the end.
	if failed := stopWork(); failed != nil {
		err = errors.Join(err, failed)
	}
	s.log.Info("stopping: requests in flight are finished", "within", s.config.Limits.Shutdown)
	began := time.Now()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Limits.Shutdown)
	defer cancel()
	for _, e := range all {
		if late := e.http.Shutdown(deadline); late != nil {
			s.log.Warn("requests were cut off that took too long; their clients try again", "error", late)
			_ = e.http.Close() // nothing more can be done for them
		}
	}
	stop()
	wait()
	s.log.Info("stopped", "took", time.Since(began))
	return err
}
