package speed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/cedar"
	"redoubt/automation/identity"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/river"
	"redoubt/automation/runner"
	"redoubt/automation/server"
	"redoubt/automation/sql"
	"redoubt/automation/worker"
	"redoubt/internal/postgrestest"
)

// databases are what self-service is measured on.
var databases = []struct {
	name string
	open func(b *testing.B) string
}{
	{"sqlite", func(*testing.B) string { return "" }},
	{"postgres", func(b *testing.B) string { return postgrestest.Start(b).URL(b, "postgres") }},
}

// installation is self-service in this process, as `redoubt serve` puts it together:
// the backend and the API on addresses of their own, the queue, the policies.
type installation struct {
	records provision.Store
	backend *backend.Service
	service *provision.Service
	queue   *river.Dispatcher
	// states is the backend's address, orders the API's; token is good for both.
	states, orders, token string
	project               provision.Project
}

// admin is who orders: the installation's first administrator, with a role.
var admin = provision.Principal{Kind: provision.Human, Name: "admin", Human: "admin", AuthMethod: "token"}

const org = "main"

// spare is how long a process waits for the next operation: as `redoubt serve` has it.
var spare = server.Defaults().Provisioning.Spare

func install(b *testing.B, database string) *installation {
	b.Helper()
	ctx, folder, i := context.WithoutCancel(b.Context()), b.TempDir(), &installation{}
	if database == "" {
		database = folder
	}
	store, err := sql.Open(ctx, database)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	records, ok := sql.Provisioning(store)
	require.True(b, ok)
	i.records = records
	ring, err := keyfile.Open(filepath.Join(folder, "keys.json"))
	require.NoError(b, err)
	i.backend = backend.New(store, ring, backend.Options{})
	i.token, err = i.backend.Bootstrap(ctx, org)
	require.NoError(b, err)
	key, err := i.backend.SigningKey(ctx)
	require.NoError(b, err)
	policies, err := cedar.New(cedar.Options{WithoutSecondFactor: true})
	require.NoError(b, err)
	i.queue, err = river.Open(ctx, database, river.Options{Slots: 1})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, i.queue.Close()) })
	i.service = provision.New(i.records, i.backend, catalog{}, policies, i.queue, provision.Options{
		Key: key, Quota: provision.Quota{Stacks: 1000},
	})
	require.NoError(b, i.records.Update(ctx, func(tx provision.Tx) error {
		var failures []error
		for id, role := range map[string]provision.Role{"bnd_1": provision.OrgAdmin, "bnd_2": provision.ProjectAdmin} {
			failures = append(failures, tx.CreateBinding(provision.Binding{ID: id, Subject: "user:admin", Role: role, Scope: org, Version: 1, CreatedAt: tx.Now()}))
		}
		return errors.Join(failures...)
	}))
	states := httptest.NewServer(pulumiapi.New(i.backend, pulumiapi.Options{SignKey: key, DefaultOrg: org}))
	b.Cleanup(states.Close)
	who := identity.New(identity.Options{Backend: i.backend})
	orders := httptest.NewServer(api.New(i.service, api.Options{Identify: who.Identify}))
	b.Cleanup(orders.Close)
	i.states, i.orders = states.URL, orders.URL
	i.project, err = i.service.CreateProject(ctx, admin, provision.NewProject{Org: org, Name: "speed", Settings: &provision.ProjectSettings{}})
	require.NoError(b, err)
	return i
}

// work runs a worker until the benchmark ends.
func (i *installation) work(b *testing.B, e provision.Engine) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- worker.New(i.service, e, i.queue, worker.Options{Slots: 1}).Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-ended)
	})
}

// stack orders a stack of so many resources and waits until it is there.
func (i *installation) stack(b *testing.B, name string, resources int) provision.Environment {
	b.Helper()
	no := false
	env, o, err := i.service.CreateEnvironment(b.Context(), admin, provision.NewEnvironment{
		ProjectID: i.project.ID, Name: name, Blueprint: things, Inputs: json.RawMessage(fmt.Sprintf(`{"resources":%d}`, resources)), Protected: &no,
	})
	require.NoError(b, err)
	i.wait(b, o)
	return env
}

// preview orders a preview and waits for its end.
func (i *installation) preview(b *testing.B, env provision.Environment) {
	b.Helper()
	o, err := i.service.Order(b.Context(), admin, env.ID, provision.NewOperation{Kind: provision.KindPreview})
	require.NoError(b, err)
	i.wait(b, o)
}

func (i *installation) wait(b *testing.B, o provision.Operation) {
	b.Helper()
	o, err := i.service.WaitOperation(b.Context(), admin, o.ID, 5*time.Minute)
	require.NoError(b, err)
	require.Equal(b, provision.Succeeded, o.State, "%+v", o.Failure)
}

// things is the blueprint, of as many resources that do nothing as its order says.
const things = "things"

// orderedNoOp is its program.
func orderedNoOp(ctx *pulumi.Context) error {
	var in struct{ Resources int }
	if err := json.Unmarshal(runner.Inputs(ctx), &in); err != nil {
		return err
	}
	return noOp(in.Resources)(ctx)
}

type catalog struct{}

// Blueprints implements provision.Catalog.
func (c catalog) Blueprints() []provision.Blueprint {
	b, _ := c.Blueprint(things, "")
	return []provision.Blueprint{b}
}

// Blueprint implements provision.Catalog.
func (catalog) Blueprint(name, _ string) (provision.Blueprint, error) {
	if name != things {
		return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "there is no blueprint %s", name)
	}
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: things, Version: "1.0.0", Digest: "sha256:things"},
		Schema:       json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`),
		Check:        func(in json.RawMessage) (json.RawMessage, []provision.FieldError) { return in, nil },
	}, nil
}
