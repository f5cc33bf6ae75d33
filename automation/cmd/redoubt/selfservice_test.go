package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
)

// office is a served self-service on SQLite, whose worker the test is.
type office struct {
	store   provision.Store
	service *provision.Service
	stacks  *backend.Service
	admin   string // the first access token
	url     string
}

// whoever has a role may everything; the names of people are their tokens.
type whoever struct{}

func (whoever) Decide(_ provision.Principal, bindings []provision.Binding, _ provision.Action, _ provision.Resource) (provision.Decision, error) {
	return provision.Decision{Allowed: len(bindings) > 0}, nil
}

func (whoever) Wake(context.Context, string, provision.OperationKind, int) error { return nil }

func (w whoever) Blueprints() []provision.Blueprint {
	b, _ := w.Blueprint("secure-bucket", "")
	return []provision.Blueprint{b}
}

func (whoever) Blueprint(name, _ string) (provision.Blueprint, error) {
	if name != "secure-bucket" {
		return provision.Blueprint{}, errors.New("none")
	}
	return provision.Blueprint{
		BlueprintRef: provision.BlueprintRef{Name: name, Version: "1.0.0", Digest: "sha256:1"}, Summary: "A bucket that is private and encrypted.",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["name"],"properties":{
			"name":{"type":"string","description":"What it is called."},"days":{"type":"integer","minimum":1,"default":30},
			"password":{"type":"string","writeOnly":true},"tags":{"type":"array","items":{"type":"string"}},
			"log":{"type":"object","additionalProperties":false,"properties":{"prefix":{"type":"string"},"level":{"enum":["low","high"]}}},
			"copy":{"type":"object","additionalProperties":false,"required":["to"],"properties":{"to":{"type":"string"},"how":{"type":"string"}}},
			"marks":{"type":"object","additionalProperties":{"type":"string"}}}}`),
		Example: json.RawMessage(`{"name":"logs"}`), SecretInputs: []string{"/password"},
	}, nil
}

func openOffice(t *testing.T, change ...func(*provision.Options)) *office {
	t.Helper()
	ctx, folder := context.WithoutCancel(t.Context()), t.TempDir()
	base, err := sql.Open(ctx, filepath.Join(folder, "data"), sql.WithConnections(4))
	require.NoError(t, err)
	store, ok := sql.Provisioning(base)
	require.True(t, ok)
	ring, err := keyfile.Open(filepath.Join(folder, "keys.json"))
	require.NoError(t, err)
	stacks := backend.New(base, ring, backend.Options{})
	admin, err := stacks.Bootstrap(ctx, "acme")
	require.NoError(t, err)
	options := provision.Options{Key: bytes.Repeat([]byte{7}, 32)}
	for _, c := range change {
		c(&options)
	}
	service := provision.New(store, stacks, whoever{}, whoever{}, whoever{}, options)
	server := httptest.NewServer(api.New(service, api.Options{Identify: func(r *http.Request) (provision.Principal, error) {
		name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		return provision.Principal{Kind: provision.Human, Name: name, Human: name, MFA: true}, nil
	}}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		require.NoError(t, base.Close())
	})
	o := &office{store: store, service: service, stacks: stacks, admin: admin, url: server.URL}
	for _, who := range []string{"alice", "bob"} {
		o.update(t, func(tx provision.Tx) error {
			return tx.CreateBinding(provision.Binding{ID: "bnd_" + who, Subject: "user:" + who, Role: provision.OrgAdmin, Scope: "*", Version: 1, CreatedAt: tx.Now()})
		})
	}
	return o
}

func (o *office) update(t *testing.T, do func(provision.Tx) error) {
	t.Helper()
	require.NoError(t, o.store.Update(context.WithoutCancel(t.Context()), do))
}

// move is what a worker does.
func (o *office) move(t *testing.T, id string, to provision.State, change func(*provision.Operation), events ...provision.Event) {
	t.Helper()
	o.update(t, func(tx provision.Tx) error {
		op, err := tx.LockOperation(id)
		if err != nil {
			return err
		}
		op.State = to
		if change != nil {
			change(&op)
		}
		if err := tx.SaveOperation(&op); err != nil {
			return err
		}
		events := append(events, provision.Event{Type: provision.EventState, Data: json.RawMessage(`{"to":"` + to + `"}`)})
		if to.Final() {
			events = append(events, provision.Event{Type: provision.EventEnd, Data: json.RawMessage(`{}`)})
		}
		for i := range events {
			events[i].At = tx.Now()
		}
		return tx.AddEvents(id, events)
	})
}

// as runs redoubt as somebody, who types what is given.
func (o *office) as(t *testing.T, who, typed string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p := exec.Command(os.Args[0], args...)
	p.Env = []string{asRedoubt + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "REDOUBT_URL=" + o.url, "REDOUBT_TOKEN=" + who}
	var out, err bytes.Buffer
	p.Stdin, p.Stdout, p.Stderr = strings.NewReader(typed), &out, &err
	if failure := p.Run(); failure != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, failure, &exit)
	}
	return p.ProcessState.ExitCode(), out.String(), err.String()
}

// does runs redoubt, which must succeed.
func (o *office) does(t *testing.T, who string, args ...string) string {
	t.Helper()
	code, stdout, stderr := o.as(t, who, "", args...)
	require.Equal(t, exitOK, code, "%v: %s%s", args, stdout, stderr)
	return stdout
}

// orders orders an environment and returns the operation.
func (o *office) orders(t *testing.T, name string, args ...string) (op client.Operation) {
	t.Helper()
	text := o.does(t, "alice", append([]string{"order", "secure-bucket", "--project", "acme/shop", "--name", name, "--set", "name=logs", "--json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(text), &op))
	return op
}

// plan makes an operation wait for approval.
func plan(op *provision.Operation) {
	op.Plan = &provision.Plan{Digest: "sha256:9f86d0", Result: provision.Result{
		Counts:   map[string]int{"create": 1},
		Changes:  []provision.Change{{URN: "urn:pulumi:prod::shop::aws:s3/bucketV2:BucketV2::logs", Type: "aws:s3/bucketV2:BucketV2", Op: "create"}},
		Findings: []provision.Finding{{Policy: "s3-bucket-replicated", Level: "advisory", Message: "it is in one region"}},
	}}
	op.Required = []provision.RequiredApproval{{Rule: "prod", Required: 1}}
}

func TestOrderApproveWatch(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	require.Contains(t, o.does(t, "alice", "project", "create", "acme/shop", "--description", "The shop", "--rehearse", "off"), "prj_")
	require.Regexp(t, `acme/shop +prj_\w+ +no +0 +The shop`, o.does(t, "alice", "project", "list"))
	o.does(t, "alice", "project", "set", "acme/shop", "--blueprint", "secure-bucket", "--description", "A shop")
	require.Regexp(t, `Blueprints +secure-bucket`, o.does(t, "alice", "project", "show", "acme/shop"))

	require.Regexp(t, `secure-bucket +1\.0\.0 +A bucket`, o.does(t, "alice", "blueprints"))
	table := o.does(t, "alice", "blueprints", "secure-bucket")
	require.Regexp(t, `(?s)name +string +yes +What it is called\..*days +integer +no +30.*log\.level +one of low, high.*password +string, secret.*tags +list of string`, table)
	require.Regexp(t, `(?s)copy\.how +string +no .*copy\.to +string +with copy`, table, "an order fails without it where it has copy")
	require.JSONEq(t, `{"name":"logs"}`, o.does(t, "alice", "blueprints", "secure-bucket", "--example"))

	secret := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(secret, []byte("hunter2\n"), 0o600))
	op := o.orders(t, "logs", "--set", "days=7", "--set", "log.level=high", "--set", "tags=a,b", "--set", "marks.cost-center=1000", "--set", "password=@"+secret, "--ttl", "2d", "--label", "team=web")
	require.JSONEq(t, `{"name":"logs","days":7,"log":{"level":"high"},"tags":["a","b"],"marks":{"cost-center":"1000"},"password":"[secret]"}`, string(op.Inputs))
	require.Contains(t, o.does(t, "alice", "operations", "list", "--stack", "acme/shop/logs"), op.ID)
	require.NotContains(t, o.does(t, "alice", "environments", "show", "acme/shop/logs"), "hunter2")

	// It is followed in another process, over the approval to its end.
	watch := begin(t, []string{"REDOUBT_URL=" + o.url, "REDOUBT_TOKEN=alice"}, "operations", "watch", op.ID)
	o.move(t, op.ID, provision.AwaitingApproval, plan)
	require.Eventually(t, func() bool { return strings.Contains(watch.err.String(), "redoubt approve "+op.ID) }, patience, 20*time.Millisecond)

	code, _, stderr := o.as(t, "bob", "no\n", "approve", op.ID)
	require.Equal(t, exitFailed, code)
	for _, want := range []string{"sha256:9f86d0", "+  aws:s3/bucketV2:BucketV2 logs", "s3-bucket-replicated", "ordered by alice", "Nothing was decided"} {
		require.Contains(t, stderr, want)
	}
	code, _, stderr = o.as(t, "alice", "", "approve", op.ID, "--digest", "sha256:9f86d0")
	require.Equal(t, exitError, code, "not who ordered it")
	require.Contains(t, stderr, "another person")
	code, _, stderr = o.as(t, "bob", "", "approve", op.ID, "--digest", "sha256:other")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "plan")
	code, stdout, stderr := o.as(t, "bob", "yes\n", "approve", op.ID, "--comment", "fine")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "is approved")

	o.move(t, op.ID, provision.Applying, nil, provision.Event{Type: provision.EventResource, Data: json.RawMessage(`{"urn":"urn:pulumi:prod::shop::aws:s3/bucketV2:BucketV2::logs","type":"aws:s3/bucketV2:BucketV2","op":"create","status":"done"}`)},
		provision.Event{Type: provision.EventDiagnostic, Data: json.RawMessage(`{"severity":"warning","message":"a\u001b[2Jb"}`)},
		provision.Event{Type: provision.EventResource, Data: json.RawMessage(`{"phase":"rehearse","urn":"urn:pulumi:x::x::x::rehearsed","type":"x","op":"create","status":"done"}`)},
		provision.Event{Type: provision.EventPolicy, Data: json.RawMessage(`{"phase":"preview","policy":"told-once","level":"advisory","message":"m"}`)},
		provision.Event{Type: provision.EventPolicy, Data: json.RawMessage(`{"phase":"up","policy":"told-once","level":"advisory","message":"m"}`)},
		provision.Event{Type: provision.EventPolicy, Data: json.RawMessage(`{"phase":"up","policy":"stops-it","level":"mandatory","message":"m"}`)})
	o.move(t, op.ID, provision.Succeeded, func(op *provision.Operation) {
		op.Result = &provision.Result{Counts: map[string]int{"create": 1}, Outputs: map[string]any{"bucket": "logs"}}
	})
	require.NoError(t, watch.Wait())
	for _, want := range []string{"→ queued", "→ applying", "+  aws:s3/bucketV2:BucketV2 logs", "approve by bob", "warning: a[2Jb", "→ rehearsing", "mandatory stops-it"} {
		require.Contains(t, watch.err.String(), want)
	}
	require.NotContains(t, watch.err.String(), "rehearsed", "the preview shows the same resources")
	require.Equal(t, 1, strings.Count(watch.err.String(), "advisory told-once"))
	require.Contains(t, watch.out.String(), "succeeded (1 create)")
	require.Contains(t, watch.out.String(), `bucket: "logs"`)

	events := strings.Split(strings.TrimSpace(o.does(t, "alice", "operations", "watch", op.ID, "--json")), "\n")
	var last client.Event
	require.NoError(t, json.Unmarshal([]byte(events[len(events)-1]), &last))
	require.Equal(t, "end", last.Type)
	require.EqualValues(t, len(events), last.Seq)
	require.Contains(t, o.does(t, "alice", "operations", "show", op.ID), "sha256:9f86d0")

	found := o.does(t, "alice", "operations", "report", op.ID, "--format", "sarif")
	require.Contains(t, found, `"ruleId": "s3-bucket-replicated"`)
	require.Contains(t, found, `"id": "redoubt/acme/shop/logs/"`)
	code, _, _ = o.as(t, "alice", "", "operations", "report", op.ID, "--fail-on", "advisory")
	require.Equal(t, exitFailed, code)
	code, _, stderr = o.as(t, "alice", "", "operations", "report", "op_none", "--format", "html")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "op_none")
}

func TestOperationsThatDoNotSucceed(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop", "--rehearse", "off")
	op := o.orders(t, "logs")
	o.move(t, op.ID, provision.Failed, func(op *provision.Operation) {
		op.Failure = &provision.Failure{Code: provision.CodeConflict, Message: "the bucket is taken", Pending: []string{"urn:x"}}
	})
	code, stdout, _ := o.as(t, "alice", "", "operations", "watch", op.ID)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "the bucket is taken")
	require.Contains(t, stdout, "urn:x")

	var again client.Operation
	require.NoError(t, json.Unmarshal([]byte(o.does(t, "alice", "operations", "retry", op.ID, "--json")), &again))
	require.Equal(t, op.ID, again.RetryOf)
	require.Contains(t, o.does(t, "alice", "operations", "cancel", again.ID), "is canceled")
	code, _, stderr := o.as(t, "alice", "", "operations", "cancel", again.ID)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "nothing to cancel")

	o.move(t, o.orders(t, "more").ID, provision.AwaitingApproval, plan)
	text := o.does(t, "bob", "operations", "list", "--state", "awaiting_approval", "--json")
	var waiting []client.Operation
	require.NoError(t, json.Unmarshal([]byte(text), &waiting))
	require.Len(t, waiting, 1)
	require.Contains(t, o.does(t, "bob", "reject", waiting[0].ID, "--digest", "sha256:9f86d0", "--comment", "no"), "is rejected")
}

func TestEnvironments(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop", "--rehearse", "off")
	first := o.orders(t, "logs", "--no-protect")
	require.Contains(t, o.does(t, "alice", "environments", "list", "--project", "acme/shop"), "acme/shop/logs")
	require.Contains(t, o.does(t, "alice", "environments", "lock", "acme/shop/logs", "--reason", "a migration"), "is locked")
	require.Contains(t, o.does(t, "alice", "environments", "show", "acme/shop/logs"), "a migration")
	require.Contains(t, o.does(t, "alice", "environments", "unlock", first.StackID), "is not locked")
	require.Contains(t, o.does(t, "alice", "environments", "ttl", "acme/shop/logs", "48h"), "UTC")
	require.Contains(t, o.does(t, "alice", "environments", "ttl", "acme/shop/logs", "never"), "expires: never")
	var change client.Operation
	require.NoError(t, json.Unmarshal([]byte(o.does(t, "alice", "order", "secure-bucket", "--project", "acme/shop", "--name", "logs", "--existing", "--set", "name=x", "--json")), &change))
	require.Equal(t, first.StackID, change.StackID)

	code, _, stderr := o.as(t, "alice", "lgos\n", "environments", "destroy", "acme/shop/logs")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "nothing was destroyed")
	code, _, stderr = o.as(t, "alice", "", "environments", "destroy", "acme/shop/logs")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "--confirm logs")
	protected := o.orders(t, "vault")
	code, _, stderr = o.as(t, "alice", "", "environments", "destroy", "acme/shop/vault", "--confirm", "vault")
	require.Equal(t, exitError, code, protected.ID)
	require.Contains(t, stderr, "protected")
	o.does(t, "alice", "environments", "set", "acme/shop/vault", "--no-protect", "--label", "team=web")
	require.Regexp(t, `(?s)Protected +no.*Label +team=web`, o.does(t, "alice", "environments", "show", "acme/shop/vault"))
	o.move(t, first.ID, provision.Succeeded, nil)
	o.move(t, change.ID, provision.Succeeded, nil)
	code, stdout, stderr := o.as(t, "alice", "logs\n", "environments", "destroy", "acme/shop/logs")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "destroy of acme/shop/logs is queued")
}

func TestWaiversAndBindings(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	made := o.does(t, "alice", "waive", "s3-bucket-replicated", "--project", "acme/shop", "--resource", "*", "--reason", "copied", "--for", "7d", "--json")
	var waiver client.Waiver
	require.NoError(t, json.Unmarshal([]byte(made), &waiver))
	require.Contains(t, o.does(t, "alice", "waivers", "list", "acme/shop"), waiver.ID)
	require.Contains(t, o.does(t, "alice", "waivers", "revoke", waiver.ID), "is revoked")
	require.Contains(t, o.does(t, "alice", "waivers", "list", "acme/shop"), "revoked 2")

	var binding client.Binding
	require.NoError(t, json.Unmarshal([]byte(o.does(t, "alice", "bindings", "create", "group:web", "requester", "acme/shop", "--for", "8h", "--json")), &binding))
	require.Regexp(t, binding.ID+` +group:web +requester +acme/shop`, o.does(t, "alice", "bindings", "list"))
	require.Contains(t, o.does(t, "alice", "bindings", "delete", binding.ID), "is deleted")
}

// What people get wrong: all of it at once, exit code 2, nothing on standard output.
func TestSelfServiceBadInput(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	order := []string{"order", "secure-bucket", "--project", "acme/shop", "--name", "logs"}
	for name, row := range map[string]struct {
		args []string
		want []string
	}{
		"every finding":   {append(order, "--set", "days=0", "--set", "colour=red", "--ttl", "soon"), []string{"/ttl"}},
		"inputs":          {append(order, "--set", "days=0", "--set", "colour=red"), []string{"/inputs/days", "colour", "/inputs/name"}},
		"no number":       {append(order, "--set", "days=many"), []string{"--set days", "number"}},
		"no KEY=VALUE":    {append(order, "--set", "days"), []string{"KEY=VALUE"}},
		"no blueprint":    {[]string{"order", "nothing", "--project", "acme/shop", "--name", "x"}, []string{"nothing"}},
		"no project":      {[]string{"order", "secure-bucket", "--project", "acme/other", "--name", "x"}, []string{"there is no project acme/other"}},
		"no environment":  {[]string{"environments", "show", "acme/shop/none"}, []string{"there is no environment"}},
		"no operation":    {[]string{"operations", "watch", "op_none"}, []string{"op_none"}},
		"nothing to set":  {[]string{"project", "set", "acme/shop"}, []string{"nothing to set"}},
		"a made-up role":  {[]string{"bindings", "create", "user:bob", "emperor", "*"}, []string{"emperor"}},
		"an example of ?": {[]string{"blueprints", "--example"}, []string{"which blueprint"}},
	} {
		code, stdout, stderr := o.as(t, "alice", "", row.args...)
		require.Equal(t, exitError, code, "%s: %s", name, stderr)
		require.Empty(t, stdout, name)
		for _, want := range row.want {
			require.Contains(t, stderr, want, name)
		}
	}
	code, _, stderr := o.as(t, "stranger", "", "project", "show", "acme/shop")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "there is no project")
}

// Every command of self-service says how it is used.
func TestEveryHelpHasExamples(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{Serve: serveCommand{Settings: settings()}}, kong.Vars{"version": "x"})
	require.NoError(t, err)
	for _, leaf := range parser.Model.Leaves(true) {
		for top := leaf; top != nil; top = top.Parent {
			if top.Group != nil && top.Group.Title == "Self-service" || top.Group != nil && top.Group.Key == "Self-service" {
				require.Contains(t, leaf.Detail, "Examples:", leaf.FullPath())
				require.Contains(t, leaf.Detail, "  redoubt ", leaf.FullPath())
			}
		}
	}
}
