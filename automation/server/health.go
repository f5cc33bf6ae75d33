package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// readyTimeout is how long the database may take to answer a readiness check.
const readyTimeout = 2 * time.Second

// healthz says that the process runs: whoever gets no answer restarts it. It
// asks nobody, because a restart would not mend a database.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok", "version": s.version})
}

// readyz says whether requests should come here. The schema is up to date and
// the keys are open since Open; the database may have gone away.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := s.service.Ping(ctx); err != nil {
		s.log.Warn("not ready: the database does not answer", "error", err)
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "the database does not answer"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone
}
