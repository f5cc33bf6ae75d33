package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/automation/server"
	"redoubt/internal/postgrestest"
)

// The test binary is also an operation's child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == runner.ChildCommand {
		os.Exit(runner.Main(map[string]runner.Program{"thing": thing, "shelf": thing}))
	}
	os.Exit(m.Run())
}

// thing is a program of what the engine itself provides.
func thing([]string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		var in struct{ Secret string }
		if err := json.Unmarshal(runner.Inputs(ctx), &in); err != nil {
			return err
		}
		_, err := pulumi.NewStash(ctx, "thing", &pulumi.StashArgs{Input: pulumi.ToSecret(pulumi.String(in.Secret))})
		return err
	}
}

// catalog has a thing, and a shelf, which stands on another stack.
type catalog struct{}

func (c catalog) Blueprints() []provision.Blueprint {
	thing, _ := c.Blueprint("thing", "")
	shelf, _ := c.Blueprint("shelf", "")
	return []provision.Blueprint{shelf, thing}
}

func (catalog) Blueprint(name, _ string) (provision.Blueprint, error) {
	var on []string
	switch name {
	case "thing":
	case "shelf":
		on = []string{"/On"}
	default:
		return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "there is no blueprint %s", name)
	}
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: name, Version: "1.0.0", Digest: "sha256:" + name}, SecretInputs: []string{"/Secret"}, StackInputs: on,
		Schema: json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`),
		Check:  func(in json.RawMessage) (json.RawMessage, []provision.FieldError) { return in, nil },
	}, nil
}

// ordering is a configuration of a server that takes and runs orders for things.
func ordering(t *testing.T, change ...func(*server.Config)) server.Config {
	t.Helper()
	return configure(t, append([]func(*server.Config){func(c *server.Config) {
		c.Organization, c.Provisioning.Role, c.Provisioning.PolicyPack = "acme", "all", operate.NoPolicy
	}}, change...)...)
}

// taking is a client of a server's, as an administrator who may order.
func taking(t *testing.T, s *running) *client.Client {
	t.Helper()
	token, err := s.Bootstrap(t.Context())
	require.NoError(t, err)
	c := &client.Client{URL: s.URL(), Token: token}
	_, err = c.CreateBinding(t.Context(), client.NewBinding{Subject: "user:admin", Role: "project_admin", Scope: "acme"})
	require.NoError(t, err)
	return c
}

// settled waits until an operation has ended or waits for people.
func settled(t *testing.T, c *client.Client, id string) client.Operation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		o, err := c.GetOperation(ctx, id, client.GetOperationParams{Wait: "20s"})
		require.NoError(t, err)
		switch o.State {
		case "queued", "preparing", "previewing", "approved", "applying", "verifying":
		default:
			return o
		}
	}
}

// measured are the values of a scrape, by metric and labels.
func measured(t *testing.T, s *running) map[string]float64 {
	t.Helper()
	_, body := get(t, s.URL()+"/metrics")
	values := map[string]float64{}
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			values[name+"}"], _ = strconv.ParseFloat(value, 64)
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			values[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return values
}

// What is read from the database is the same on all nodes; what one of them did, it
// alone counts.
func TestMetricsOfOrdersOverTwoNodes(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)
	taker := ordering(t, func(c *server.Config) { c.Database.URL, c.Provisioning.Role = database.URL(t, "postgres"), "api" })
	s := start(t, taker, server.WithCatalog(catalog{}))
	c := taking(t, s)
	project, err := c.CreateProject(t.Context(), client.NewProject{Org: "acme", Name: "shop", Settings: &client.ProjectSettings{
		ApprovalRules: []client.ApprovalRule{{Name: "asked", Stacks: "asked", Required: 1}},
	}})
	require.NoError(t, err)
	order := func(name, key string) client.Operation {
		t.Helper()
		ordered, err := c.CreateStack(t.Context(), client.NewStack{ProjectID: project.ID, Name: name, Blueprint: "thing", Inputs: json.RawMessage(`{"Secret":"canary-18"}`)}, client.CreateStackParams{IdempotencyKey: key})
		require.NoError(t, err)
		return ordered.Operation
	}
	plain, asked := order("plain", "one"), order("asked", "two")
	require.Equal(t, plain.ID, order("plain", "one").ID)
	m := measured(t, s)
	require.Equal(t, 2.0, m[`redoubt_queue_depth{queue="default"}`], "there is no worker yet")
	require.Positive(t, m[`redoubt_queue_oldest_seconds{queue="default"}`])
	require.Equal(t, 1.0, m["redoubt_idempotency_replays_total"])
	require.Equal(t, 2.0, m[`redoubt_operations_total{blueprint="thing",kind="up",state="queued"}`])

	runs := taker
	runs.Provisioning.Role, runs.Provisioning.Account, runs.Provisioning.URL = "worker", operate.Ambient, s.URL()
	w := start(t, runs, server.WithCatalog(catalog{}))
	require.Equal(t, "succeeded", settled(t, c, plain.ID).State)
	require.Equal(t, "awaiting_approval", settled(t, c, asked.ID).State)
	require.Eventually(t, func() bool { return measured(t, w)[`redoubt_slots_busy{queue="default"}`] == 0 }, patience, 10*time.Millisecond)

	took, ran := measured(t, s), measured(t, w)
	for _, both := range []map[string]float64{took, ran} {
		require.Equal(t, 1.0, both["redoubt_database_up"])
		require.Equal(t, 1.0, both["redoubt_approvals_pending"])
		require.Equal(t, 1.0, both[`redoubt_operations_open{kind="up",state="awaiting_approval"}`])
		for _, zero := range []string{
			`redoubt_queue_depth{queue="default"}`, `redoubt_queue_oldest_seconds{queue="default"}`, "redoubt_needs_recovery", "redoubt_ttl_overdue",
			"redoubt_webhooks_due", "redoubt_drift_run_age_seconds", "redoubt_updates_active",
		} {
			require.Contains(t, both, zero)
			require.Zero(t, both[zero], zero)
		}
		require.Positive(t, both[`redoubt_state_bytes{backend="postgresql"}`])
		require.Equal(t, took["redoubt_audit_sequence"], both["redoubt_audit_sequence"])
	}
	for name, value := range map[string]float64{
		`redoubt_operations_total{blueprint="thing",kind="up",state="succeeded"}`:         1,
		`redoubt_operations_total{blueprint="thing",kind="up",state="awaiting_approval"}`: 1,
		`redoubt_operation_state_seconds_count{kind="up",state="queued"}`:                 2,
		`redoubt_operation_state_seconds_count{kind="up",state="applying"}`:               1,
		`redoubt_cli_forks_total{code="0",command="preview"}`:                             2,
		`redoubt_cli_forks_total{code="0",command="up"}`:                                  1,
		`redoubt_cli_fork_seconds_count{command="up"}`:                                    1,
	} {
		require.Equal(t, value, ran[name], name)
		require.NotContains(t, took, name, "the other node did it")
	}
	require.Positive(t, ran[`redoubt_slots{queue="default"}`])
	require.Contains(t, ran, "redoubt_runner_rss_bytes")

	_, body := get(t, w.URL()+"/metrics")
	require.NotRegexp(t, regexp.MustCompile(`acme/shop/|stk_|op_[0-9a-z]{20}`), body, "no label is one of many")
}

// A stream counts while it is open.
func TestStreamsAreCounted(t *testing.T) {
	t.Parallel()
	s := start(t, ordering(t), server.WithCatalog(catalog{}))
	c := taking(t, s)
	project, err := c.CreateProject(t.Context(), client.NewProject{Org: "acme", Name: "shop", Settings: &client.ProjectSettings{
		ApprovalRules: []client.ApprovalRule{{Name: "all", Required: 1}},
	}})
	require.NoError(t, err)
	ordered, err := c.CreateStack(t.Context(), client.NewStack{ProjectID: project.ID, Name: "dev", Blueprint: "thing", Inputs: json.RawMessage(`{"Secret":"x"}`)}, client.CreateStackParams{})
	require.NoError(t, err)
	require.Equal(t, "awaiting_approval", settled(t, c, ordered.Operation.ID).State)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/v1/operations/"+ordered.Operation.ID+"/events", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // the test ends it
	require.Eventually(t, func() bool { return measured(t, s)["redoubt_sse_clients"] == 1 }, patience, 10*time.Millisecond)
	end()
	require.Eventually(t, func() bool { return measured(t, s)["redoubt_sse_clients"] == 0 }, patience, 10*time.Millisecond)
}

// What stands on another stack says why nobody rehearsed it.
func TestAnOrderSaysWhyItWasNotRehearsed(t *testing.T) {
	t.Parallel()
	s := start(t, ordering(t), server.WithCatalog(catalog{}))
	c := taking(t, s)
	project, err := c.CreateProject(t.Context(), client.NewProject{Org: "acme", Name: "shop", Settings: &client.ProjectSettings{Rehearse: true}})
	require.NoError(t, err)
	order := func(name, blueprint, inputs string) client.Operation {
		t.Helper()
		ordered, err := c.CreateStack(t.Context(), client.NewStack{ProjectID: project.ID, Name: name, Blueprint: blueprint, Inputs: json.RawMessage(inputs)}, client.CreateStackParams{})
		require.NoError(t, err)
		o := settled(t, c, ordered.Operation.ID)
		require.Equal(t, "succeeded", o.State, "%+v", o.Failure)
		return o
	}
	base := order("base", "thing", `{"Secret":"x"}`)
	require.NotNil(t, base.Rehearsal)
	require.Empty(t, base.Unrehearsed)
	shelf := order("shelf", "shelf", `{"Secret":"x","On":"acme/shop/base"}`)
	require.Nil(t, shelf.Rehearsal)
	require.Equal(t, "it was not rehearsed: it stands on acme/shop/base, of which the rehearsal account has nothing", shelf.Unrehearsed)
}
