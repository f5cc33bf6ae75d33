package adminapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"redoubt/automation/backend"
)

// maxBody is in bytes; nothing here is large.
const maxBody = 1 << 20

// Options of a handler. The zero value of each has a meaning.
type Options struct {
	// Address says where a request comes from, for the audit log; nil for the
	// connection's other end.
	Address func(*http.Request) string
	// Log gets a line a request; nil for none.
	Log *slog.Logger
	// Metrics is told of each request; nil for nobody.
	Metrics interface {
		Request(method, route string, status int, took time.Duration)
	}
}

// New makes the handler of everything below Prefix.
func New(service *backend.Service, options Options) http.Handler {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Address == nil {
		options.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	mux, unknown := http.NewServeMux(), serve(service, options, endpoint{path: "unknown", do: func(*call) (any, error) {
		return nil, backend.Fail(backend.CodeNotFound, "there is no such endpoint, or not with this method")
	}})
	for _, e := range endpoints() {
		mux.Handle(e.method+" "+Prefix+e.path, serve(service, options, e))
	}
	mux.Handle("/", unknown)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would redirect such a path, and a client would follow: `..` as
		// a name must not lead to something else.
		if r.URL.Path != path.Clean(r.URL.Path) {
			unknown.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// call is one request on its way through its endpoint.
type call struct {
	service *backend.Service
	r       *http.Request
	caller  backend.Caller
}

func (c *call) ctx() context.Context { return c.r.Context() }

func (c *call) stack() backend.StackName {
	return backend.StackName{Org: c.r.PathValue("org"), Project: c.r.PathValue("project"), Stack: c.r.PathValue("stack")}
}

func serve(service *backend.Service, options Options, e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, id := time.Now(), rand.Text()
		c := &call{service: service, r: r}
		answer, err := c.run(options, e)
		status := e.status
		if err != nil {
			problem := problemOf(err, id)
			status = problem.Status
			write(w, status, "application/problem+json", problem)
		} else {
			write(w, status, "application/json", answer)
		}
		took := time.Since(start)
		if options.Metrics != nil {
			options.Metrics.Request(known(r.Method), Prefix+e.path, status, took)
		}
		level, attrs := slog.LevelInfo, []slog.Attr{
			slog.String("request", id), slog.String("method", known(r.Method)), slog.String("route", Prefix+e.path),
			slog.Int("status", status), slog.Duration("took", took), slog.String("principal", c.caller.Principal()), slog.String("token_id", c.caller.Token.ID),
		}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
			if cause := errors.Unwrap(err); cause != nil {
				attrs = append(attrs, slog.String("cause", cause.Error()))
			}
		}
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
		options.Log.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// run does what the endpoint does, for whom it may; a panic becomes an error.
func (c *call) run(options Options, e endpoint) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			options.Log.ErrorContext(c.ctx(), "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			answer, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	scheme, credential, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "token") && !strings.EqualFold(scheme, "bearer") {
		return nil, backend.Fail(backend.CodeUnauthenticated, "an access token is needed: Authorization: token …")
	}
	if c.caller, err = c.service.Authenticate(c.ctx(), strings.TrimSpace(credential)); err != nil {
		return nil, err
	}
	c.caller.Address = options.Address(c.r)
	return e.do(c)
}

// body reads a JSON object. Fields that nobody knows are refused: a misspelt
// one would grant or protect something else than was meant.
func body[T any](c *call) (in T, err error) {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, c.r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&in)
	if err == nil {
		if _, err := decoder.Token(); err != io.EOF { //nolint:errorlint // Token returns it bare
			return in, backend.Fail(backend.CodeInvalid, "the body is more than one JSON object")
		}
		return in, nil
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return in, backend.Fail(backend.CodeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	return in, backend.Fail(backend.CodeInvalid, "the body is not the JSON object that is expected: %v", err)
}

// statuses are the HTTP statuses of the service's codes, with their titles.
var statuses = map[backend.Code]struct {
	status int
	title  string
}{
	backend.CodeInvalid:         {http.StatusBadRequest, "The request cannot be right"},
	backend.CodeUnauthenticated: {http.StatusUnauthorized, "A good access token is needed"},
	backend.CodeForbidden:       {http.StatusForbidden, "The access token may not do that"},
	backend.CodeNotFound:        {http.StatusNotFound, "There is no such thing"},
	backend.CodeConflict:        {http.StatusConflict, "The state of things does not allow it"},
	backend.CodeTooLarge:        {http.StatusRequestEntityTooLarge, "The request is too large"},
	backend.CodeUnavailable:     {http.StatusServiceUnavailable, "Something that is needed does not answer"},
}

func problemOf(err error, id string) *Problem {
	var e *backend.Error
	if errors.As(err, &e) {
		if s, ok := statuses[e.Code]; ok {
			return &Problem{Title: s.title, Status: s.status, Detail: e.Message, Code: e.Code, Instance: id}
		}
	}
	return &Problem{
		Title: "Something went wrong in the service", Status: http.StatusInternalServerError, Code: "internal",
		Detail: "something went wrong in the service; its log says more under request " + id, Instance: id,
	}
}

func write(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Cache-Control", "no-store") // a new token is in one of them
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the client is gone
}

// known keeps made-up methods out of logs and metrics.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodHead, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
