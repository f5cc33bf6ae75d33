// Package oidctest runs a real OpenID Connect provider in a test: zitadel's, with
// its storage in memory. Its people, what their tokens say, its keys and its clock
// are the test's to change.
package oidctest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The clients that it knows: one for a service, with a secret, and one for
// `redoubt login`, without.
const (
	ClientID      = "redoubt"
	ClientSecret  = "s3cret-of-the-client"
	LoginClientID = "redoubt-cli"
)

// Person is somebody who may sign in. There are no passwords: the test says who is
// in front of the browser.
type Person struct {
	// Methods are "amr", Context is "acr".
	Methods []string
	Context string
	// Claims are what their tokens say besides: "groups", "email".
	Claims map[string]any
}

// Provider is a running provider.
type Provider struct {
	// Issuer is its address.
	Issuer string

	store *store
	// asked counts questions for its keys.
	mu    sync.Mutex
	asked int
	down  bool
}

// Start runs a provider until the test ends. Redirects are the addresses of the
// service that its client may come back to.
func Start(t testing.TB, redirects ...string) *Provider {
	t.Helper()
	mux := http.NewServeMux()
	p := &Provider{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		down := p.down
		if strings.HasSuffix(r.URL.Path, "/keys") {
			p.asked++
		}
		p.mu.Unlock()
		if down {
			http.Error(w, "the provider is away", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.Issuer = server.URL
	clients := map[string]*storage.Client{
		ClientID:      storage.WebClient(ClientID, ClientSecret, redirects...),
		LoginClientID: storage.NativeClient(LoginClientID, "http://127.0.0.1/callback"),
	}
	p.store = &store{life: time.Hour, Storage: storage.NewStorageWithClients(people{}, clients), people: map[string]Person{}, clients: clients}
	p.Rotate(t)
	provider, err := op.NewProvider(&op.Config{
		CryptoKey: sha256.Sum256([]byte("test")), CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		DefaultLogoutRedirectURI: "/logged-out",
		DeviceAuthorization:      op.DeviceAuthorizationConfig{Lifetime: time.Minute, PollInterval: time.Second, UserFormPath: "/device", UserCode: op.UserCodeBase20},
	}, p.store, op.StaticIssuer(p.Issuer), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	require.NoError(t, err)
	mux.Handle("/", provider)
	back := op.AuthCallbackURL(provider)
	mux.Handle("/sign-in", op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, who := r.FormValue("id"), r.Header.Get("X-Person")
		if err := p.store.CheckUsernamePassword(who, who, id); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, back(r.Context(), id), http.StatusFound)
	}))
	return p
}

// Add makes or changes a person.
func (p *Provider) Add(name string, who Person) {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.people[name] = who
}

// Code is what somebody does who types the code of a sign-in elsewhere: they let it
// in, or refuse it.
func (p *Provider) Code(t testing.TB, code, name string, allow bool) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if !allow {
		require.NoError(t, p.store.DenyDeviceAuthorization(ctx, code))
		return
	}
	require.NoError(t, p.store.CompleteDeviceAuthorization(ctx, code, name))
}

// Rotate makes a new key: it signs from now on, and those before are published too.
func (p *Provider) Rotate(t testing.TB) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.keys = append(p.store.keys, key{id: rand.Text(), key: k})
}

// Down makes the provider answer nothing, or takes that back.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Lifetime is how long ID tokens are good from now on; an hour where nothing is said.
func (p *Provider) Lifetime(life time.Duration) {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.life = life
}

// SignOut ends all that somebody's command lines have there, refresh tokens too.
func (p *Provider) SignOut(t testing.TB, name string) {
	t.Helper()
	require.NoError(t, p.store.TerminateSession(context.WithoutCancel(t.Context()), name, LoginClientID))
}

// Renewable says whether a refresh token is still good.
func (p *Provider) Renewable(t testing.TB, refresh string) bool {
	t.Helper()
	_, _, err := p.store.GetRefreshTokenInfo(context.WithoutCancel(t.Context()), LoginClientID, refresh)
	return err == nil
}

// KeysAsked is how often its keys were asked for.
func (p *Provider) KeysAsked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// Claims are those of a good token of a person, an hour long.
func (p *Provider) Claims(name string) map[string]any {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	who, now := p.store.people[name], time.Now()
	claims := map[string]any{
		"iss": p.Issuer, "sub": name, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if who.Methods != nil {
		claims["amr"] = who.Methods
	}
	if who.Context != "" {
		claims["acr"] = who.Context
	}
	maps.Copy(claims, who.Claims)
	return claims
}

// Sign signs claims with the newest key, as the provider would.
func (p *Provider) Sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	p.store.mu.Lock()
	k := p.store.keys[len(p.store.keys)-1]
	p.store.mu.Unlock()
	return SignWith(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.key, KeyID: k.id}}, "JWT", claims)
}

// Published is the newest public key, with its id.
func (p *Provider) Published() jose.JSONWebKey {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	k := p.store.keys[len(p.store.keys)-1]
	return jose.JSONWebKey{Key: &k.key.PublicKey, KeyID: k.id}
}

// SignWith signs claims with any key.
func SignWith(t testing.TB, with jose.SigningKey, kind string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(with, (&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// Browser is one with somebody in front of it, who signs in where the provider asks.
func Browser(t testing.TB, who string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, Transport: person{who}}
}

type person struct{ name string }

// RoundTrip implements http.RoundTripper.
func (p person) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Person", p.name)
	return http.DefaultTransport.RoundTrip(r)
}

// store is zitadel's, with people, clients and keys of the test's.
type store struct {
	*storage.Storage
	mu      sync.Mutex
	people  map[string]Person
	clients map[string]*storage.Client
	keys    []key
	life    time.Duration
}

type client struct {
	*storage.Client
	life time.Duration
}

// IDTokenLifetime implements op.Client.
func (c client) IDTokenLifetime() time.Duration { return c.life }

// LoginURL is where the provider asks who is there.
func (client) LoginURL(id string) string { return "/sign-in?id=" + url.QueryEscape(id) }

// AccessTokenType makes access tokens that are JSON Web Tokens.
func (client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// GrantTypes has the sign-in by a code for each.
func (c client) GrantTypes() []oidc.GrantType {
	return append(slices.Clone(c.Client.GrantTypes()), oidc.GrantTypeDeviceCode)
}

// GetClientByClientID implements op.Storage.
func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	c, ok := s.clients[id]
	if !ok {
		return nil, oidc.ErrInvalidClient()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return client{c, s.life}, nil
}

// AuthorizeClientIDSecret implements op.Storage.
func (s *store) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != ClientID || secret != ClientSecret {
		return oidc.ErrInvalidClient()
	}
	return nil
}

// request is one with what the person signed in with.
type request struct {
	*storage.AuthRequest
	who Person
}

// GetAMR implements op.AuthRequest.
func (r request) GetAMR() []string { return r.who.Methods }

// GetACR implements op.AuthRequest.
func (r request) GetACR() string { return r.who.Context }

// renewal is a request for other tokens, by who signed in.
type renewal struct {
	*storage.RefreshTokenRequest
	who Person
}

// GetAMR implements op.RefreshTokenRequest.
func (r renewal) GetAMR() []string { return r.who.Methods }

// TokenRequestByRefreshToken implements op.Storage.
func (s *store) TokenRequestByRefreshToken(ctx context.Context, refresh string) (op.RefreshTokenRequest, error) {
	r, err := s.Storage.TokenRequestByRefreshToken(ctx, refresh)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return renewal{r.(*storage.RefreshTokenRequest), s.people[r.GetSubject()]}, nil
}

// CreateAccessAndRefreshTokens implements op.Storage: zitadel's looks for its own types.
func (s *store) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, refresh string) (string, string, time.Time, error) {
	switch dressed := r.(type) {
	case request:
		r = dressed.AuthRequest
	case renewal:
		r = dressed.RefreshTokenRequest
	}
	return s.Storage.CreateAccessAndRefreshTokens(ctx, r, refresh)
}

func (s *store) dress(r op.AuthRequest, err error) (op.AuthRequest, error) {
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return request{r.(*storage.AuthRequest), s.people[r.GetSubject()]}, nil
}

// AuthRequestByID implements op.Storage.
func (s *store) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	return s.dress(s.Storage.AuthRequestByID(ctx, id))
}

// AuthRequestByCode implements op.Storage.
func (s *store) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	// zitadel's forgets codes late; one is good once.
	return s.dress(s.Storage.AuthRequestByCode(ctx, code))
}

// SetUserinfoFromScopes implements op.Storage: what ID tokens say.
func (s *store) SetUserinfoFromScopes(_ context.Context, info *oidc.UserInfo, name, _ string, _ []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info.Subject = name
	for claim, value := range s.people[name].Claims {
		info.AppendClaims(claim, value)
	}
	return nil
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest.
func (s *store) SetUserinfoFromRequest(context.Context, *oidc.UserInfo, op.IDTokenRequest, []string) error {
	return nil
}

// GetPrivateClaimsFromScopes implements op.Storage: what access tokens say.
func (s *store) GetPrivateClaimsFromScopes(_ context.Context, name, _ string, _ []string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.people[name].Claims), nil
}

// SigningKey implements op.Storage.
func (s *store) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[len(s.keys)-1], nil
}

// KeySet implements op.Storage.
func (s *store) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var public []op.Key
	for _, k := range slices.Backward(s.keys) {
		public = append(public, publicKey{k})
	}
	return public, nil
}

type key struct {
	id  string
	key *rsa.PrivateKey
}

func (k key) ID() string                                  { return k.id }
func (k key) Key() any                                    { return k.key }
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

type publicKey struct{ key }

func (k publicKey) Key() any                           { return &k.key.key.PublicKey }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }

// people makes zitadel's storage take anybody: the name is the password.
type people struct{}

func (people) GetUserByID(name string) *storage.User { return people{}.GetUserByUsername(name) }

func (people) GetUserByUsername(name string) *storage.User {
	return &storage.User{ID: name, Username: name, Password: name}
}

func (people) ExampleClientID() string { return "example" }
