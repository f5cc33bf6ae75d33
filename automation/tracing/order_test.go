package tracing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/engine"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/automation/server"
)

// long is how long a test waits for what must come.
const long = 2 * time.Minute

// The test binary is also an operation's child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == runner.ChildCommand {
		os.Exit(runner.Main(map[string]runner.Program{"things": things}))
	}
	os.Exit(m.Run())
}

// things is a program of what the engine itself provides; one of its outputs is a
// secret of the order.
func things([]string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		var in struct{ Secret string }
		if err := json.Unmarshal(runner.Inputs(ctx), &in); err != nil {
			return err
		}
		for i := range 3 {
			if _, err := pulumi.NewStash(ctx, fmt.Sprintf("thing-%d", i), &pulumi.StashArgs{Input: pulumi.ToSecret(pulumi.String(in.Secret))}); err != nil {
				return err
			}
		}
		ctx.Export("secret", pulumi.ToSecret(pulumi.String(in.Secret)))
		ctx.Export("plain", pulumi.String(output))
		return nil
	}
}

// What no span may hold.
const (
	secret = "canary-3f9c"
	output = "output-71ab"
)

type catalog struct{}

func (c catalog) Blueprints() []provision.Blueprint {
	b, _ := c.Blueprint("things", "")
	return []provision.Blueprint{b}
}

func (catalog) Blueprint(name, _ string) (provision.Blueprint, error) {
	if name != "things" {
		return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "there is no blueprint %s", name)
	}
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: name, Version: "1.0.0", Digest: "sha256:things"}, SecretInputs: []string{"/Secret"},
		Schema: json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`),
		Check:  func(in json.RawMessage) (json.RawMessage, []provision.FieldError) { return in, nil },
	}, nil
}

// serve runs a server whose spans go to a collector, and returns its client and what
// ends it.
func serve(t *testing.T, collector string, ratio float64) (*client.Client, func()) {
	t.Helper()
	_, err := engine.FindCLI()
	require.NoError(t, err)
	config := server.Defaults()
	config.Listen, config.Data, config.Organization = "127.0.0.1:0", filepath.Join(t.TempDir(), "data"), "acme"
	config.Provisioning.Role, config.Provisioning.PolicyPack = "all", operate.NoPolicy
	config.Provisioning.Webhooks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	config.Tracing = server.Tracing{Endpoint: collector, Insecure: true, Ratio: ratio}
	s, err := server.Open(t.Context(), config, server.WithCatalog(catalog{}))
	require.NoError(t, err)
	token, err := s.Bootstrap(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, s.Close())
	})
	t.Cleanup(stop)
	return &client.Client{URL: s.URL(), Token: token}, stop
}

// handing adds a header to each request.
type handing struct{ traceparent string }

func (h handing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("traceparent", h.traceparent)
	return http.DefaultTransport.RoundTrip(r)
}

// orders orders a stack and waits for its end.
func orders(t *testing.T, c *client.Client, hook string) client.Operation {
	t.Helper()
	ctx := t.Context()
	_, err := c.CreateBinding(ctx, client.NewBinding{Subject: "user:admin", Role: "project_admin", Scope: "acme"})
	require.NoError(t, err)
	project, err := c.CreateProject(ctx, client.NewProject{Org: "acme", Name: "shop", Settings: &client.ProjectSettings{}})
	require.NoError(t, err)
	if hook != "" {
		_, err = c.CreateWebhook(ctx, client.NewWebhook{Org: "acme", URL: hook, Types: []string{"operation.succeeded"}})
		require.NoError(t, err)
	}
	ordered, err := c.CreateStack(ctx, client.NewStack{ProjectID: project.ID, Name: "dev", Blueprint: "things", Inputs: json.RawMessage(`{"Secret":"` + secret + `"}`)}, client.CreateStackParams{})
	require.NoError(t, err)
	o, deadline := ordered.Operation, time.Now().Add(long)
	for o.State != "succeeded" {
		require.NotContains(t, []string{"failed", "awaiting_approval", "policy_blocked", "needs_recovery"}, o.State, "%+v", o.Failure)
		require.True(t, time.Now().Before(deadline), "it is %s", o.State)
		o, err = c.GetOperation(ctx, o.ID, client.GetOperationParams{Wait: "30s"})
		require.NoError(t, err)
	}
	return o
}

func TestOneTraceFromTheRequestToTheCLI(t *testing.T) {
	t.Parallel()
	told := make(chan struct{}, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case told <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(hook.Close)
	spans := collect(t)
	c, stop := serve(t, spans.address, 0) // what the client hands on is kept nevertheless
	const trace, root = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	c.HTTP = &http.Client{Transport: handing{"00-" + trace + "-" + root + "-01"}}
	o := orders(t, c, hook.URL)
	select {
	case <-told:
	case <-time.After(long):
		require.FailNow(t, "the webhook was not called")
	}
	stop() // what is left is sent

	all := spans.all()
	one := func(name string) received {
		t.Helper()
		found := named(all, trace, name)
		require.Len(t, found, 1, name)
		return found[0]
	}
	request, operation := one("POST /v1/stacks"), one("operation up")
	require.Equal(t, root, request.parent)
	require.Equal(t, request.id, operation.parent)
	queue := one("queue")
	require.Equal(t, request.id, queue.parent)
	require.Equal(t, o.ID, queue.attributes["redoubt.operation"])
	require.Equal(t, o.ID, operation.attributes["redoubt.operation"])
	require.Equal(t, "acme/shop/dev", operation.attributes["redoubt.stack"])
	require.Equal(t, "succeeded", operation.attributes["redoubt.state"])
	require.True(t, above(all, request, one("webhook delivery")))
	clis := named(all, trace, "pulumi")
	for _, phase := range []string{"phase preview", "phase up"} {
		p := one(phase)
		require.Equal(t, operation.id, p.parent)
		require.False(t, p.failed)
		n := 0
		for _, cli := range clis {
			if cli.parent == p.id {
				n++
				require.Equal(t, "pulumi-cli", cli.service)
			}
		}
		require.Equal(t, 1, n, "%s is one start of the CLI", phase)
	}
	below := 0
	for _, s := range all {
		require.Equal(t, trace, s.trace, "%s of %s is elsewhere", s.name, s.service)
		require.NotContains(t, s.text, secret)
		require.NotContains(t, s.text, output)
		require.NotContains(t, s.text, c.Token)
		require.NotContains(t, s.text, "redoubt_", "a token")
		for _, cli := range clis {
			if above(all, cli, s) {
				below++
				break
			}
		}
	}
	require.Greater(t, below, 2, "the CLI's own steps are there too")
}

// Without a trace of the client's, one begins with the request, if it is to be kept.
func TestRatio(t *testing.T) {
	t.Parallel()
	for _, ratio := range []float64{0, 1} {
		t.Run(fmt.Sprint(ratio), func(t *testing.T) {
			t.Parallel()
			spans := collect(t)
			c, stop := serve(t, spans.address, ratio)
			o := orders(t, c, "")
			stop()
			all := spans.all()
			if ratio == 0 {
				require.Empty(t, all)
				return
			}
			trace := strings.Split(o.Trace, "-")[1]
			require.Len(t, named(all, trace, "operation up"), 1)
			require.Len(t, named(all, trace, "pulumi"), 2)
		})
	}
}

// A collector that is away costs spans, and nothing else.
func TestWithoutTheCollector(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	c, stop := serve(t, listener.Addr().String(), 1)
	orders(t, c, "")
	stop()
}
