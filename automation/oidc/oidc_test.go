package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"redoubt/automation/oidc"
	"redoubt/automation/oidc/oidctest"
	"redoubt/automation/provision"
)

// config is one for a provider.
func config(t testing.TB, issuer *oidctest.Provider) oidc.Config {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(oidctest.ClientSecret+"\n"), 0o600))
	return oidc.Config{
		Issuer: issuer.Issuer, ClientID: oidctest.ClientID, ClientSecretFile: secret, LoginClientID: oidctest.LoginClientID,
	}
}

func provider(t testing.TB, c oidc.Config) *oidc.Provider {
	t.Helper()
	p, err := oidc.New(c)
	require.NoError(t, err)
	return p
}

// alice has a second factor, bob has none.
var (
	alice = oidctest.Person{Methods: []string{"pwd", "otp"}, Claims: map[string]any{
		"email": "alice@example.org", "groups": []string{"shop", "oncall"}, "realm_access": map[string]any{"roles": []string{"builder"}},
	}}
	bob = oidctest.Person{Methods: []string{"pwd"}, Claims: map[string]any{"groups": "shop"}}
)

func TestBearer(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", alice)
	issuer.Add("bob", bob)
	p := provider(t, config(t, issuer))
	who, err := p.Verify(t.Context(), issuer.Sign(t, issuer.Claims("alice")))
	require.NoError(t, err)
	require.Equal(t, "alice", who.Caller.Principal())
	require.Empty(t, who.Caller.Token.Grants)
	who.Caller = provision.Principal{}.Caller
	require.Equal(t, provision.Principal{
		Kind: provision.Human, Name: "alice", Human: "alice", Display: "alice@example.org", Groups: []string{"shop", "oncall"},
		MFA: true, AuthMethod: "oidc",
	}, who)
	who, err = p.Verify(t.Context(), issuer.Sign(t, issuer.Claims("bob")))
	require.NoError(t, err)
	require.False(t, who.MFA)
	require.Equal(t, []string{"shop"}, who.Groups)
	require.Equal(t, 1, issuer.KeysAsked())
}

// TestRefused is every reason for which a token is not believed, and the word that
// says so.
func TestRefused(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", alice)
	c := config(t, issuer)
	c.Required = map[string]string{"email": "alice@example.org"}
	p := provider(t, c)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public := issuer.Published()
	with := func(change map[string]any) string {
		claims := issuer.Claims("alice")
		for k, v := range change {
			if v == nil {
				delete(claims, k)
			} else {
				claims[k] = v
			}
		}
		return issuer.Sign(t, claims)
	}
	now := time.Now()
	good := with(nil)
	_, err = p.Verify(t.Context(), good)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	part := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	for _, tc := range []struct{ name, token, says string }{
		{"empty", "", "no signed JSON Web Token"},
		{"text", "hello", "no signed JSON Web Token"},
		{"dots", "a.b.c", "its header"},
		{"encrypted", "a.b.c.d.e", "no signed JSON Web Token"},
		{"huge", parts[0] + "." + strings.Repeat("A", 40<<10) + "." + parts[2], "no signed JSON Web Token"},
		{"none", part(map[string]any{"alg": "none"}) + "." + parts[1] + ".", `signed by "none"`},
		{"shared key", oidctest.SignWith(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{
			Key: []byte("the public key taken for a shared one"), KeyID: public.KeyID,
		}}, "JWT", issuer.Claims("alice")), `signed by "HS256"`},
		{"not allowed", part(map[string]any{"alg": "RS512", "kid": public.KeyID}) + "." + parts[1] + "." + parts[2], `signed by "RS512"`},
		{"changed", parts[0] + "." + part(issuer.Claims("mallory")) + "." + parts[2], "signature"},
		{"stranger's key", oidctest.SignWith(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: stranger, KeyID: "x"}}, "JWT", issuer.Claims("alice")), "signature"},
		{"stranger's key by a known name", oidctest.SignWith(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: stranger, KeyID: public.KeyID}}, "JWT", issuer.Claims("alice")), "signature"},
		{"own key inside", part(map[string]any{"alg": "RS256", "jwk": jose.JSONWebKey{Key: &stranger.PublicKey}}) + "." + parts[1] + "." + parts[2], "signature"},
		{"foreign issuer", with(map[string]any{"iss": "https://login.example.com"}), "issued by"},
		{"issuer with a slash", with(map[string]any{"iss": issuer.Issuer + "/"}), "issued by"},
		{"no issuer", with(map[string]any{"iss": nil}), "issued by"},
		{"wrong audience", with(map[string]any{"aud": "other"}), `another audience, "other"`},
		{"wrong audiences", with(map[string]any{"aud": []string{"a", "b"}}), "another audience"},
		{"no audience", with(map[string]any{"aud": nil}), "another audience"},
		{"audience of an object", with(map[string]any{"aud": map[string]any{"redoubt": true}}), "refused"},
		{"expired", with(map[string]any{"exp": now.Add(-3 * time.Minute).Unix()}), "expired at"},
		{"no expiry", with(map[string]any{"exp": nil}), "does not say when it expires"},
		{"expiry of text", with(map[string]any{"exp": "tomorrow"}), "refused"},
		{"endless", with(map[string]any{"exp": 1e300}), "refused"},
		{"not yet valid", with(map[string]any{"nbf": now.Add(3 * time.Minute).Unix()}), "not good before"},
		{"issued in the future", with(map[string]any{"iat": now.Add(3 * time.Minute).Unix()}), "clocks"},
		{"without a required claim", with(map[string]any{"email": nil}), `email is "alice@example.org"`},
		{"with another value", with(map[string]any{"email": "mallory@example.org"}), `email is "alice@example.org"`},
		{"nobody", with(map[string]any{"sub": nil}), "who it is about"},
		{"empty name", with(map[string]any{"sub": ""}), "who it is about"},
		{"a number", with(map[string]any{"sub": 7}), "refused"},
		{"control characters", with(map[string]any{"sub": "a\nb"}), "cannot be a name"},
		{"a long name", with(map[string]any{"sub": strings.Repeat("a", 201)}), "cannot be a name"},
		{"the administrator", with(map[string]any{"sub": "admin"}), "the service's own"},
		{"an operation", with(map[string]any{"sub": "operation/op_1"}), "the service's own"},
		{"too many groups", with(map[string]any{"groups": many(501)}), "501 groups"},
		{"logout token", with(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}), "logout"},
	} {
		who, err := p.Verify(t.Context(), tc.token)
		require.ErrorContains(t, err, tc.says, tc.name)
		require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(err), "%s: %v", tc.name, err)
		require.Zero(t, who, tc.name)
		for _, p := range strings.Split(tc.token, ".") {
			if len(p) > 20 {
				require.NotContains(t, fmt.Sprintf("%v %+v", err, err), p, tc.name)
			}
		}
	}
	// Within what clocks may differ by.
	for _, token := range []string{
		with(map[string]any{"exp": now.Add(-time.Minute).Unix()}), with(map[string]any{"nbf": now.Add(time.Minute).Unix()}),
		with(map[string]any{"iat": now.Add(time.Minute).Unix()}), with(map[string]any{"aud": []string{"a", oidctest.LoginClientID}}),
	} {
		_, err := p.Verify(t.Context(), token)
		require.NoError(t, err)
	}
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint("g", i))
	}
	return names
}

func TestClaims(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", alice)
	issuer.Add("carol", oidctest.Person{Context: "urn:two"})
	c := config(t, issuer)
	c.NameClaim, c.GroupsClaim, c.MFAMethods, c.MFAContexts, c.Audiences = "email", "realm_access.roles", []string{"fido"}, []string{"urn:two"}, []string{"api"}
	p := provider(t, c)
	claims := issuer.Claims("alice")
	claims["aud"] = "api"
	who, err := p.Verify(t.Context(), issuer.Sign(t, claims))
	require.NoError(t, err)
	require.Equal(t, "alice@example.org", who.Name)
	require.Equal(t, []string{"builder"}, who.Groups)
	require.False(t, who.MFA, "otp is not enough here")
	claims = issuer.Claims("carol")
	claims["email"] = "carol@example.org"
	who, err = p.Verify(t.Context(), issuer.Sign(t, claims))
	require.NoError(t, err)
	require.True(t, who.MFA)
	// What has another shape is not there, and says nothing wrong of anybody.
	for _, odd := range []any{nil, 7, true, map[string]any{"roles": 1}, []any{[]any{"admin"}, 1, nil}, "x"} {
		claims["realm_access"], claims["amr"], claims["acr"] = odd, odd, odd
		who, err := p.Verify(t.Context(), issuer.Sign(t, claims))
		require.NoError(t, err)
		require.Empty(t, who.Groups)
		require.False(t, who.MFA)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", alice)
	p := provider(t, config(t, issuer))
	old := issuer.Sign(t, issuer.Claims("alice"))
	_, err := p.Verify(t.Context(), old)
	require.NoError(t, err)
	issuer.Rotate(t)
	for _, token := range []string{issuer.Sign(t, issuer.Claims("alice")), old} {
		_, err = p.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	require.Equal(t, 2, issuer.KeysAsked())

	// Made-up tokens do not make it ask again and again.
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for i := range 50 {
		_, err := p.Verify(t.Context(), oidctest.SignWith(t, jose.SigningKey{
			Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: stranger, KeyID: fmt.Sprint(i)},
		}, "JWT", issuer.Claims("alice")))
		require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(err))
	}
	require.LessOrEqual(t, issuer.KeysAsked(), 8)
	_, err = p.Verify(t.Context(), old)
	require.NoError(t, err, "keys that are known need no question")
}

func TestIssuerAway(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", alice)
	issuer.Down(true)
	p := provider(t, config(t, issuer))
	token := issuer.Sign(t, issuer.Claims("alice"))
	_, err := p.Verify(t.Context(), token)
	require.Equal(t, provision.CodeUnavailable, provision.CodeOf(err), "%v", err)
	issuer.Down(false)
	require.Eventually(t, func() bool { _, err := p.Verify(t.Context(), token); return err == nil }, time.Minute, 100*time.Millisecond)
	issuer.Down(true)
	_, err = p.Verify(t.Context(), token)
	require.NoError(t, err, "keys that are known need no issuer")
	issuer.Rotate(t)
	_, err = p.Verify(t.Context(), issuer.Sign(t, issuer.Claims("alice")))
	require.Equal(t, provision.CodeUnavailable, provision.CodeOf(err), "a new key may be good: %v", err)
}

// TestTogether: many ask at once, and the issuer is asked once.
func TestTogether(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", alice)
	p := provider(t, config(t, issuer))
	token := issuer.Sign(t, issuer.Claims("alice"))
	var crowd sync.WaitGroup
	for range 20 {
		crowd.Go(func() {
			_, err := p.Verify(t.Context(), token)
			assert.NoError(t, err)
		})
	}
	crowd.Wait()
	require.LessOrEqual(t, issuer.KeysAsked(), 2)

	left, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := provider(t, config(t, issuer)).Verify(left, token)
	require.ErrorIs(t, err, context.Canceled, "who left says nothing of the token")
}

// service is what a browser comes back to.
func service(t testing.TB) (address string, got <-chan url.Values) {
	t.Helper()
	queries := make(chan url.Values, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { queries <- r.URL.Query() }))
	t.Cleanup(server.Close)
	return server.URL + "/callback", queries
}

func visit(t testing.TB, browser *http.Client, address string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := browser.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	back, got := service(t)
	issuer := oidctest.Start(t, back)
	issuer.Add("alice", alice)
	p := provider(t, config(t, issuer))
	begin := func() (oidc.Flow, url.Values) {
		address, flow, err := p.Begin(t.Context(), back, true)
		require.NoError(t, err)
		require.Contains(t, address, "code_challenge_method=S256")
		require.NotContains(t, address, flow.Verifier)
		visit(t, oidctest.Browser(t, "alice"), address)
		return flow, <-got
	}
	flow, query := begin()
	who, err := p.Finish(t.Context(), flow, query)
	require.NoError(t, err)
	require.Equal(t, "alice", who.Name)
	require.True(t, who.MFA)
	require.Equal(t, []string{"shop", "oncall"}, who.Groups)

	_, err = p.Finish(t.Context(), flow, query)
	require.ErrorContains(t, err, "gave no tokens for the code", "a code is good once")
	require.NotContains(t, err.Error(), query.Get("code"))

	for _, c := range []struct {
		name   string
		change func(*oidc.Flow, url.Values)
		says   string
	}{
		{"state", func(f *oidc.Flow, _ url.Values) { f.State = "another" }, "(state)"},
		{"no state", func(f *oidc.Flow, q url.Values) { f.State = ""; q.Del("state") }, "(state)"},
		{"nonce", func(f *oidc.Flow, _ url.Values) { f.Nonce = "another" }, "(nonce)"},
		{"verifier", func(f *oidc.Flow, _ url.Values) { f.Verifier = strings.Repeat("x", 43) }, "gave no tokens"},
		{"redirect", func(f *oidc.Flow, _ url.Values) { f.Redirect += "x" }, "gave no tokens"},
		{"no code", func(_ *oidc.Flow, q url.Values) { q.Del("code") }, "gave no tokens"},
		{"refused", func(_ *oidc.Flow, q url.Values) { q.Set("error", "access_denied") }, `"access_denied"`},
	} {
		flow, query := begin()
		c.change(&flow, query)
		_, err := p.Finish(t.Context(), flow, query)
		require.ErrorContains(t, err, c.says, c.name)
		require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(err), c.name)
	}
	out, err := p.LogoutURL(t.Context(), back)
	require.NoError(t, err)
	require.Contains(t, out, "client_id=redoubt")
	require.Contains(t, out, url.QueryEscape(back))
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("bob", bob)
	line := provider(t, oidc.Config{Issuer: issuer.Issuer, ClientID: oidctest.LoginClientID})
	login, err := line.LogIn(t.Context(), func(address string) error { visit(t, oidctest.Browser(t, "bob"), address); return nil })
	require.NoError(t, err)
	require.Equal(t, "bob", login.Name)
	require.WithinDuration(t, time.Now().Add(time.Hour), login.Expires, time.Minute)
	who, err := provider(t, config(t, issuer)).Verify(t.Context(), login.Token)
	require.NoError(t, err)
	require.Equal(t, "bob", who.Name)

	ctx, cancel := context.WithCancel(t.Context())
	_, err = line.LogIn(ctx, func(string) error { cancel(); return nil })
	require.ErrorContains(t, err, "did not come back")
}

func TestLogInElsewhere(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("bob", bob)
	line := provider(t, oidc.Config{Issuer: issuer.Issuer, ClientID: oidctest.LoginClientID})
	answer := func(allow bool) func(oidc.Device) error {
		return func(d oidc.Device) error {
			require.Equal(t, issuer.Issuer+"/device", d.Address)
			require.Contains(t, d.Complete, d.Code)
			issuer.Code(t, d.Code, "bob", allow)
			return nil
		}
	}
	login, err := line.LogInElsewhere(t.Context(), answer(true))
	require.NoError(t, err)
	require.Equal(t, "bob", login.Name)
	_, err = provider(t, config(t, issuer)).Verify(t.Context(), login.Token)
	require.NoError(t, err)
	_, err = line.LogInElsewhere(t.Context(), answer(false))
	require.ErrorContains(t, err, "refused in the browser")
	ctx, cancel := context.WithCancel(t.Context())
	_, err = line.LogInElsewhere(ctx, func(oidc.Device) error { cancel(); return nil })
	require.ErrorContains(t, err, "nobody typed the code")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := oidc.New(oidc.Config{
		Issuer: "http://login.example.org", ClientSecretFile: "/nowhere", Algorithms: []string{"none", "RS256"}, Skew: time.Hour,
		Audiences: []string{""}, Scopes: []string{"profile"},
	})
	require.Equal(t, provision.CodeInvalid, provision.CodeOf(err))
	for _, want := range []string{"issuer: ", "clientId: ", "clientSecretFile: ", `algorithms: "none"`, "skew: ", "audiences: ", "scopes: "} {
		require.ErrorContains(t, err, want)
	}
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Fields, 7)
}
