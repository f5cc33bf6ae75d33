package backend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// test is one promise of the service. Each gets a database of its own.
type test struct {
	name string
	run  func(t *testing.T, w *world)
}

// all are the promises that hold on both databases.
func all() []test {
	return slices.Concat(
		tokenTests, tokenRecoveryTests, operationTokenTests, authorizationTests, stackTests, leaseTests, fencingTests, journalTests,
		checkpointTests, closingTests,
		recoveryTests, restoredTests, salvageTests, historyTests, packTests, complianceTests, secretTests, keyTests, auditTests, nodeTests,
	)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	for _, c := range all() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, newWorld(t, filepath.Join(t.TempDir(), "data")))
		})
	}
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	for _, c := range all() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, newWorld(t, postgrestest.Database(t)))
		})
	}
}

// world is a service on a database, with an organization and its administrator.
type world struct {
	*backend.Service
	store *shifted
	ring  backend.Keyring
	// keys is the key file, database the database's address.
	keys, database string
	// credential is the administrator's.
	credential string
	admin      backend.Caller
	log        *buffer
}

const org = "acme"

// lease is how long leases are in the tests, and first how long the first one is.
const (
	lease = 6 * time.Minute
	first = 90 * time.Second
)

func newWorld(t testing.TB, database string) *world {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	store, err := sql.Open(ctx, database, sql.WithConnections(4))
	require.NoError(t, err)
	w := &world{store: &shifted{Store: store}, keys: filepath.Join(t.TempDir(), "keys.json"), database: database, log: &buffer{}}
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	w.ring, err = keyfile.Open(w.keys)
	require.NoError(t, err)
	w.Service = w.node(w.ring)
	w.credential, err = w.Bootstrap(ctx, org)
	require.NoError(t, err)
	w.admin, err = w.Authenticate(ctx, w.credential)
	require.NoError(t, err)
	return w
}

// node is one more process on the same database.
func (w *world) node(ring backend.Keyring) *backend.Service {
	return backend.New(w.store, ring, backend.Options{
		Lease: lease, FirstLease: first, KeepStates: 3,
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

// person is somebody with a token for some stacks.
func (w *world) person(t testing.TB, principal, stacks string, verbs ...backend.Verb) backend.Caller {
	t.Helper()
	_, credential, err := w.CreateToken(t.Context(), w.admin, backend.NewToken{
		Name: "for a test", Principal: principal, Grants: []backend.Grant{{Stacks: stacks, Verbs: verbs}},
	})
	require.NoError(t, err)
	caller, err := w.Authenticate(t.Context(), credential)
	require.NoError(t, err)
	return caller
}

// stack makes a stack of project shop.
func (w *world) stack(t testing.TB, name string) backend.StackName {
	t.Helper()
	made, err := w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: backend.StackName{Org: org, Project: "shop", Stack: name}})
	require.NoError(t, err)
	return made.Name
}

// begin starts an update by the administrator that sends a journal.
func (w *world) begin(t testing.TB, name backend.StackName) backend.UpdateRef {
	t.Helper()
	return w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, true)
}

func (w *world) start(t testing.TB, name backend.StackName, n backend.NewUpdate, journal bool) backend.UpdateRef {
	t.Helper()
	update, _, err := w.CreateUpdate(t.Context(), w.admin, name, n)
	require.NoError(t, err)
	lease, err := w.StartUpdate(t.Context(), w.admin, name, update.ID, nil, journal)
	require.NoError(t, err)
	return backend.UpdateRef{Name: name, ID: update.ID, Token: lease.Token}
}

// appended stores entries that must be taken.
func (w *world) appended(t testing.TB, ref backend.UpdateRef, entries ...json.RawMessage) {
	t.Helper()
	require.NoError(t, w.AppendJournal(t.Context(), ref, entries))
}

// update runs an update that makes resources, to its end.
func (w *world) update(t testing.TB, name backend.StackName, resources ...string) {
	t.Helper()
	ref := w.begin(t, name)
	for i, r := range resources {
		w.appended(t, ref, creating(2*i+1, i+1, r), created(2*i+2, i+1, r))
	}
	require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
}

// imported gives a stack a state with resources.
func (w *world) imported(t testing.TB, name backend.StackName, resources ...string) {
	t.Helper()
	_, err := w.Import(t.Context(), w.admin, name, stateOf(resources...))
	require.NoError(t, err)
}

// updated is an update as it is kept.
func (w *world) updated(t testing.TB, ref backend.UpdateRef) backend.Update {
	t.Helper()
	u, err := w.UpdateOf(t.Context(), w.admin, ref.Name, ref.ID)
	require.NoError(t, err)
	return u
}

// resources are the names of what the newest state has.
func (w *world) resources(t testing.TB, name backend.StackName) []string {
	t.Helper()
	return namesIn(t, w.exported(t, name, 0))
}

func (w *world) exported(t testing.TB, name backend.StackName, version int64) json.RawMessage {
	t.Helper()
	state, err := w.Export(t.Context(), w.admin, name, version)
	require.NoError(t, err)
	return state
}

func namesIn(t testing.TB, state json.RawMessage) []string {
	t.Helper()
	var d struct {
		Deployment struct {
			Resources []struct{ URN string }
		}
	}
	require.NoError(t, json.Unmarshal(state, &d))
	names := []string{}
	for _, r := range d.Deployment.Resources {
		names = append(names, r.URN[len(urn("")):])
	}
	return names
}

// entries are the audit log.
func (w *world) entries(t testing.TB) []backend.AuditEntry {
	t.Helper()
	entries, err := w.Audit(t.Context(), w.admin, 0, 0)
	require.NoError(t, err)
	return entries
}

// last is the newest entry of the audit log.
func (w *world) last(t testing.TB) backend.AuditEntry {
	t.Helper()
	entries := w.entries(t)
	return entries[len(entries)-1]
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.store.ahead.Add(int64(d)) }

// fails requires an error that people are told, with a code and some words.
func fails(t testing.TB, err error, code backend.Code, words ...string) {
	t.Helper()
	require.Equal(t, code, backend.CodeOf(err), "%v", err)
	for _, w := range words {
		require.ErrorContains(t, err, w)
	}
}

func urn(name string) string { return "urn:pulumi:dev::shop::test:index:Thing::" + name }

// creating is the journal entry of a step that begins, created of one that ends.
func creating(sequence, operation int, name string) json.RawMessage {
	return fmt.Appendf(nil, `{"version":1,"kind":0,"sequenceID":%d,"operationID":%d,"operation":{"type":"creating","resource":{"urn":%q,"custom":true,"type":"test:index:Thing"}}}`,
		sequence, operation, urn(name))
}

func created(sequence, operation int, name string) json.RawMessage {
	return fmt.Appendf(nil, `{"version":1,"kind":1,"sequenceID":%d,"operationID":%d,"state":{"urn":%q,"custom":true,"id":"id-%s","type":"test:index:Thing"}}`,
		sequence, operation, urn(name), name)
}

// stateOf is a deployment with resources.
func stateOf(names ...string) json.RawMessage {
	list := []map[string]any{}
	for _, n := range names {
		list = append(list, map[string]any{"urn": urn(n), "custom": true, "id": "id-" + n, "type": "test:index:Thing"})
	}
	text, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{
		"manifest": map[string]any{"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}, "resources": list,
	}})
	if err != nil {
		panic(err) // maps of strings
	}
	return text
}

// shifted is a store whose clock can be set ahead. All that the service knows of
// time comes from there.
type shifted struct {
	backend.Store
	ahead atomic.Int64
	// wrap, if set, sees transactions that write; before and after are called
	// once, before the next of them and after it.
	wrap          func(backend.Tx) backend.Tx
	before, after func()
}

func (s *shifted) View(ctx context.Context, read func(backend.Tx) error) error {
	return s.Store.View(ctx, func(tx backend.Tx) error { return read(&shiftedTx{tx, s}) })
}

func (s *shifted) Update(ctx context.Context, write func(backend.Tx) error) error {
	if before := s.before; before != nil {
		s.before = nil
		before()
	}
	err := s.Store.Update(ctx, func(tx backend.Tx) error {
		tx = &shiftedTx{tx, s}
		if s.wrap != nil {
			tx = s.wrap(tx)
		}
		return write(tx)
	})
	if after := s.after; after != nil {
		s.after = nil
		after()
	}
	return err
}

type shiftedTx struct {
	backend.Tx
	s *shifted
}

func (t *shiftedTx) Now() time.Time { return t.Tx.Now().Add(time.Duration(t.s.ahead.Load())) }

// buffer is a log that is written by many.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// errCut is a database that goes away.
var errCut = errors.New("the cable was cut")

// failing fails where an update is closed.
type failing struct{ backend.Tx }

func (failing) JournalSize(string) (rows, bytes int64, err error) { return 0, 0, errCut }

// rows is a list of JSON texts.
func rows(texts ...json.RawMessage) []json.RawMessage { return texts }
