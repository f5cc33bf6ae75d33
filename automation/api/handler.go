package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"redoubt/automation/provision"
)

// Options of a handler. The zero value of each but Identify has a meaning.
type Options struct {
	// Identify says who asks. Its error is a *provision.Error or a *backend.Error of
	// code unauthenticated where nobody known does.
	Identify func(*http.Request) (provision.Principal, error)
	// Address says where a request comes from, for the audit log; nil for the
	// connection's other end.
	Address func(*http.Request) string
	// Log gets a line a request; nil for none.
	Log *slog.Logger
	// Metrics is told of each request; nil for nobody.
	Metrics Metrics
	// Tracing makes a span of each request; nil for the process's own provider, which
	// makes none unless somebody has set it.
	Tracing trace.TracerProvider
	// MaxBody is how many bytes a body may have; 0 for 1 MiB.
	MaxBody int64
	// Version is the service's, for OpenAPI.
	Version string
	// Rate is how many requests a second one principal may send for long, Burst how
	// many at once; 0 for any number.
	Rate  float64
	Burst int
	// Draining is closed when the process stops: streams and waits end, and their
	// clients go on with the next process. Nil for never.
	Draining <-chan struct{}
	// Heartbeat is how often a stream shows that it lives; 0 for 15 s. SlowClient is
	// how long a client may leave what it is sent unread; 0 for 10 s.
	Heartbeat, SlowClient time.Duration
}

func (o Options) withDefaults() Options {
	if o.Address == nil {
		o.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = nobody{}
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.SlowClient == 0 {
		o.SlowClient = 10 * time.Second
	}
	return o
}

// handlers are the endpoints with what they need.
type handlers struct {
	service Service
	options Options
	router  *router
	api     huma.API
	streams streams
	limits  *limits
}

// New makes the handler of everything below Prefix.
func New(service Service, options Options) http.Handler {
	h := newHandlers(service, options)
	spans := []otelhttp.Option{
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return known(r.Method) + " " + Prefix }),
	}
	if options.Tracing != nil {
		spans = append(spans, otelhttp.WithTracerProvider(options.Tracing))
	}
	return otelhttp.NewHandler(h, "api", spans...)
}

// call is one request on its way through its endpoint.
type call struct {
	context.Context
	principal provision.Principal
	r         *http.Request
	path      string
	span      trace.SpanContext
	// problem is what was answered, for the log; nil where there was none.
	problem *Problem
}

func (c *call) traceID() string { return c.span.TraceID().String() }

// ServeHTTP implements http.Handler.
func (h *handlers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, seen := time.Now(), &statusWriter{ResponseWriter: w}
	ctx := r.Context()
	c := &call{path: r.URL.EscapedPath(), span: spanOf(ctx)}
	c.Context = trace.ContextWithSpanContext(context.WithValue(ctx, callKey{}, c), c.span)
	if trace.SpanFromContext(ctx).IsRecording() {
		c.Context = context.WithValue(ctx, callKey{}, c) // as it is: it is being recorded
	}
	e, found, methods := h.router.find(r.WithContext(c.Context))
	c.r = found
	seen.Header().Set("Cache-Control", "no-store")
	var err error
	if found.URL.Path == documentPath && found.Method == http.MethodGet {
		e, err = documentEndpoint, h.serveDocument(seen)
	} else {
		err = h.answer(seen, c, e, methods)
	}
	if err != nil && seen.status == 0 {
		writeProblem(seen, problemOf(c, err))
	}
	h.observe(c, e, seen.status, time.Since(start))
}

// answer does what the endpoint does, for whom it may. An error was not answered
// yet, unless something was written; a panic becomes one.
func (h *handlers) answer(w *statusWriter, c *call, e *endpoint, methods []string) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			h.options.Log.ErrorContext(c, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if c.principal, err = h.options.Identify(c.r); err != nil {
		return err
	}
	if err := h.limits.take(c.principal); err != nil {
		return err
	}
	if c.principal.Caller.Address == "" {
		c.principal.Caller.Address = h.options.Address(c.r)
	}
	if e == nil {
		if len(methods) == 0 {
			return newProblem(provision.CodeNotFound, "There is no such endpoint; /v1/openapi.json has all of them.")
		}
		p := newProblem(codeMethodNotAllowed, "Here are only "+strings.Join(methods, ", ")+".")
		p.header.Set("Allow", strings.Join(methods, ", "))
		return p
	}
	body, err := h.body(w, c.r)
	if err != nil {
		return err
	}
	c.r.Body = io.NopCloser(bytes.NewReader(body))
	h.deadlines(w, c.r)
	if key := c.r.Header.Get(keyHeader); e.key && validKey(key) {
		return h.once(w, c, e, key, body)
	}
	if have := c.r.Header.Get("If-None-Match"); have != "" && e.method == get && !volatile[e.id] {
		h.router.ServeHTTP(&conditional{statusWriter: w, have: have}, c.r)
		return nil
	}
	h.router.ServeHTTP(w, c.r)
	return nil
}

// body reads a request's whole body, within the limit.
func (h *handlers) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.options.MaxBody))
	var tooLarge *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		return nil, newProblem(provision.CodeTooLarge, fmt.Sprintf("The body is larger than %d bytes.", tooLarge.Limit))
	case errors.As(err, &network) && network.Timeout():
		return nil, newProblem(codeTimeout, "The body did not arrive in time.")
	default:
		return nil, newProblem(codeMalformed, "The body cannot be read to its end.")
	}
}

// deadlines are those of the connection for a request that waits: the server's own
// would end it, see Waits.
func (h *handlers) deadlines(w http.ResponseWriter, r *http.Request) {
	if !Waits(r) {
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // a connection without deadlines has none that ends it
	_ = control.SetWriteDeadline(time.Now().Add(maxWait + h.options.SlowClient))
}

// Waits says whether a request may take long because it waits for something: a
// server must not count it among those that it is busy with, nor end it before a
// minute (a stream: ever).
func Waits(r *http.Request) bool {
	return wantsStream(r) || r.URL.Query().Has("wait")
}

// waiting is a context for waiting: it ends with the request, after a time, or when
// the process stops.
func (h *handlers) waiting(c *call, most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(c, most)
	if h.options.Draining != nil {
		go func() {
			select {
			case <-h.options.Draining:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// draining says whether the process stops.
func (h *handlers) draining() bool {
	select {
	case <-h.options.Draining:
		return true
	default:
		return false // nil is never
	}
}

func (h *handlers) observe(c *call, e *endpoint, status int, took time.Duration) {
	route := Prefix + "unknown"
	if e != nil {
		route = e.path
	}
	trace.SpanFromContext(c).SetName(known(c.r.Method) + " " + route) // until now it was not known
	h.options.Metrics.Request(known(c.r.Method), route, status, took)
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("trace_id", c.traceID()), slog.String("method", known(c.r.Method)), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took), slog.String("principal", c.principal.Name),
	}
	if p := c.problem; p != nil {
		attrs = append(attrs, slog.String("code", string(p.Code)), slog.String("error", p.Detail))
		if p.cause != nil {
			attrs = append(attrs, slog.String("cause", p.cause.Error()))
		}
	}
	if status >= http.StatusInternalServerError && c.Err() == nil { // else its client has gone
		level = slog.LevelError
	}
	h.options.Log.LogAttrs(c, level, "request", attrs...)
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(p) // the client is gone
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

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// known keeps made-up methods out of logs and metrics.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodHead, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
