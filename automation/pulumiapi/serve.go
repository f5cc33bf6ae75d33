package pulumiapi

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"redoubt/automation/backend"
)

// unknownEndpoint answers what no endpoint does.
var unknownEndpoint = endpoint{path: "unknown", do: func(c *call) (any, error) {
	shape := c.shapes.of(c.r.URL.Path)
	c.opts.Metrics.UnknownEndpoint(c.method(), shape)
	c.opts.Log.WarnContext(c.ctx(), "unknown endpoint", "request", c.id, "method", c.method(), "shape", shape)
	return nil, backend.Fail(backend.CodeNotFound, "this service has no such endpoint")
}}

// serve runs an endpoint: its credential, its answer, and a line in the log.
func (s *Server) serve(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		c := &call{Server: s, endpoint: e, id: rand.Text(), w: &recorder{ResponseWriter: w}, r: r}
		c.w.Header().Set("X-Pulumi-Request-ID", c.id)
		answer, err := c.run()
		if err == nil {
			err = c.answer(answer)
		} else {
			c.refuse(err)
		}
		if c.release != nil {
			c.release()
		}
		c.report(time.Since(start), err)
	})
}

// run does what the endpoint does; a panic becomes an error.
func (c *call) run() (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.opts.Log.ErrorContext(c.ctx(), "panic", "request", c.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			answer, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	// Names of stacks are checked where they are looked up.
	if org := c.org(); org != "" {
		if err := backend.CheckOrg(org); err != nil {
			return nil, err
		}
	}
	return c.endpoint.do(c)
}

// report writes the request's line in the log. Neither tokens, nor bodies, nor
// values of queries are in it.
func (c *call) report(took time.Duration, err error) {
	status := c.w.status
	if err != nil && status == 0 {
		status = clientGone
	}
	c.opts.Metrics.Request(c.method(), c.endpoint.path, status, took)
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("request", c.id), slog.String("method", c.method()), slog.String("route", c.endpoint.path),
		slog.Int("status", status), slog.Duration("took", took), slog.Int64("received", max(0, c.r.ContentLength)), slog.Int64("sent", c.w.sent),
	}
	if p := c.caller.Principal(); p != "" {
		attrs = append(attrs, slog.String("principal", p), slog.String("token_id", c.caller.Token.ID))
	}
	if err != nil {
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
		attrs = append(attrs, slog.String("error", problem(err).Message))
		if why := cause(err); why != "" {
			attrs = append(attrs, slog.String("cause", why))
		}
	}
	c.opts.Log.LogAttrs(c.ctx(), level, "request", attrs...)
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	sent   int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
