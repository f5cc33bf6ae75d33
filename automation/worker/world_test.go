package worker_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"redoubt/automation/awssts"
	"redoubt/automation/backend"
	"redoubt/automation/engine"
	"redoubt/automation/keyfile"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/river"
	"redoubt/automation/sql"
	"redoubt/automation/worker"
	"redoubt/internal/loopback"
	"redoubt/internal/postgrestest"
	"redoubt/internal/providertest"
)

const (
	// long is how long a test waits for what must come.
	long = 2 * time.Minute
	org  = "acme"
)

// setup is what an installation is made of, as another process is told.
type setup struct {
	// Address is the database's; Data the folder with keys and accounts.
	Address, Data string
	// URL is a backend that there is already; empty for one of its own.
	URL string
	// Listen is where its own listens: the states of stacks have its address in them.
	Listen string
	// Account and Policy are the engine's.
	Account, Policy string
	// Accounts are those that orders go to with Account aws, and STS gives the roles.
	Accounts    awssts.Accounts
	STS         string
	Provider    int // port of the fake provider, 0 for none
	Slots       int
	Lease       time.Duration // of claims
	UpdateLease time.Duration // of the backend's updates; 0 for its own
	Grace       time.Duration
	Quota       provision.Quota
	Rehearse    bool
	Verbose     bool
	// LogFile takes the log.
	LogFile string
}

// installation is one process of it: the backend, the use cases, and, where it
// works, a worker.
type installation struct {
	setup
	store   backend.Store
	records provision.Store
	backend *backend.Service
	service *provision.Service
	queue   *river.Dispatcher
	engine  *operate.Engine
	http    *httptest.Server
	end     func()
	ended   sync.WaitGroup
}

func (s setup) open(ctx context.Context) (_ *installation, err error) {
	i := &installation{setup: s}
	ctx = context.WithoutCancel(ctx)
	log := slog.New(slog.DiscardHandler)
	if s.Verbose {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	if s.LogFile != "" {
		file, err := os.OpenFile(s.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		log = slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if i.store, err = sql.Open(ctx, s.Address, sql.WithConnections(12)); err != nil {
		return nil, err
	}
	records, ok := sql.Provisioning(i.store)
	if !ok {
		return nil, errors.New("the store has no provisioning")
	}
	i.records = records
	ring, err := keyfile.Open(filepath.Join(s.Data, "keys.json"))
	if err != nil {
		return nil, err
	}
	i.backend = backend.New(i.store, ring, backend.Options{Lease: s.UpdateLease, FirstLease: s.UpdateLease, Log: log})
	if _, err := i.backend.Bootstrap(ctx, org); err != nil {
		return nil, err
	}
	key, err := i.backend.SigningKey(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", orElse(s.Listen, net.JoinHostPort(loopback.Host(), "0")))
	if err != nil {
		return nil, err
	}
	i.http = &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: pulumiapi.New(i.backend, pulumiapi.Options{SignKey: key, DefaultOrg: org}), ReadHeaderTimeout: long,
	}}
	i.http.Start()
	if i.queue, err = river.Open(ctx, s.Address, river.Options{Slots: s.Slots, Log: log}); err != nil {
		return nil, err
	}
	o := operate.Options{URL: i.http.URL, Policy: s.Policy, Account: s.Account, Data: s.Data, Plugins: filepath.Join(s.Data, "plugins"), Grace: s.Grace, Spare: long, Log: log}
	if s.URL != "" {
		o.URL = s.URL
	}
	if s.Account == operate.AWS {
		if o.Roles, err = awssts.Open(ctx, s.Accounts, func(o *sts.Options) {
			o.BaseEndpoint, o.Credentials = aws.String(s.STS), credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", ownSecret, "")
		}); err != nil {
			return nil, err
		}
	}
	if s.Provider != 0 {
		o.Env = map[string]string{"PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("fake:%d", s.Provider)}
	}
	if i.engine, err = operate.Open(o); err != nil {
		return nil, err
	}
	i.service = provision.New(i.records, i.backend, catalog{}, anyone{}, i.queue, provision.Options{Key: key, Quota: s.Quota, Log: log})
	sweeping, end := context.WithCancel(ctx)
	i.end = end
	i.ended.Go(func() {
		for sweeping.Err() == nil {
			_, _ = i.backend.Sweep(sweeping) // the next one tries again
			select {
			case <-sweeping.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return i, nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (i *installation) close() error {
	i.end()
	i.ended.Wait()
	err := errors.Join(i.engine.Close(), i.queue.Close())
	i.http.Close()
	return errors.Join(err, i.store.Close())
}

// work runs a worker until ctx ends.
func (i *installation) work(ctx context.Context) error {
	return i.worker(i.engine).Run(ctx)
}

func (i *installation) worker(e provision.Engine) *worker.Worker {
	o := worker.Options{Slots: i.Slots, Lease: i.Lease, Look: 300 * time.Millisecond, Grace: 100 * time.Millisecond}
	if i.Verbose {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return worker.New(i.service, e, i.queue, o)
}

// catalog has the tests' blueprints.
type catalog struct{}

func (catalog) Blueprints() []provision.Blueprint {
	var all []provision.Blueprint
	for _, name := range []string{"bucket", "seen", "things"} {
		all = append(all, provision.Blueprint{
			BlueprintRef: provision.BlueprintRef{Name: name, Version: "1.0.0", Digest: "sha256:" + name},
			Schema:       json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`), SecretInputs: []string{"/secret"},
			Check: func(in json.RawMessage) (json.RawMessage, []provision.FieldError) { return in, nil },
		})
	}
	return all
}

func (c catalog) Blueprint(name, version string) (provision.Blueprint, error) {
	for _, b := range c.Blueprints() {
		if b.Name == name && (version == "" || version == b.Version) {
			return b, nil
		}
	}
	return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "there is no blueprint %s %s", name, version)
}

// anyone may do anything: who may what is not what is tested here.
type anyone struct{}

func (anyone) Decide(provision.Principal, []provision.Binding, provision.Action, provision.Resource) (provision.Decision, error) {
	return provision.Decision{Allowed: true}, nil
}

func person(name string) provision.Principal {
	return provision.Principal{Kind: provision.Human, Name: name, Human: name, AuthMethod: "oidc", MFA: true}
}

var alice, bob = person("alice"), person("bob")

// world is an installation in the test's own process.
type world struct {
	*installation
	fake *providertest.Things
	n    atomic.Int64
}

// newWorld makes an installation; change may be nil.
func newWorld(t *testing.T, address string, change func(*setup)) *world {
	t.Helper()
	w := &world{fake: providertest.Serve(t)}
	s := setup{
		Address: address, Data: t.TempDir(), Account: operate.Rehearsal, Policy: operate.NoPolicy, Provider: w.fake.Port,
		Slots: 4, Lease: 5 * time.Second, Grace: long,
	}
	if s.Address == "" {
		s.Address = s.Data
	}
	if change != nil {
		change(&s)
	}
	// Attached providers are one variable: that of the fake takes that of the account's.
	if s.Account == operate.Rehearsal && s.Provider != 0 {
		s.Account = operate.Ambient
	}
	_, err := engine.FindCLI()
	require.NoError(t, err)
	w.installation, err = s.open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.close()) })
	return w
}

// works runs a worker until the test ends, or stop is called.
func (w *world) works(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.work(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(func() {
		w.fake.Release()
		stop()
	})
	return stop
}

// project makes a project.
func (w *world) project(t *testing.T, settings provision.ProjectSettings) provision.Project {
	t.Helper()
	p, err := w.service.CreateProject(t.Context(), alice, provision.NewProject{Org: org, Name: fmt.Sprintf("shop%d", w.n.Add(1)), Settings: &settings})
	require.NoError(t, err)
	return p
}

// free is a project in which nobody needs to approve anything.
var free = provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{{Name: "none", Required: 0}}}

func encoded(t *testing.T, in inputs) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(in)
	require.NoError(t, err)
	return text
}

// stack orders a stack of a blueprint.
func (w *world) stack(t *testing.T, project provision.Project, name, blueprint string, in inputs) (provision.Environment, provision.Operation) {
	t.Helper()
	no := false
	env, o, err := w.service.CreateEnvironment(t.Context(), alice, provision.NewEnvironment{
		ProjectID: project.ID, Name: name, Blueprint: blueprint, Inputs: encoded(t, in), Protected: &no,
	})
	require.NoError(t, err)
	return env, o
}

func (w *world) order(t *testing.T, env provision.Environment, n provision.NewOperation) provision.Operation {
	t.Helper()
	o, err := w.service.Order(t.Context(), alice, env.ID, n)
	require.NoError(t, err)
	return o
}

// read reads an operation.
func (w *world) read(t *testing.T, id string) (o provision.Operation) {
	t.Helper()
	require.NoError(t, w.records.View(context.WithoutCancel(t.Context()), func(tx provision.Tx) (err error) { o, err = tx.Operation(id); return err }))
	return o
}

func (w *world) env(t *testing.T, id string) (e provision.Environment) {
	t.Helper()
	require.NoError(t, w.records.View(t.Context(), func(tx provision.Tx) (err error) { e, err = tx.Environment(id); return err }))
	return e
}

// reaches waits until an operation is in a state.
func (w *world) reaches(t *testing.T, id string, state provision.State) provision.Operation {
	t.Helper()
	deadline := time.Now().Add(long)
	for {
		o := w.read(t, id)
		if o.State == state {
			return o
		}
		if o.State.Final() || time.Now().After(deadline) {
			require.FailNow(t, "the operation does not get there", "it is %s and not %s: %+v\n%s", o.State, state, o.Failure, w.told(t, id))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// told are an operation's events, as text.
func (w *world) told(t *testing.T, id string) (text string) {
	t.Helper()
	require.NoError(t, w.records.View(context.WithoutCancel(t.Context()), func(tx provision.Tx) error {
		events, err := tx.EventsAfter(id, 0, 0)
		for _, e := range events {
			text += fmt.Sprintf("%d %s %s\n", e.Seq, e.Type, e.Data)
		}
		return err
	}))
	return text
}

// audited are the actions that the audit log has of an operation's states.
func (w *world) audited(t *testing.T, id string) (states []string) {
	t.Helper()
	require.NoError(t, w.records.View(t.Context(), func(tx provision.Tx) error {
		all, err := tx.Audit(0, 0)
		for _, e := range all {
			if e.Detail["operation"] == id && e.Detail["state"] != "" && e.Action == "operation."+e.Detail["state"] {
				states = append(states, e.Detail["state"])
			}
		}
		return err
	}))
	return states
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	require.Eventually(t, so, long, 20*time.Millisecond, what)
}

func await(t *testing.T, what string, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(long):
		require.FailNow(t, "waited in vain", what)
	}
}

// process is a node in a process of its own.
type process struct {
	cmd *exec.Cmd
}

// start starts a node, which is killed when the test ends.
func start(t *testing.T, s setup) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], nodeCommand)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // gone already: good
		_ = cmd.Wait()
	})
	require.NoError(t, json.NewEncoder(in).Encode(s))
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &process{cmd}
}

// kill kills it as kill -9 does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// both runs a test on both databases.
func both(t *testing.T, test func(t *testing.T, address string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgrestest.Database(t)) })
}
