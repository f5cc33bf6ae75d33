package backend

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// Options of a service. The zero value of each has a meaning.
type Options struct {
	// Lease is how long an update may be silent before it is closed. The stock
	// CLI renews every 150 s or so, and whatever else it sends counts too; 0
	// for six minutes, which the CLI's own retries fit into.
	Lease time.Duration
	// FirstLease is Lease until the client is first heard of after its start:
	// one that dies before that tells nobody. 0 for 90 s.
	FirstLease time.Duration
	// KeepStates is how many old states of a stack are kept; 0 for 100.
	KeepStates int
	// KeepJournals is how long the journals of closed updates are kept, to look
	// into what went wrong; 0 for seven days. KeepEvents is the same for events
	// and dry runs; 0 for 30 days.
	KeepJournals, KeepEvents time.Duration
	// KeepTokens is how long the tokens of operations are kept that are good for
	// nothing any more; 0 for 30 days.
	KeepTokens time.Duration
	// Authorize is asked after a token's grants; nil means the grants alone.
	Authorize Authorize
	// Version is who says so in states that are put together here, where the
	// client does not say its own.
	Version string
	// Log is for what only operators see; nil for none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Lease == 0 {
		o.Lease = 6 * time.Minute
	}
	if o.FirstLease == 0 {
		o.FirstLease = min(90*time.Second, o.Lease)
	}
	if o.KeepStates == 0 {
		o.KeepStates = 100
	}
	if o.KeepJournals == 0 {
		o.KeepJournals = 7 * 24 * time.Hour
	}
	if o.KeepEvents == 0 {
		o.KeepEvents = 30 * 24 * time.Hour
	}
	if o.KeepTokens == 0 {
		o.KeepTokens = 30 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Service has the use cases; it is safe for concurrent use.
type Service struct {
	store Store
	keys  *keyCache
	// leases spares the database a question for each batch of a journal.
	leases leaseCache
	opts   Options
}

// New makes the service on a store.
func New(store Store, ring Keyring, opts Options) *Service {
	return &Service{
		store: store, opts: opts.withDefaults(),
		keys: &keyCache{ring: ring, store: store, keys: map[string]*stackKeys{}},
	}
}

// Ping says whether the database answers.
func (s *Service) Ping(ctx context.Context) error { return s.store.Ping(ctx) }

// newID is a prefix and a ULID: sortable by time, unique.
func newID(prefix string) string {
	return prefix + "_" + strings.ToLower(ulid.MustNew(ulid.Now(), rand.Reader).String())
}
