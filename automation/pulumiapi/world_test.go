package pulumiapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/sql"
)

// org is the organization that every world has.
const org = "acme"

// world is a service on a database, served over HTTP.
type world struct {
	service *backend.Service
	server  *httptest.Server
	// admin is the bootstrap credential.
	admin string
	log   *buffer
	told  *metrics
}

// newWorld makes a service on a database: a URL, or empty for SQLite in a folder
// of its own.
func newWorld(t testing.TB, database string, change ...func(*pulumiapi.Options)) *world {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	folder := t.TempDir()
	if database == "" {
		database = folder
	}
	store, err := sql.Open(ctx, database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	ring, err := keyfile.Open(filepath.Join(folder, "keys.json"))
	require.NoError(t, err)
	w := &world{service: backend.New(store, ring, backend.Options{}), log: &buffer{}, told: &metrics{}}
	w.admin, err = w.service.Bootstrap(ctx, org)
	require.NoError(t, err)
	key, err := w.service.SigningKey(ctx)
	require.NoError(t, err)
	opts := pulumiapi.Options{SignKey: key, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Metrics: w.told}
	for _, f := range change {
		f(&opts)
	}
	w.server = httptest.NewServer(pulumiapi.New(w.service, opts))
	t.Cleanup(w.server.Close)
	return w
}

// token makes a token of a person that may do something to stacks.
func (w *world) token(t testing.TB, stacks string, verbs ...backend.Verb) string {
	t.Helper()
	root, err := w.service.Authenticate(t.Context(), w.admin)
	require.NoError(t, err)
	_, credential, err := w.service.CreateToken(t.Context(), root, backend.NewToken{
		Name: "test", Principal: "alice", Grants: []backend.Grant{{Stacks: stacks, Verbs: verbs}},
	})
	require.NoError(t, err)
	return credential
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// into reads the answer as JSON.
func (r reply) into(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r.body, v), "%d %s", r.status, r.body)
}

// ask sends a request: auth is the whole Authorization header, body is text, or
// a value that becomes JSON, or nil.
func (w *world) ask(t testing.TB, method, path, auth string, body any, header ...string) reply {
	t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	case []byte:
		reader = bytes.NewReader(body)
	default:
		text, err := json.Marshal(body)
		require.NoError(t, err)
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL, reader)
	require.NoError(t, err)
	// The path goes out as it is, however hostile.
	req.URL.Opaque = "//" + req.URL.Host + path
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{status: res.StatusCode, header: res.Header, body: text}
}

// do is ask as the administrator, for an answer of 200.
func (w *world) do(t testing.TB, method, path string, body any) reply {
	t.Helper()
	r := w.ask(t, method, path, "token "+w.admin, body)
	require.Equal(t, http.StatusOK, r.status, "%s %s: %s", method, path, r.body)
	return r
}

// stack makes a stack of project shop and returns its path.
func (w *world) stack(t testing.TB, name string) string {
	t.Helper()
	w.do(t, http.MethodPost, "/api/stacks/"+org+"/shop", map[string]any{"stackName": name})
	return "/api/stacks/" + org + "/shop/" + name
}

// update starts an update of a stack and returns its path and the
// Authorization of its lease.
func (w *world) update(t testing.TB, stack string, dryRun, journal bool) (path, lease string) {
	t.Helper()
	var made struct{ UpdateID string }
	w.do(t, http.MethodPost, stack+"/update", map[string]any{"name": "shop", "options": map[string]any{"dryRun": dryRun}}).into(t, &made)
	path = stack + "/update/" + made.UpdateID
	version := 0
	if journal {
		version = 1
	}
	var started struct{ Token string }
	w.do(t, http.MethodPost, path, map[string]any{"journalVersion": version}).into(t, &started)
	require.NotEmpty(t, started.Token)
	return path, "update-token " + started.Token
}

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// buffer is a log that is written by many.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// metrics remembers what it was told.
type metrics struct {
	mu      sync.Mutex
	routes  map[string]int
	unknown map[string]int
}

func (m *metrics) Request(method, route string, _ int, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.routes == nil {
		m.routes = map[string]int{}
	}
	m.routes[method+" "+route]++
}

func (m *metrics) UnknownEndpoint(method, shape string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unknown == nil {
		m.unknown = map[string]int{}
	}
	m.unknown[method+" "+shape]++
}

func (m *metrics) unknowns() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int{}
	for k, v := range m.unknown {
		out[k] = v
	}
	return out
}
