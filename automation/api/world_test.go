package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// world is a served API on a real service and SQLite, with two projects, and people
// with rights in one of them: root may everything, alice all in shop, victor reads
// shop, and nobody nothing.
type world struct {
	service    *faulty
	store      provision.Store
	server     *httptest.Server
	shop, bank provision.Project
	stack      provision.Environment // of shop
	op         provision.Operation   // of stack
	bankStack  provision.Environment
	bankOp     provision.Operation
	bankWaiver provision.Waiver
	shopWaiver provision.Waiver
	hook       provision.Webhook
	delivery   provision.Delivery
	binding    provision.Binding
	token      backend.Token // of service account deploy, which is root's
	queues     *queues
	stacks     *backend.Service
	options    api.Options
}

func principal(name string) provision.Principal {
	return provision.Principal{Kind: provision.Human, Name: name, Human: name, MFA: true, AuthMethod: "token"}
}

// identify takes a name as the token.
func identify(r *http.Request) (provision.Principal, error) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || name == "" {
		return provision.Principal{}, provision.Fail(provision.CodeUnauthenticated, "a token is needed: Authorization: Bearer …")
	}
	if name == "expired" {
		return provision.Principal{}, backend.Fail(backend.CodeUnauthenticated, "the token has expired")
	}
	return principal(name), nil
}

// roles are a table without a language for policies: an administrator of the
// organization may everything here.
type roles struct{}

// Decide implements provision.Authorizer.
func (roles) Decide(_ provision.Principal, bindings []provision.Binding, action provision.Action, on provision.Resource) (provision.Decision, error) {
	inOrg := []provision.Action{provision.ActionCreateProject, provision.ActionManageSettings, provision.ActionReadAudit}
	for _, b := range bindings {
		if b.Role != provision.OrgAdmin && b.Scope != on.Org+"/"+on.Project {
			continue
		}
		if b.Role == provision.OrgAdmin || action == provision.ActionRead || b.Role == provision.ProjectAdmin && !slices.Contains(inOrg, action) {
			return provision.Decision{Allowed: true, Policies: []string{string(b.Role)}}, nil
		}
	}
	return provision.Decision{}, nil
}

// catalog has one blueprint.
type catalog struct{}

var bucket = provision.Blueprint{
	BlueprintRef: provision.BlueprintRef{Name: "secure-bucket", Version: "1.0.0", Digest: "sha256:1"}, Summary: "A bucket.",
	Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["name"],"properties":{
		"name":{"type":"string","description":"What it is called."},"password":{"type":"string"},"days":{"type":"integer","default":30,"minimum":1},
		"users":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"}}}}}}`),
	Example: json.RawMessage(`{"name":"logs"}`), SecretInputs: []string{"/password", "/users/*/key"},
}

// Blueprints implements provision.Catalog.
func (catalog) Blueprints() []provision.Blueprint { return []provision.Blueprint{bucket} }

// Blueprint implements provision.Catalog.
func (catalog) Blueprint(name, version string) (provision.Blueprint, error) {
	if name != bucket.Name || version != "" && version != bucket.Version {
		return provision.Blueprint{}, errors.New("none")
	}
	return bucket, nil
}

// nobody is a dispatcher without workers: tests move operations themselves.
type nobody struct{}

// Wake implements provision.Dispatcher.
func (nobody) Wake(context.Context, string, provision.OperationKind, int) error { return nil }

// stateForm is a stack's state as the engine writes it, with a secret in it.
const stateForm = `{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"resources":[
	{"urn":"urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod","custom":false,"type":"pulumi:pulumi:Stack","outputs":{
		"size":1.50,"password":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":%q}}}]}}`

// queues remember what is paused.
type queues struct {
	mu     sync.Mutex
	paused []string
}

// Pause implements provision.Queues.
func (q *queues) Pause(_ context.Context, queue string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paused = append(q.paused, queue)
	return nil
}

// Resume implements provision.Queues.
func (q *queues) Resume(_ context.Context, queue string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paused = slices.DeleteFunc(q.paused, func(p string) bool { return p == queue })
	return nil
}

// Paused implements provision.Queues.
func (q *queues) Paused(_ context.Context, queue string) (bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Contains(q.paused, queue), nil
}

// faulty is the service, whose orders fail where a fault is set.
type faulty struct {
	api.Service
	mu    sync.Mutex
	fault error
}

func (f *faulty) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = err
}

// Order is the service's.
func (f *faulty) Order(ctx context.Context, p provision.Principal, id string, n provision.NewOperation) (provision.Operation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault != nil {
		return provision.Operation{}, f.fault
	}
	return f.Service.Order(ctx, p, id, n)
}

func open(t testing.TB, change ...func(*api.Options)) *world {
	t.Helper()
	ctx, root, folder := context.WithoutCancel(t.Context()), principal("root"), t.TempDir()
	base, err := sql.Open(ctx, filepath.Join(folder, "data"), sql.WithConnections(4))
	require.NoError(t, err)
	store, ok := sql.Provisioning(base)
	require.True(t, ok)
	ring, err := keyfile.Open(filepath.Join(folder, "keys.json"))
	require.NoError(t, err)
	stacks := backend.New(base, ring, backend.Options{})
	_, err = stacks.Bootstrap(ctx, "acme")
	require.NoError(t, err)
	paused := &queues{}
	service := provision.New(store, stacks, catalog{}, roles{}, nobody{}, provision.Options{Key: bytes.Repeat([]byte{7}, 32), Queues: paused})
	w := &world{service: &faulty{Service: service}, store: store, options: api.Options{Identify: identify}, queues: paused, stacks: stacks}
	for who, is := range map[string]struct {
		role  provision.Role
		scope string
	}{"root": {provision.OrgAdmin, "*"}, "alice": {provision.ProjectAdmin, "acme/shop"}, "victor": {provision.Viewer, "acme/shop"}} {
		w.update(t, func(tx provision.Tx) error {
			return tx.CreateBinding(provision.Binding{ID: "bnd_" + who, Subject: "user:" + who, Role: is.role, Scope: is.scope, Version: 1, CreatedAt: tx.Now()})
		})
	}
	made := func(project string) (p provision.Project, e provision.Environment, o provision.Operation, v provision.Waiver) {
		no := false
		p, err = service.CreateProject(ctx, root, provision.NewProject{Org: "acme", Name: project})
		require.NoError(t, err)
		e, o, err = service.CreateEnvironment(ctx, root, provision.NewEnvironment{
			ProjectID: p.ID, Name: "prod", Blueprint: "secure-bucket", Protected: &no,
			Inputs: json.RawMessage(`{"name":"logs","password":"hunter2","users":[{"key":"hunter2"}]}`),
		})
		require.NoError(t, err)
		v, err = service.CreateWaiver(ctx, root, provision.NewWaiver{ProjectID: p.ID, Policy: "p", Stack: "*", Resource: "*", Reason: "x", Lifetime: time.Hour})
		require.NoError(t, err)
		return p, e, o, v
	}
	w.shop, w.stack, w.op, w.shopWaiver = made("shop")
	w.bank, w.bankStack, w.bankOp, w.bankWaiver = made("bank")
	for _, e := range []provision.Environment{w.stack, w.bankStack} {
		w.imported(t, e.Name)
	}
	w.token, _, err = service.CreateToken(ctx, root, provision.NewToken{
		ServiceAccount: "deploy", Name: "ci", Grants: []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Read}}},
	})
	require.NoError(t, err)
	w.hook, _, err = service.CreateWebhook(ctx, root, provision.NewWebhook{Org: "acme", URL: "https://hooks.example.com/x", Types: []string{"*"}})
	require.NoError(t, err)
	w.delivery, err = service.TestWebhook(ctx, root, w.hook.ID)
	require.NoError(t, err)
	w.binding, err = service.CreateBinding(ctx, root, provision.NewBinding{Subject: "user:someone", Role: provision.Viewer, Scope: "acme/shop"})
	require.NoError(t, err)
	for _, c := range change {
		c(&w.options)
	}
	w.server = httptest.NewServer(api.New(w.service, w.options))
	t.Cleanup(func() {
		w.server.CloseClientConnections()
		w.server.Close()
		require.NoError(t, base.Close())
	})
	return w
}

// cli is who uses the stock CLI with an administrator's token.
var cli = backend.Caller{Token: backend.Token{Principal: "cli", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}}}

// imported gives a stack one more state.
func (w *world) imported(t testing.TB, name backend.StackName) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	secret, err := w.stacks.Encrypt(ctx, cli, name, [][]byte{[]byte(`"hunter2"`)})
	require.NoError(t, err)
	_, err = w.stacks.Import(ctx, cli, name, json.RawMessage(fmt.Sprintf(stateForm, base64.StdEncoding.EncodeToString(secret[0]))))
	require.NoError(t, err)
}

// update writes to the database behind the service's back.
func (w *world) update(t testing.TB, do func(provision.Tx) error) {
	t.Helper()
	require.NoError(t, w.store.Update(context.WithoutCancel(t.Context()), do))
}

// move is what a worker does.
func (w *world) move(t testing.TB, id string, to provision.State) {
	t.Helper()
	w.update(t, func(tx provision.Tx) error {
		o, err := tx.LockOperation(id)
		if err != nil {
			return err
		}
		o.State = to
		if err := tx.SaveOperation(&o); err != nil {
			return err
		}
		events := []provision.Event{{At: tx.Now(), Type: provision.EventState, Data: json.RawMessage(`{"to":"` + to + `"}`)}}
		if to.Final() {
			events = append(events, provision.Event{At: tx.Now(), Type: provision.EventEnd, Data: json.RawMessage(`{"to":"` + to + `"}`)})
		}
		return tx.AddEvents(id, events)
	})
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) problem(t *testing.T) (p api.Problem) {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%s", a.body)
	require.NoError(t, json.Unmarshal(a.body, &p), "%s", a.body)
	require.Equal(t, a.status, p.Status)
	return p
}

func read[T any](t *testing.T, a answer) (out T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, &out), "%s", a.body)
	return out
}

// ask sends a request; headers are pairs.
func (w *world) ask(t *testing.T, who, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if who != "" {
		request.Header.Set("Authorization", "Bearer "+who)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, text}
}
