package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/session"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// shifted is a store whose clock can be set ahead.
type shifted struct {
	provision.Store
	ahead atomic.Int64
	// writes counts updates.
	writes atomic.Int64
}

func (s *shifted) View(ctx context.Context, read func(provision.Tx) error) error {
	return s.Store.View(ctx, func(tx provision.Tx) error { return read(shiftedTx{tx, s}) })
}

func (s *shifted) Update(ctx context.Context, write func(provision.Tx) error) error {
	s.writes.Add(1)
	return s.Store.Update(ctx, func(tx provision.Tx) error { return write(shiftedTx{tx, s}) })
}

type shiftedTx struct {
	provision.Tx
	s *shifted
}

func (t shiftedTx) Now() time.Time { return t.Tx.Now().Add(time.Duration(t.s.ahead.Load())) }

func (s *shifted) pass(d time.Duration) { s.ahead.Add(int64(d)) }

// world is a manager on a database.
type world struct {
	*session.Manager
	store   *shifted
	backend *backend.Service
}

func newWorld(t testing.TB, database string, o session.Options) *world {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if database == "" {
		database = t.TempDir()
	}
	db, err := sql.Open(ctx, database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, ok := sql.Provisioning(db)
	require.True(t, ok)
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
	require.NoError(t, err)
	w := &world{store: &shifted{Store: store}, backend: backend.New(db, ring, backend.Options{})}
	w.Manager, err = session.New(w.store, o)
	require.NoError(t, err)
	return w
}

var alice = provision.Principal{Kind: provision.Human, Name: "alice", Human: "alice", Groups: []string{"shop"}, MFA: true, AuthMethod: "oidc"}

// start signs somebody in and returns the cookie.
func (w *world) start(t testing.TB, p provision.Principal, had ...*http.Cookie) *http.Cookie {
	t.Helper()
	rec := httptest.NewRecorder()
	require.NoError(t, w.Start(rec, request(t, http.MethodGet, had...), p))
	cookies := rec.Result().Cookies()
	require.Len(t, cookies, 1)
	return cookies[0]
}

func request(t testing.TB, method string, cookies ...*http.Cookie) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://redoubt.example.org/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

func (w *world) ended(t testing.TB, c *http.Cookie) {
	t.Helper()
	_, err := w.Authenticate(request(t, http.MethodGet, c))
	require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(err), "%v", err)
	if c.Value != "" {
		require.NotContains(t, err.Error(), c.Value)
	}
}

func (w *world) lives(t testing.TB, c *http.Cookie) provision.Principal {
	t.Helper()
	p, err := w.Authenticate(request(t, http.MethodGet, c))
	require.NoError(t, err)
	return p
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	story(t, newWorld(t, "", session.Options{}))
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	story(t, newWorld(t, postgrestest.Database(t), session.Options{}))
}

// story is the life of sessions.
func story(t *testing.T, w *world) {
	t.Helper()
	cookie := w.start(t, alice)
	require.Equal(t, "__Host-redoubt", cookie.Name)
	require.True(t, cookie.Secure)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Equal(t, "/", cookie.Path)
	require.Empty(t, cookie.Domain)
	want := alice
	want.AuthMethod = "session"
	require.Equal(t, want, w.lives(t, cookie))

	// A sign-in gives another value, and the old one is worth nothing.
	again := w.start(t, alice, cookie)
	require.NotEqual(t, cookie.Value, again.Value)
	w.ended(t, cookie)
	w.lives(t, again)

	// Idle: eight hours, from the last time that something was heard.
	writes := w.store.writes.Load()
	for range 20 {
		w.lives(t, again)
	}
	require.Equal(t, writes, w.store.writes.Load(), "not a write for each request")
	w.store.pass(7 * time.Hour)
	w.lives(t, again)
	w.store.pass(7 * time.Hour)
	w.lives(t, again)
	w.store.pass(8*time.Hour + time.Second)
	w.ended(t, again)

	// Absolute: 24 hours, whatever is heard.
	busy := w.start(t, alice)
	for range 23 {
		w.store.pass(time.Hour)
		w.lives(t, busy)
	}
	w.store.pass(time.Hour + time.Second)
	w.ended(t, busy)

	// Signing out.
	out := w.start(t, alice)
	rec := httptest.NewRecorder()
	require.NoError(t, w.End(rec, request(t, http.MethodPost, out)))
	require.Negative(t, rec.Result().Cookies()[0].MaxAge)
	w.ended(t, out)
	require.NoError(t, w.End(httptest.NewRecorder(), request(t, http.MethodPost, out)), "twice is no error")
	require.NoError(t, w.End(httptest.NewRecorder(), request(t, http.MethodPost)))

	n, err := w.Prune(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(2), n)
}

func TestHostileCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", session.Options{})
	good := w.start(t, alice)
	for _, value := range []string{"", "?", strings.Repeat("A", 43), strings.Repeat("A", 10000), good.Value + "A", good.Value[1:], "../../x", "%00"} {
		w.ended(t, &http.Cookie{Name: good.Name, Value: value})
	}
	w.ended(t, &http.Cookie{Name: "redoubt_session", Value: good.Value}) // the name of plain HTTP, which a neighbour could set
	_, err := w.Authenticate(request(t, http.MethodGet))
	require.Equal(t, provision.CodeUnauthenticated, provision.CodeOf(err))
}

func TestOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", session.Options{Origins: []string{"https://redoubt.example.com"}})
	cookie := w.start(t, alice)
	for _, c := range []struct {
		method string
		header map[string]string
		want   provision.Code
	}{
		{http.MethodPost, nil, ""}, // no browser
		{http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-origin"}, ""},
		{http.MethodPost, map[string]string{"Origin": "https://redoubt.example.org"}, ""},
		{http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://redoubt.example.com"}, ""},
		{http.MethodGet, map[string]string{"Sec-Fetch-Site": "cross-site"}, ""},
		{http.MethodPost, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, provision.CodeForbidden},
		{http.MethodDelete, map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example.org"}, provision.CodeForbidden},
		{http.MethodPatch, map[string]string{"Origin": "https://evil.example"}, provision.CodeForbidden},
		{http.MethodPut, map[string]string{"Origin": "null"}, provision.CodeForbidden},
	} {
		r := request(t, c.method, cookie)
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		_, err := w.Authenticate(r)
		require.Equal(t, c.want, provision.CodeOf(err), "%s %v: %v", c.method, c.header, err)
	}
	r := request(t, http.MethodPost, cookie)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, provision.CodeForbidden, provision.CodeOf(w.End(httptest.NewRecorder(), r)))
	w.lives(t, cookie)
	_, err := session.New(w.store, session.Options{Origins: []string{"redoubt"}})
	require.Equal(t, provision.CodeInvalid, provision.CodeOf(err))
}

func TestPlain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", session.Options{Plain: true})
	cookie := w.start(t, alice)
	require.Equal(t, "redoubt_session", cookie.Name)
	require.False(t, cookie.Secure)
	require.True(t, cookie.HttpOnly)
	w.lives(t, cookie)
}

// TestRevokedToken: a session that an access token began ends with the token.
func TestRevokedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", session.Options{})
	credential, err := w.backend.Bootstrap(t.Context(), "acme")
	require.NoError(t, err)
	caller, err := w.backend.Authenticate(t.Context(), credential)
	require.NoError(t, err)
	cookie := w.start(t, provision.Principal{Kind: provision.Human, Name: "admin", AuthMethod: "token", Caller: caller})
	p := w.lives(t, cookie)
	require.Equal(t, caller.Token.Grants, p.Caller.Token.Grants)
	require.Empty(t, p.Caller.Token.Hash)
	require.NoError(t, w.backend.RevokeToken(t.Context(), caller, caller.Token.ID))
	w.ended(t, cookie)
}
