package pulumiapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/forwarded"
)

// Options of a handler. The zero value of each has a meaning.
type Options struct {
	// PublicURL is the address that people log in to, without a slash at the
	// end: links to policy packs start with it. Empty for the address of the
	// request that asks for one.
	PublicURL string
	// DefaultOrg is the organization of unqualified stack names; empty, or one
	// that the caller may not see, for the first that the caller may.
	DefaultOrg string
	// TrustedProxies are the networks of proxies whose X-Forwarded-For and
	// X-Forwarded-Proto are believed; none for none.
	TrustedProxies forwarded.Proxies
	// SignKey signs the addresses of policy packs, 32 bytes or so. All
	// nodes of an installation need the same: see backend.Service.SigningKey.
	SignKey []byte
	// PackLinkLife is how long such an address is good; 0 for an hour.
	PackLinkLife time.Duration
	// Log gets a line a request; nil for none.
	Log *slog.Logger
	// Metrics is told of each request; nil for nobody.
	Metrics Metrics
}

// Metrics is told what happens. Its methods are called by many goroutines.
type Metrics interface {
	// Request is told of an answered request. route is the pattern of the
	// endpoint, such as "/api/stacks/{org}/{project}/{stack}", and "unknown"
	// where none was found; so the number of routes is small.
	Request(method, route string, status int, took time.Duration)
	// UnknownEndpoint is told of a request that no endpoint answers, with the
	// shape of its path: names in it are replaced, and shapes are few.
	UnknownEndpoint(method, shape string)
}

// Server is the http.Handler; safe for concurrent use.
type Server struct {
	service *backend.Service
	opts    Options
	mux     *http.ServeMux
	shapes  shapes
	// large are the places for bodies that take much memory.
	large chan struct{}
}

// New makes a handler of the service's use cases. It panics where it has no
// key to sign addresses with: that is a mistake of the program.
func New(service *backend.Service, opts Options) *Server {
	if len(opts.SignKey) < 16 {
		panic("pulumiapi: Options.SignKey is missing or too short")
	}
	opts.PackLinkLife = cmp.Or(opts.PackLinkLife, time.Hour)
	opts.PublicURL = strings.TrimSuffix(opts.PublicURL, "/")
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Metrics == nil {
		opts.Metrics = noMetrics{}
	}
	s := &Server{service: service, opts: opts, mux: http.NewServeMux(), large: make(chan struct{}, largeAtOnce)}
	for _, e := range endpoints() {
		s.mux.Handle(e.pattern(), s.serve(e))
		s.shapes.learn(e.path)
	}
	s.mux.Handle("/", s.serve(unknownEndpoint))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The mux would redirect such a path to a clean one, and the CLI would
	// follow: `..` as a stack's name must not lead to something else.
	if p := r.URL.Path; p != path.Clean(p) || strings.Contains(p, "\x00") {
		s.serve(unknownEndpoint).ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

type noMetrics struct{}

func (noMetrics) Request(string, string, int, time.Duration) {}
func (noMetrics) UnknownEndpoint(string, string)             {}

// call is one request on its way through its endpoint.
type call struct {
	*Server
	endpoint endpoint
	id       string
	w        *recorder
	r        *http.Request
	// caller is who asks, of endpoints that need an access token.
	caller backend.Caller
	// lease is the token of endpoints that need one.
	lease string
	// release gives back the place of a large body; nil without one.
	release func()
}

func (c *call) ctx() context.Context { return c.r.Context() }

// stack is the stack that the path names.
func (c *call) stack() backend.StackName {
	return backend.StackName{Org: c.r.PathValue("org"), Project: c.r.PathValue("project"), Stack: c.r.PathValue("stack")}
}

// update is the update that the path names.
func (c *call) update() backend.UpdateRef {
	return backend.UpdateRef{Name: c.stack(), ID: c.r.PathValue("update"), Token: c.lease}
}

// org is the organization that the path names.
func (c *call) org() string { return c.r.PathValue("org") }
