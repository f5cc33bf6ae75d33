package server

import (
	"context"
	"net/http"
	"strings"
)

// limited keeps one client, or many, from taking all of the memory: bodies have
// a size, requests a time, and no more than so many are served at once.
func (s *Server) limited(next http.Handler) http.Handler {
	places := make(chan struct{}, s.config.Limits.InFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			s.metrics.turnedAway.Inc()
			w.Header().Set("Retry-After", "1")
			answer(w, http.StatusServiceUnavailable, map[string]any{
				"code": http.StatusServiceUnavailable, "message": "the service is busy: try again in a moment",
			})
			return
		}
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		ctx, cancel := context.WithTimeout(r.Context(), s.config.Limits.Request)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, int64(s.config.Limits.Body))
		lease := strings.HasPrefix(strings.ToLower(r.Header.Get("Authorization")), "update-token ")
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if lease && seen.status == http.StatusForbidden {
			s.metrics.leaseRefusals.Inc()
		}
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
