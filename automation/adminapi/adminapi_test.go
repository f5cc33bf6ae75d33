package adminapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/sql"
)

// counted is a Metrics that remembers.
type counted struct {
	mu     sync.Mutex
	routes map[string]int
}

func (c *counted) Request(method, route string, status int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.routes[method+" "+route] = status
}

// open serves a new service and returns its administrator's client.
func open(t *testing.T) (*backend.Service, *adminapi.Client, *counted) {
	t.Helper()
	folder := t.TempDir()
	store, err := sql.Open(t.Context(), folder)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	ring, err := keyfile.Open(folder + "/keys.json")
	require.NoError(t, err)
	service := backend.New(store, ring, backend.Options{})
	token, err := service.Bootstrap(t.Context(), "main")
	require.NoError(t, err)
	metrics := &counted{routes: map[string]int{}}
	server := httptest.NewServer(adminapi.New(service, adminapi.Options{Metrics: metrics, Address: func(*http.Request) string { return "192.0.2.7" }}))
	t.Cleanup(server.Close)
	return service, &adminapi.Client{URL: server.URL, Token: token}, metrics
}

// everybody is a client whose token may do what is given.
func everybody(t *testing.T, admin *adminapi.Client, grants ...backend.Grant) *adminapi.Client {
	t.Helper()
	made, err := admin.CreateToken(t.Context(), adminapi.NewToken{Name: "test", Principal: "bob", Grants: grants})
	require.NoError(t, err)
	return &adminapi.Client{URL: admin.URL, Token: made.Credential}
}

func code(err error) backend.Code {
	if p, ok := err.(*adminapi.Problem); ok { //nolint:errorlint // the client returns it bare
		return p.Code
	}
	return ""
}

var prod = backend.StackName{Org: "main", Project: "shop", Stack: "prod"}

func TestAdministratorsDo(t *testing.T) {
	t.Parallel()
	service, client, metrics := open(t)
	ctx := t.Context()
	require.NoError(t, client.CreateOrganization(ctx, "acme"))
	orgs, err := client.Organizations(ctx)
	require.NoError(t, err)
	require.Len(t, orgs, 2)

	made, err := client.CreateToken(ctx, adminapi.NewToken{Name: "laptop", Principal: "alice", LifetimeSeconds: 3600, Grants: []backend.Grant{{Stacks: "main/*/*", Verbs: []backend.Verb{backend.Write, backend.Read}}}})
	require.NoError(t, err)
	require.WithinDuration(t, made.CreatedAt.Add(time.Hour), made.ExpiresAt, 0)
	alice, err := service.Authenticate(ctx, made.Credential)
	require.NoError(t, err)
	_, err = service.CreateStack(ctx, alice, backend.NewStack{Name: prod})
	require.NoError(t, err)

	require.NoError(t, client.Protect(ctx, prod, true))
	stack, _, err := service.Stack(ctx, alice, prod)
	require.NoError(t, err)
	require.True(t, stack.Protected)
	require.NoError(t, client.Protect(ctx, prod, false))
	require.NoError(t, client.RotateKey(ctx, prod))
	done, err := client.Rewrap(ctx)
	require.NoError(t, err)
	require.Zero(t, done.Keys)

	list, err := client.Requirements(ctx, "main")
	require.NoError(t, err)
	require.Empty(t, list)
	require.Equal(t, backend.CodeNotFound, code(client.Require(ctx, "main", adminapi.Requirement{Pack: "none"})))
	require.Equal(t, backend.CodeNotFound, code(client.Release(ctx, "main", "none")))

	require.NoError(t, client.RevokeToken(ctx, made.ID))
	_, err = service.Authenticate(ctx, made.Credential)
	require.Equal(t, backend.CodeUnauthenticated, backend.CodeOf(err))
	tokens, err := client.Tokens(ctx)
	require.NoError(t, err)
	require.Len(t, tokens, 2)
	require.False(t, tokens[1].RevokedAt.IsZero())

	// What was done is in the audit log, with where from, and the log is whole
	// after its way over the wire.
	var last backend.AuditEntry
	actions := map[string]bool{}
	require.NoError(t, client.Audit(ctx, 0, func(e adminapi.AuditEntry) error {
		last, err = backend.VerifyAudit(last, []backend.AuditEntry{e.Entry()})
		require.NoError(t, err)
		if actions[e.Action] = true; e.Principal == "admin" && e.Action != "token.bootstrap" {
			require.Equal(t, "192.0.2.7", e.Detail["address"], e.Action)
		}
		return nil
	}))
	for _, want := range []string{"org.create", "token.create", "token.revoke", "stack.protect", "stack.unprotect", "key.rotate"} {
		require.True(t, actions[want], want)
	}
	require.Equal(t, http.StatusNoContent, metrics.routes["PUT /v0/admin/stacks/{org}/{project}/{stack}/protection"])
}

// Whoever may not gets told so, and it is recorded.
func TestOthersMayNot(t *testing.T) {
	t.Parallel()
	service, admin, _ := open(t)
	ctx := t.Context()
	root, err := service.Authenticate(ctx, admin.Token)
	require.NoError(t, err)
	_, err = service.CreateStack(ctx, root, backend.NewStack{Name: prod})
	require.NoError(t, err)
	for _, row := range []struct {
		name   string
		client *adminapi.Client
		codes  map[string]backend.Code
	}{
		{"nobody", &adminapi.Client{URL: admin.URL}, map[string]backend.Code{"": backend.CodeUnauthenticated}},
		{"a wrong token", &adminapi.Client{URL: admin.URL, Token: "redoubt_x_y"}, map[string]backend.Code{"": backend.CodeUnauthenticated}},
		{"a reader", everybody(t, admin, backend.Grant{Stacks: "main/*/*", Verbs: []backend.Verb{backend.Read}}), map[string]backend.Code{"": backend.CodeForbidden}},
		{"an administrator of something else", everybody(t, admin, backend.Grant{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Admin}}), map[string]backend.Code{
			"": backend.CodeForbidden, "protect": backend.CodeNotFound, "rotate": backend.CodeNotFound, "salvage": backend.CodeNotFound, "journal": backend.CodeNotFound,
		}},
	} {
		for what, do := range map[string]func(context.Context) error{
			"org":     func(ctx context.Context) error { return row.client.CreateOrganization(ctx, "fresh") },
			"tokens":  func(ctx context.Context) error { _, err := row.client.Tokens(ctx); return err },
			"revoke":  func(ctx context.Context) error { return row.client.RevokeToken(ctx, root.Token.ID) },
			"protect": func(ctx context.Context) error { return row.client.Protect(ctx, prod, true) },
			"rotate":  func(ctx context.Context) error { return row.client.RotateKey(ctx, prod) },
			"salvage": func(ctx context.Context) error {
				_, err := row.client.Salvage(ctx, prod, adminapi.SalvageOrder{Reason: "mine"})
				return err
			},
			"journal": func(ctx context.Context) error { _, err := row.client.Journal(ctx, prod, "upd_x"); return err },
			"rewrap":  func(ctx context.Context) error { _, err := row.client.Rewrap(ctx); return err },
			"require": func(ctx context.Context) error {
				return row.client.Require(ctx, "main", adminapi.Requirement{Pack: "p"})
			},
			"release": func(ctx context.Context) error { return row.client.Release(ctx, "main", "p") },
			"audit": func(ctx context.Context) error {
				return row.client.Audit(ctx, 0, func(adminapi.AuditEntry) error { return nil })
			},
			"token": func(ctx context.Context) error {
				_, err := row.client.CreateToken(ctx, adminapi.NewToken{Name: "x", Principal: "x", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}})
				return err
			},
		} {
			want, special := row.codes[what]
			if !special {
				want = row.codes[""]
			}
			require.Equal(t, want, code(do(ctx)), "%s: %s", row.name, what)
		}
	}
	denied := 0
	require.NoError(t, admin.Audit(ctx, 0, func(e adminapi.AuditEntry) error {
		if e.Denied {
			denied++
		}
		return nil
	}))
	require.Greater(t, denied, 10)
}

// What is wrong with a request is said as RFC 9457 has it.
func TestBadRequestsAreProblems(t *testing.T) {
	t.Parallel()
	_, client, metrics := open(t)
	for name, row := range map[string]struct {
		method, path, body string
		status             int
		detail             string
	}{
		"no such endpoint":    {"GET", "nothing", "", 404, "no such endpoint"},
		"another method":      {"PATCH", "tokens", "", 404, "no such endpoint"},
		"a made-up method":    {"BREW", "tokens", "", 404, "no such endpoint"},
		"a path that climbs":  {"GET", "stacks/../tokens", "", 404, "no such endpoint"},
		"no JSON":             {"POST", "tokens", "{", 400, "not the JSON object"},
		"no body":             {"POST", "tokens", "", 400, "not the JSON object"},
		"two objects":         {"POST", "organizations", `{"name":"acme"}{"name":"acme"}`, 400, "more than one"},
		"a misspelt field":    {"POST", "tokens", `{"nmae":"x"}`, 400, `unknown field "nmae"`},
		"a field's type":      {"POST", "tokens", `{"name":1}`, 400, "not the JSON object"},
		"a hostile name":      {"POST", "organizations", `{"name":"../../etc"}`, 400, "cannot be a name"},
		"a token for nothing": {"POST", "tokens", `{"name":"x","principal":"x"}`, 400, "without grants"},
		"an endless life":     {"POST", "tokens", `{"name":"x","principal":"x","lifetimeSeconds":9223372036854775807}`, 400, "cannot live for"},
		"a negative life":     {"POST", "tokens", `{"name":"x","principal":"x","grants":[{"stacks":"*/*/*","verbs":["read"]}],"lifetimeSeconds":-1}`, 400, "cannot live"},
		"no reason":           {"POST", "stacks/main/shop/prod/salvage", `{}`, 400, "--reason"},
		"a number":            {"GET", "audit?after=x", "", 400, "takes a number"},
		"a huge body":         {"POST", "tokens", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "larger than"},
		"an existing one":     {"POST", "organizations", `{"name":"main"}`, 409, "already exists"},
		"no token":            {"DELETE", "tokens/tok_none", "", 404, "there is no token"},
	} {
		request, err := http.NewRequest(row.method, client.URL+adminapi.Prefix+row.path, strings.NewReader(row.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+client.Token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, row.status, response.StatusCode, "%s: %s", name, text)
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), name)
		var p adminapi.Problem
		require.NoError(t, json.Unmarshal(text, &p), name)
		require.Contains(t, p.Detail, row.detail, name)
		require.Equal(t, row.status, p.Status, name)
		require.NotEmpty(t, p.Title, name)
		require.NotEmpty(t, p.Instance, name)
	}
	for route := range metrics.routes {
		require.NotContains(t, route, "BREW", "labels are not the client's")
		require.NotContains(t, route, "tok_none")
	}
}

// A database that is gone is our fault, and its words are not for the client.
func TestFaultsOfOursAreNotShown(t *testing.T) {
	t.Parallel()
	_, client, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Tokens(ctx)
	require.ErrorContains(t, err, "does not answer")

	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	_, err = (&adminapi.Client{URL: other.URL, Token: "x"}).Tokens(t.Context())
	require.ErrorContains(t, err, "it is no server of Redoubt")
}
