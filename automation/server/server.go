package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"redoubt/automation/adminapi"
	orderapi "redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/forwarded"
	"redoubt/automation/provision"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/tracing"
)

// Server is one process of the service.
type Server struct {
	config  Config
	version string
	log     *slog.Logger
	metrics *metrics
	tracing *tracing.Provider
	store   backend.Store
	service *backend.Service
	// catalog is nil for a server that keeps states and provisions nothing.
	catalog      provision.Catalog
	provisioning *provisioning

	main *endpoint
	// side serves metrics and health alone; nil without an address of its own.
	side     *endpoint
	draining atomic.Bool
}

// endpoint is a listener and what answers on it.
type endpoint struct {
	listener net.Listener
	http     *http.Server
}

// Option changes how a server is opened.
type Option func(*Server)

// WithLog says where the log goes; without it there is none. See NewLog.
func WithLog(log *slog.Logger) Option { return func(s *Server) { s.log = log } }

// WithVersion says which version runs.
func WithVersion(version string) Option { return func(s *Server) { s.version = version } }

// WithCatalog says what can be ordered; without it there is no self-service.
func WithCatalog(c provision.Catalog) Option { return func(s *Server) { s.catalog = c } }

// Open opens listener, keys and database, and brings the database's schema up
// to date. Nothing is answered before Run. Close closes what it opened.
func Open(ctx context.Context, config Config, options ...Option) (_ *Server, err error) {
	if findings := config.Check(); len(findings) > 0 {
		return nil, &ConfigError{findings}
	}
	s := &Server{config: config, version: "dev", log: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(s)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	s.metrics = newMetrics(s.version)
	if s.tracing, err = tracing.Open(ctx, s.tracingOptions()); err != nil {
		return nil, err
	}
	// First what fails most often, and costs nothing if something else fails.
	if s.main, err = s.listen(config.Listen, true); err != nil {
		return nil, err
	}
	if config.Metrics.Listen != "" {
		if s.side, err = s.listen(config.Metrics.Listen, false); err != nil {
			return nil, err
		}
	}
	// The database is locked before the keys are opened, which may make a key
	// file.
	if s.store, err = openStore(ctx, config); err != nil {
		return nil, err
	}
	s.metrics.watch(s.store)
	keys, err := openKeys(ctx, config, s.log)
	if err != nil {
		return nil, err
	}
	if s.provisioning, err = s.newProvisioning(); err != nil {
		return nil, err
	}
	s.service = backend.New(&observedStore{s.store, s.metrics}, keys, backend.Options{
		Lease: config.Leases.Duration, FirstLease: config.Leases.First,
		KeepStates: config.Retention.States, KeepJournals: config.Retention.Journals, KeepEvents: config.Retention.Events,
		KeepTokens: config.Retention.Secrets,
		Authorize:  s.provisioning.authorize(config), Log: s.log,
	})
	signing, err := s.signingKey(ctx)
	if err != nil {
		return nil, err
	}
	if s.provisioning != nil {
		if err := s.provisioning.open(ctx, signing); err != nil {
			return nil, err
		}
	}
	s.route(signing)
	return s, nil
}

func (s *Server) listen(address string, secure bool) (*endpoint, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w (another address: --listen)", err)
	}
	e := &endpoint{listener: listener, http: &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: s.config.Limits.Request, IdleTimeout: 2 * time.Minute,
		// Longer than a request may take, so that its own answer is sent.
		WriteTimeout:   s.config.Limits.Request + 10*time.Second,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}}
	if secure && s.config.TLS.Certificate != "" {
		c, err := openCertificate(s.config.TLS, s.log)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("the certificate: %w", err), listener.Close())
		}
		e.http.TLSConfig = c.config()
		e.listener = tls.NewListener(listener, e.http.TLSConfig)
	}
	return e, nil
}

// signingKey is the installation's, with words about what to do without it.
func (s *Server) signingKey(ctx context.Context) ([]byte, error) {
	key, err := s.service.SigningKey(ctx)
	if backend.CodeOf(err) == backend.CodeUnavailable && errors.Unwrap(err) != nil {
		return nil, fmt.Errorf("%w: %w (every process on a database needs the same keys: is its %s in %s, or keys.source as it was?)",
			err, errors.Unwrap(err), keyFile, s.config.Data)
	}
	return key, err
}

// route puts the handlers together.
func (s *Server) route(signing []byte) {
	address := forwarded.Proxies(s.config.Proxy.Trusted).Address
	pulumi := pulumiapi.New(s.service, pulumiapi.Options{
		PublicURL: s.config.PublicURL, DefaultOrg: s.config.Organization, TrustedProxies: s.config.Proxy.Trusted,
		SignKey: signing, Log: s.log, Metrics: s.metrics,
	})
	admin := adminapi.New(s.service, adminapi.Options{Address: address, Log: s.log, Metrics: s.metrics})
	var orders, browsers http.Handler
	if s.provisioning != nil && s.config.Provisioning.Role != roleWorker {
		orders, browsers = s.provisioning.handlers(address)
	}
	// No http.ServeMux: it would redirect a path with .. in it to another one.
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, adminapi.Prefix):
			admin.ServeHTTP(w, r)
		case orders != nil && strings.HasPrefix(r.URL.Path, orderapi.Prefix):
			orders.ServeHTTP(w, r)
		case browsers != nil && strings.HasPrefix(r.URL.Path, "/auth/"):
			browsers.ServeHTTP(w, r)
		default:
			pulumi.ServeHTTP(w, r)
		}
	})
	limited := s.limited(api)
	served := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if orders != nil && strings.HasPrefix(r.URL.Path, orderapi.Prefix) && orderapi.Waits(r) {
			api.ServeHTTP(w, r) // it waits, and is no work meanwhile
			return
		}
		limited.ServeHTTP(w, r)
	})
	health := map[string]http.Handler{"/healthz": http.HandlerFunc(s.healthz), "/readyz": http.HandlerFunc(s.readyz)}
	watched := maps.Clone(health)
	if s.config.Metrics.Path != metricsOff {
		watched[s.config.Metrics.Path] = s.metrics.handler()
	}
	if s.side == nil {
		s.main.http.Handler = exact(watched, served)
		return
	}
	s.main.http.Handler = exact(health, served)
	s.side.http.Handler = exact(watched, http.NotFoundHandler())
}

// exact hands a request on by its path, as it is.
func exact(paths map[string]http.Handler, otherwise http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := paths[r.URL.Path]; ok {
			h.ServeHTTP(w, r)
			return
		}
		otherwise.ServeHTTP(w, r)
	})
}

func (s *Server) sides() []*endpoint {
	if s.side == nil {
		return nil
	}
	return []*endpoint{s.side}
}

// Bootstrap makes the first token, an administrator's, and the organization, of
// an installation that has no token; it returns the token, or nothing where
// there is one already. The token is not kept anywhere: show it, or lose it.
func (s *Server) Bootstrap(ctx context.Context) (token string, err error) {
	return s.service.Bootstrap(ctx, s.config.Organization)
}

// Service has the use cases, for tests and for a runner in this process.
func (s *Server) Service() *backend.Service { return s.service }

// Addr is the address that it listens on.
func (s *Server) Addr() net.Addr { return s.main.listener.Addr() }

// MetricsAddr is the address of metrics and health; nil without one of their own.
func (s *Server) MetricsAddr() net.Addr {
	if s.side == nil {
		return nil
	}
	return s.side.listener.Addr()
}

// Orders says where the orders that this process runs go: "rehearsal", "aws" or
// "ambient"; empty where it takes or runs none.
func (s *Server) Orders() string {
	if s.provisioning == nil {
		return ""
	}
	return s.config.Provisioning.Account
}

// URL is the address to log in to.
func (s *Server) URL() string {
	if s.config.PublicURL != "" {
		return strings.TrimSuffix(s.config.PublicURL, "/")
	}
	scheme := "http"
	if s.config.TLS.Certificate != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		return scheme + "://" + s.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Close closes the listeners and the database. It may be called again.
func (s *Server) Close() error {
	var failures []error
	for _, e := range append(s.sides(), s.main) {
		if e == nil {
			continue
		}
		_ = e.http.Close() // requests that Run waited for in vain
		if err := e.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			failures = append(failures, err)
		}
	}
	if s.provisioning != nil {
		failures = append(failures, s.provisioning.close())
		s.provisioning = nil
	}
	failures = append(failures, s.tracing.Close())
	s.tracing = nil
	if s.store != nil {
		failures = append(failures, s.store.Close())
		s.store = nil
	}
	return errors.Join(failures...)
}
