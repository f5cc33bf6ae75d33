package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// world is a served API with two projects, and people with rights in one of them:
// root may everything, alice all in shop, victor reads shop, and nobody nothing.
type world struct {
	*double
	server      *httptest.Server
	shop, bank  provision.Project
	stack       provision.Environment // of shop
	op          provision.Operation   // of stack
	bankStack   provision.Environment
	bankOp      provision.Operation
	bankWaiver  provision.Waiver
	shopWaiver  provision.Waiver
	hook        provision.Webhook
	options     api.Options
	lastTrace   string
	lastHeaders http.Header
}

func principal(name string) provision.Principal {
	return provision.Principal{Kind: provision.Human, Name: name, Human: name, AuthMethod: "token"}
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

func open(t *testing.T, change ...func(*api.Options)) *world {
	t.Helper()
	d := &double{rights: map[string]map[string]string{"root": {"*": "write"}}}
	w := &world{double: d, options: api.Options{Identify: identify}}
	ctx, root := t.Context(), principal("root")
	var err error
	made := func(project string) (p provision.Project, e provision.Environment, o provision.Operation, v provision.Waiver) {
		p, err = d.CreateProject(ctx, root, provision.NewProject{Org: "acme", Name: project})
		require.NoError(t, err)
		e, o, err = d.CreateEnvironment(ctx, root, provision.NewEnvironment{
			ProjectID: p.ID, Name: "prod", Blueprint: "secure-bucket", Inputs: json.RawMessage(`{"name":"logs","password":"hunter2","users":[{"key":"hunter2"}]}`),
		})
		require.NoError(t, err)
		v, err = d.CreateWaiver(ctx, root, provision.NewWaiver{ProjectID: p.ID, Policy: "p"})
		require.NoError(t, err)
		return p, e, o, v
	}
	w.shop, w.stack, w.op, w.shopWaiver = made("shop")
	w.bank, w.bankStack, w.bankOp, w.bankWaiver = made("bank")
	w.hook, _, err = d.CreateWebhook(ctx, root, provision.NewWebhook{Org: "acme", URL: "https://x.example", Types: []string{"*"}})
	require.NoError(t, err)
	d.rights["alice"] = map[string]string{w.shop.ID: "write"}
	d.rights["victor"] = map[string]string{w.shop.ID: "read"}
	for _, c := range change {
		c(&w.options)
	}
	w.server = httptest.NewServer(api.New(d, w.options))
	t.Cleanup(w.server.Close)
	return w
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

// ask sends a request; headers are pairs. A key is sent where one is needed.
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
