package provision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/cedar"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// test is one promise of the use cases. Each gets a database of its own.
type test struct {
	name string
	run  func(t *testing.T, w *world)
}

// all are the promises that hold on both databases.
func all() []test {
	return slices.Concat(
		environmentTests, orderTests, accessTests, decisionTests, cancelTests, waitTests, replyTests, stateTests, projectTests,
		waiverTests, bindingTests, referenceTests, abandonTests, intakeTests, webhookTests, scheduleTests, lifeTests, checkpointTests,
		tokenTests, quotaTests, queueTests, pruneTests, breakGlassTests,
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

// world is a service on a database, with an organization, a project of it, and
// people with roles in that.
type world struct {
	*provision.Service
	store   *shifted
	backend *backend.Service
	catalog catalog
	// policies are those that the service has by default.
	policies *cedar.Authorizer
	woken    *dispatcher
	project  provision.Project
	// log is what operators see.
	log *buffer

	admin, owner, requester, operator, viewer, approver, second, policy, stranger, robot provision.Principal
}

const org = "acme"

func newWorld(t testing.TB, database string) *world {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	base, err := sql.Open(ctx, database, sql.WithConnections(4))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, base.Close()) })
	store, ok := sql.Provisioning(base)
	require.True(t, ok)
	w := &world{store: &shifted{Store: store}, woken: &dispatcher{}, log: &buffer{}, catalog: catalog{bucket(), box(), shelf()}}
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
	require.NoError(t, err)
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.backend = backend.New(base, ring, backend.Options{Log: log})
	_, err = w.backend.Bootstrap(ctx, org)
	require.NoError(t, err)
	w.policies, err = cedar.New(cedar.Options{})
	require.NoError(t, err)
	w.Service = w.node()
	people := map[*provision.Principal]struct {
		name string
		role provision.Role
		on   string
	}{
		&w.admin:     {"root", provision.OrgAdmin, "*"},
		&w.owner:     {"olga", provision.ProjectAdmin, "acme/shop"},
		&w.requester: {"rita", provision.Requester, "acme/shop"},
		&w.operator:  {"omar", provision.Operator, "acme/shop"},
		&w.viewer:    {"vera", provision.Viewer, "acme/shop"},
		&w.approver:  {"anna", provision.Approver, "acme/shop"},
		&w.second:    {"bert", provision.Approver, "acme/shop"},
		&w.policy:    {"paul", provision.PolicyOwner, "acme/shop"},
		&w.stranger:  {"sven", provision.ProjectAdmin, "acme/other"},
	}
	w.update(t, func(tx provision.Tx) error {
		for p, is := range people {
			*p = human(is.name)
			if err := tx.CreateBinding(provision.Binding{
				ID: "bnd_" + is.name, Subject: "user:" + is.name, Role: is.role, Scope: is.on, Version: 1, CreatedAt: tx.Now(),
			}); err != nil {
				return err
			}
		}
		return tx.CreateBinding(provision.Binding{
			ID: "bnd_robot", Subject: "service_account:robot", Role: provision.ProjectAdmin, Scope: "acme/shop", Version: 1, CreatedAt: tx.Now(),
		})
	})
	w.robot = provision.Principal{Kind: provision.ServiceAccount, Name: "robot", Human: "rita", AuthMethod: "token", MFA: true}
	w.project, err = w.CreateProject(ctx, w.admin, provision.NewProject{Org: org, Name: "shop"})
	require.NoError(t, err)
	return w
}

// node is one more process on the same database.
func (w *world) node() *provision.Service {
	return provision.New(w.store, w.backend, w.catalog, w.policies, w.woken, provision.Options{
		Key: bytes.Repeat([]byte{7}, 32), Queues: w.woken,
		Policies: func(context.Context) ([]string, error) {
			return []string{"kms-rotation", "s3-versioning", "s3-versioning-mfa"}, nil
		},
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

func human(name string) provision.Principal {
	return provision.Principal{
		Kind: provision.Human, Name: name, Human: name, MFA: true, AuthMethod: "oidc",
		Caller: backend.Caller{Address: "192.0.2.7"},
	}
}

// update writes to the database behind the service's back.
func (w *world) update(t testing.TB, do func(provision.Tx) error) {
	t.Helper()
	require.NoError(t, w.store.Update(context.WithoutCancel(t.Context()), do))
}

func (w *world) settings(t testing.TB, s provision.ProjectSettings) {
	t.Helper()
	_, err := w.UpdateProject(t.Context(), w.owner, w.project.ID, 0, provision.ProjectPatch{Settings: &s})
	require.NoError(t, err)
}

// environment makes a stack of the blueprint "bucket", by the requester, that is
// not protected.
func (w *world) environment(t testing.TB, name string) (provision.Environment, provision.Operation) {
	t.Helper()
	env, o, err := w.CreateEnvironment(t.Context(), w.requester, newBucket(w, name))
	require.NoError(t, err)
	return env, o
}

func newBucket(w *world, name string) provision.NewEnvironment {
	no := false
	return provision.NewEnvironment{ProjectID: w.project.ID, Name: name, Blueprint: "bucket", Inputs: json.RawMessage(`{"name":"logs"}`), Protected: &no}
}

// moved brings an operation along states, as a worker does.
func (w *world) moved(t testing.TB, id string, states ...provision.State) provision.Operation {
	t.Helper()
	var o provision.Operation
	w.update(t, func(tx provision.Tx) (err error) {
		if o, err = tx.LockOperation(id); err != nil {
			return err
		}
		for _, next := range states {
			if err := provision.Move(tx, &o, next, provision.Actor{Kind: provision.System, Name: "redoubt"}, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return o
}

// waiting brings an operation to where it waits for approval of a plan.
func (w *world) waiting(t testing.TB, id string, digest string, required ...provision.RequiredApproval) provision.Operation {
	t.Helper()
	var o provision.Operation
	w.update(t, func(tx provision.Tx) (err error) {
		if o, err = tx.LockOperation(id); err != nil {
			return err
		}
		o.Plan, o.Required = &provision.Plan{Digest: digest}, required
		for _, next := range []provision.State{provision.Preparing, provision.Previewing, provision.AwaitingApproval} {
			o.DeadlineAt = tx.Now().Add(24 * time.Hour)
			if err := provision.Move(tx, &o, next, provision.Actor{Kind: provision.System, Name: "redoubt"}, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return o
}

// kept is an operation as the database has it.
func (w *world) kept(t testing.TB, id string) (o provision.Operation) {
	t.Helper()
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) { o, err = tx.Operation(id); return err }))
	return o
}

// entries are the audit log.
func (w *world) entries(t testing.TB) (entries []backend.AuditEntry) {
	t.Helper()
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) { entries, err = tx.Audit(0, 0); return err }))
	return entries
}

func (w *world) last(t testing.TB) backend.AuditEntry {
	t.Helper()
	entries := w.entries(t)
	return entries[len(entries)-1]
}

// rows is everything that an order leaves, in numbers and versions: what is the
// same before and after has changed nothing.
func (w *world) rows(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
		stacks, err1 := tx.Stacks(backend.StackQuery{})
		projects, err2 := tx.Projects("", "", 0)
		environments, err3 := tx.Environments(provision.EnvironmentQuery{})
		operations, err4 := tx.Operations(provision.OperationQuery{})
		bindings, err5 := tx.Bindings()
		hooks, err6 := tx.Webhooks(org)
		if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
			return err
		}
		fmt.Fprintf(&b, "stacks %d bindings %d\n", len(stacks), len(bindings))
		for _, p := range projects {
			waivers, err := tx.Waivers(p.ID)
			if err != nil {
				return err
			}
			fmt.Fprintln(&b, p.ID, p.Version, len(waivers))
		}
		for _, e := range environments {
			fmt.Fprintln(&b, e.ID, e.Version)
		}
		for _, o := range operations {
			events, err1 := tx.EventsAfter(o.ID, 0, 0)
			approvals, err2 := tx.Approvals(o.ID)
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			fmt.Fprintln(&b, o.ID, o.Version, o.State, len(events), len(approvals))
		}
		for _, h := range hooks {
			deliveries, err := tx.Deliveries(h.ID, "", 0)
			if err != nil {
				return err
			}
			fmt.Fprintln(&b, h.ID, len(deliveries))
		}
		return nil
	}))
	return b.String()
}

// unchanged requires that do is refused with a code, says some words, and leaves
// nothing but an entry in the audit log, of a denial, where it is one.
func (w *world) unchanged(t testing.TB, code provision.Code, words string, do func() error) *provision.Error {
	t.Helper()
	rows, entries, woken := w.rows(t), w.entries(t), w.woken.count()
	err := do()
	require.Equal(t, code, provision.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, words)
	require.Equal(t, rows, w.rows(t), "it was refused, and changed something")
	require.Equal(t, woken, w.woken.count(), "it was refused, and asked for a worker")
	after := w.entries(t)[len(entries):]
	for _, e := range after {
		require.True(t, e.Denied, "%+v", e)
	}
	require.LessOrEqual(t, len(after), 1)
	if code == provision.CodeForbidden {
		require.Len(t, after, 1, "a refusal is recorded")
	}
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	return e
}

// fails requires an error that people are told, with a code and some words.
func fails(t testing.TB, err error, code provision.Code, words ...string) {
	t.Helper()
	require.Equal(t, code, provision.CodeOf(err), "%v", err)
	for _, w := range words {
		require.ErrorContains(t, err, w)
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.store.ahead.Add(int64(d)) }

// shifted is a store whose clock can be set ahead.
type shifted struct {
	provision.Store
	ahead atomic.Int64
}

func (s *shifted) View(ctx context.Context, read func(provision.Tx) error) error {
	return s.Store.View(ctx, func(tx provision.Tx) error { return read(&shiftedTx{tx, s}) })
}

func (s *shifted) Update(ctx context.Context, write func(provision.Tx) error) error {
	return s.Store.Update(ctx, func(tx provision.Tx) error { return write(&shiftedTx{tx, s}) })
}

type shiftedTx struct {
	provision.Tx
	s *shifted
}

func (t *shiftedTx) Now() time.Time { return t.Tx.Now().Add(time.Duration(t.s.ahead.Load())) }

// catalog is what can be ordered in the tests.
type catalog []provision.Blueprint

func (c catalog) Blueprints() []provision.Blueprint { return c }

func (c catalog) Blueprint(name, version string) (provision.Blueprint, error) {
	for _, b := range c {
		if b.Name == name && (version == "" || version == b.Version) {
			return b, nil
		}
	}
	return provision.Blueprint{}, errors.New("none")
}

// bucket has a plain input, box a secret one too.
func bucket() provision.Blueprint {
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: "bucket", Version: "1.0.0", Digest: "sha256:b1"},
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["name"],"properties":{
			"name":{"type":"string","pattern":"^[a-z-]+$"},"size":{"type":"integer","minimum":1},"owner":{"type":"string","format":"email"}}}`),
	}
}

// shelf stands on another stack.
func shelf() provision.Blueprint {
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: "shelf", Version: "1.0.0", Digest: "sha256:b3"},
		Schema:       json.RawMessage(`{"type":"object","additionalProperties":false,"required":["on"],"properties":{"on":{"type":"string"}}}`),
		StackInputs:  []string{"/on"},
	}
}

func box() provision.Blueprint {
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: "box", Version: "2.0.0", Digest: "sha256:b2"},
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["password"],"properties":{
			"password":{"type":"string","pattern":"^[^ ]+$","minLength":8},
			"users":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string"},"pin":{"type":"integer","maximum":9999}}}},
			"size":{"type":"integer"}}}`),
		SecretInputs: []string{"/password", "/users/*/pin"},
		Limits:       provision.BlueprintLimits{MaxTTLHours: 48},
		Check: func(inputs json.RawMessage) (json.RawMessage, []provision.FieldError) {
			var v map[string]any
			if err := json.Unmarshal(inputs, &v); err != nil {
				return nil, []provision.FieldError{{Message: err.Error()}}
			}
			if _, ok := v["size"]; !ok {
				v["size"] = 7
			}
			if v["size"] == 13.0 {
				return nil, []provision.FieldError{{Pointer: "/size", Message: "brings bad luck"}}
			}
			text, err := json.Marshal(v)
			if err != nil {
				return nil, []provision.FieldError{{Message: err.Error()}}
			}
			return text, nil
		},
	}
}

// dispatcher notes for what workers were asked, and which queues are paused.
type dispatcher struct {
	mu     sync.Mutex
	ids    []string
	paused []string
}

func (d *dispatcher) Pause(_ context.Context, queue string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paused = append(d.paused, queue)
	return nil
}

func (d *dispatcher) Resume(_ context.Context, queue string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paused = slices.DeleteFunc(d.paused, func(q string) bool { return q == queue })
	return nil
}

func (d *dispatcher) Paused(_ context.Context, queue string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.paused, queue), nil
}

func (d *dispatcher) Wake(_ context.Context, id string, _ provision.OperationKind, _ int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, id)
	return nil
}

func (d *dispatcher) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ids)
}

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
