package provision

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"redoubt/automation/backend"
)

// Options of a service. The zero value of each has a meaning.
type Options struct {
	// Quota is what holds where a project says nothing; 0 for no bound but these:
	// 5 concurrent operations, 30 stacks, 100 in the queue.
	Quota Quota
	// QueueExpiry is how long an operation may wait for a worker; 0 for seven days.
	QueueExpiry time.Duration
	// ApprovalExpiry is how long one may wait for approval; 0 for 24 hours.
	ApprovalExpiry time.Duration
	// Key is the installation's, 32 bytes: backend.Service.SigningKey.
	Key []byte
	// Rehearse is the setting of new projects that do not say.
	Rehearse bool
	// Log is for what only operators see; nil for none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	or := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	or(&o.Quota.Concurrent, 5)
	or(&o.Quota.Stacks, 30)
	or(&o.Quota.Queued, 100)
	if o.QueueExpiry == 0 {
		o.QueueExpiry = 7 * 24 * time.Hour
	}
	if o.ApprovalExpiry == 0 {
		o.ApprovalExpiry = 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Service has the use cases; it is safe for concurrent use.
type Service struct {
	store      Store
	backend    *backend.Service
	catalog    Catalog
	authorizer Authorizer
	dispatcher Dispatcher
	opts       Options
	// changed tells who waits for an operation's events in this process.
	changed notifier
	// near are told of operations that wait for a worker.
	near near
	// pruned is when old answers to requests were last forgotten here.
	pruned atomic.Int64
}

// New makes the service. The backend service is on the same database as the store.
func New(store Store, stacks *backend.Service, catalog Catalog, authorizer Authorizer, dispatcher Dispatcher, opts Options) *Service {
	return &Service{store: store, backend: stacks, catalog: catalog, authorizer: authorizer, dispatcher: dispatcher, opts: opts.withDefaults()}
}

// entropy makes the ids of one process sort as they were made, within a millisecond
// too.
var entropy = &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}

// newID is a prefix and a ULID: sortable by time, unique.
func newID(prefix string) string {
	return prefix + "_" + strings.ToLower(ulid.MustNew(ulid.Now(), entropy).String())
}

// wake asks for a worker: first of this process, then of any. Where it fails the sweep
// finds the operation.
func (s *Service) wake(ctx context.Context, o Operation) {
	s.near.tell(o.Kind)
	if err := s.dispatcher.Wake(context.WithoutCancel(ctx), o.ID, o.Kind, o.Priority); err != nil {
		s.opts.Log.WarnContext(ctx, "no worker could be asked for; the sweep will", "operation", o.ID, "error", err)
	}
}
