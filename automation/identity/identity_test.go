package identity_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/identity"
	"redoubt/automation/keyfile"
	"redoubt/automation/oidc"
	"redoubt/automation/oidc/oidctest"
	"redoubt/automation/provision"
	"redoubt/automation/session"
	"redoubt/automation/sql"
)

// world is a service with people, served over HTTP: /whoami answers with the
// principal's kind, name, method and second factor.
type world struct {
	*identity.Identifier
	backend    *backend.Service
	credential string
	admin      backend.Caller
	issuer     *oidctest.Provider
	url        string
}

func newWorld(t *testing.T, withIssuer bool) *world {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	db, err := sql.Open(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, ok := sql.Provisioning(db)
	require.True(t, ok)
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
	require.NoError(t, err)
	w := &world{backend: backend.New(db, ring, backend.Options{})}
	w.credential, err = w.backend.Bootstrap(ctx, "acme")
	require.NoError(t, err)
	w.admin, err = w.backend.Authenticate(ctx, w.credential)
	require.NoError(t, err)
	sessions, err := session.New(store, session.Options{Plain: true})
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	o := identity.Options{Backend: w.backend, Sessions: sessions}
	if withIssuer {
		w.issuer = oidctest.Start(t, w.url+"/auth/callback")
		w.issuer.Add("alice", oidctest.Person{Methods: []string{"otp"}, Claims: map[string]any{"groups": []string{"shop"}}})
		secret := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(secret, []byte(oidctest.ClientSecret), 0o600))
		o.OIDC, err = oidc.New(oidc.Config{Issuer: w.issuer.Issuer, ClientID: oidctest.ClientID, ClientSecretFile: secret})
		require.NoError(t, err)
	}
	w.Identifier = identity.New(o)
	mux.Handle("/auth/", identity.Browser{Identifier: w.Identifier, Public: w.url}.Handler())
	mux.HandleFunc("/whoami", func(rw http.ResponseWriter, r *http.Request) {
		p, err := w.Identify(r)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(rw, "%s %s %s %t", p.Kind, p.Name, p.AuthMethod, p.MFA)
	})
	return w
}

func (w *world) token(t testing.TB, n backend.NewToken) string {
	t.Helper()
	n.Name = "for a test"
	if n.Grants == nil {
		n.Grants = []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Read}}}
	}
	_, credential, err := w.backend.CreateToken(t.Context(), w.admin, n)
	require.NoError(t, err)
	return credential
}

func request(t testing.TB, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/projects", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	everything := []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}
	for _, c := range []struct {
		name, token string
		kind        provision.PrincipalKind
		who, human  string
		groups      []string
	}{
		{"bootstrap", w.credential, provision.Human, "admin", "admin", nil},
		{"program", w.token(t, backend.NewToken{Principal: "sa:deploy", Human: "alice", Groups: []string{"builders"}}), provision.ServiceAccount, "deploy", "alice", []string{"builders"}},
		{"program of nobody", w.token(t, backend.NewToken{Principal: "sa:lonely"}), provision.ServiceAccount, "lonely", "", nil},
		{"person's own", w.token(t, backend.NewToken{Principal: "alice", Human: "alice"}), provision.Human, "alice", "alice", nil},
		{"neither", w.token(t, backend.NewToken{Principal: "ci"}), provision.ServiceAccount, "ci", "", nil},
		{"called admin", w.token(t, backend.NewToken{Principal: "admin"}), provision.ServiceAccount, "admin", "", nil},
		{"all of it", w.token(t, backend.NewToken{Principal: "bob", Grants: everything}), provision.ServiceAccount, "bob", "", nil},
		{"program called like its owner", w.token(t, backend.NewToken{Principal: "sa:alice", Human: "sa:alice"}), provision.ServiceAccount, "alice", "sa:alice", nil},
	} {
		for _, scheme := range []string{"Bearer ", "bearer ", "token "} {
			p, err := w.Identify(request(t, "Authorization", scheme+c.token))
			require.NoError(t, err, c.name)
			require.Equal(t, c.kind, p.Kind, c.name)
			require.Equal(t, c.who, p.Name, c.name)
			require.Equal(t, c.human, p.Human, c.name)
			require.Equal(t, c.groups, p.Groups, c.name)
			require.Equal(t, "token", p.AuthMethod)
			require.False(t, p.MFA)
			require.Equal(t, "192.0.2.1", p.Caller.Address)
		}
	}
	p, err := w.Identify(request(t, "Authorization", "Bearer "+w.issuer.Sign(t, w.issuer.Claims("alice"))))
	require.NoError(t, err)
	require.Equal(t, "oidc", p.AuthMethod)
	require.Equal(t, "alice", p.Name)
	require.True(t, p.MFA)
	require.Equal(t, "192.0.2.1", p.Caller.Address)
	require.False(t, p.Caller.May(backend.Read, backend.StackName{Org: "acme", Project: "shop", Stack: "dev"}))
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	for _, c := range []struct {
		name, says string
		headers    []string
	}{
		{"nothing", "redoubt login", nil},
		{"another scheme", "one header", []string{"Authorization", "Basic YTpi"}},
		{"empty", "one header", []string{"Authorization", ""}},
		{"no token", "one header", []string{"Authorization", "Bearer "}},
		{"two", "one header", []string{"Authorization", "Bearer " + w.credential, "Authorization", "Bearer x"}},
		{"wrong", "not valid", []string{"Authorization", "Bearer " + w.credential + "x"}},
		{"made up", "not valid", []string{"Authorization", "Bearer redoubt_x"}},
		{"no JWT", "no signed JSON Web Token", []string{"Authorization", "Bearer secret-canary"}},
		{"with a session too", "no signed JSON Web Token", []string{"Authorization", "Bearer secret-canary", "Cookie", "redoubt_session=x"}},
		{"a session that is none", "has ended", []string{"Cookie", "redoubt_session=secret-canary"}},
	} {
		p, err := w.Identify(request(t, c.headers...))
		require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(err), "%s: %v", c.name, err)
		require.ErrorContains(t, err, c.says, c.name)
		require.NotContains(t, fmt.Sprintf("%+v", err), "canary")
		require.Zero(t, p, c.name)
	}
	alone := newWorld(t, false)
	_, err := alone.Identify(request(t, "Authorization", "Bearer x.y.z"))
	require.ErrorContains(t, err, "no identity provider is configured")
	w.issuer.Down(true)
	_, err = newIssuerless(t, w).Identify(request(t, "Authorization", "Bearer "+w.issuer.Sign(t, w.issuer.Claims("alice"))))
	require.Equal(t, provision.CodeUnavailable, provision.CodeOf(err), "%v", err)
}

// newIssuerless has not asked the issuer yet.
func newIssuerless(t testing.TB, w *world) *identity.Identifier {
	t.Helper()
	p, err := oidc.New(oidc.Config{Issuer: w.issuer.Issuer, ClientID: oidctest.ClientID})
	require.NoError(t, err)
	return identity.New(identity.Options{Backend: w.backend, OIDC: p})
}

func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	from := func(address, token string) error {
		r := request(t, "Authorization", "Bearer "+token)
		r.RemoteAddr = "[" + address + "]:1"
		_, err := w.Identify(r)
		return err
	}
	blocked := 0
	for range 60 {
		if provision.CodeOf(from("2001:db8::1", "redoubt_wrong")) == provision.CodeQuotaExceeded {
			blocked++
		}
	}
	require.GreaterOrEqual(t, blocked, 10)
	err := from("2001:db8::2", "redoubt_wrong")
	require.Equal(t, provision.CodeQuotaExceeded, provision.CodeOf(err), "the same network: %v", err)
	var e *provision.Error
	require.True(t, errors.As(err, &e))
	require.Positive(t, e.RetryAfter)
	require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(from("2001:db8:1::1", "redoubt_wrong")), "another network")
	require.NoError(t, from("2001:db8:1::1", w.credential))
	for range 100 {
		require.NoError(t, from("2001:db8:2::1", w.credential), "good ones are not counted")
	}
}

// get visits an address and returns what it says.
func get(t testing.TB, browser *http.Client, address string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	return send(t, browser, r)
}

func post(t testing.TB, browser *http.Client, address string, form url.Values, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return send(t, browser, r)
}

func send(t testing.TB, browser *http.Client, r *http.Request) (int, string) {
	t.Helper()
	answer, err := browser.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode, strings.TrimSpace(string(text))
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	browser := oidctest.Browser(t, "alice")
	status, _ := get(t, browser, w.url+"/whoami")
	require.Equal(t, http.StatusUnauthorized, status)

	status, text := get(t, browser, w.url+"/auth/login?return=/whoami&fresh=1")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "user alice session true", text)

	// A callback that this browser did not ask for signs nobody in.
	status, text = get(t, browser, w.url+"/auth/callback?code=x&state=y")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "did not begin")

	// Another site's page does not sign out.
	status, _ = post(t, browser, w.url+"/auth/logout", nil, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, status)
	_, text = get(t, browser, w.url+"/whoami")
	require.Equal(t, "user alice session true", text)

	stay := *browser
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/auth/logout", nil)
	require.NoError(t, err)
	answer, err := stay.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Contains(t, answer.Header.Get("Location"), w.issuer.Issuer+"/end_session?client_id=redoubt")
	status, _ = get(t, browser, w.url+"/whoami")
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestBrowserWithToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	status, _ := get(t, browser, w.url+"/auth/login")
	require.Equal(t, http.StatusNotFound, status)
	status, text := post(t, browser, w.url+"/auth/token", url.Values{"token": {"redoubt_canary"}})
	require.Equal(t, http.StatusUnauthorized, status)
	require.NotContains(t, text, "canary")
	status, _ = post(t, browser, w.url+"/auth/token", url.Values{"token": {w.credential}}, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, status)
	_, text = post(t, browser, w.url+"/auth/token", url.Values{"token": {w.credential}, "return": {"/whoami"}})
	require.Equal(t, "user admin session false", text)
}

// TestReturn: a sign-in leads to this service and nowhere else.
func TestReturn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]string{
		"": "/", "/stacks?x=1": "/stacks?x=1", "https://evil.example/": "/", "//evil.example/": "/", `/\evil.example`: "/",
		"evil": "/", "javascript:alert(1)": "/", "/a\nb": "/", "/%zz": "/",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/auth/token",
			strings.NewReader(url.Values{"token": {w.credential}, "return": {path}}.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := stay.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, answer.Header.Get("Location"), "%q", path)
	}
}

// Command lines ask how they sign in before they are anybody.
func TestSignInOptions(t *testing.T) {
	t.Parallel()
	options := func(w *world) string {
		answer, err := http.Get(w.url + "/auth/options")
		require.NoError(t, err)
		defer answer.Body.Close() //nolint:errcheck // it was read
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	require.JSONEq(t, `{}`, options(newWorld(t, false)))
	w := newWorld(t, true)
	require.JSONEq(t, `{"issuer":"`+w.issuer.Issuer+`","client_id":"`+oidctest.ClientID+`"}`, options(w), "the client's secret is nobody's")
}
