package pulumiapi_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/pulumiapi"
)

func TestFaultsOfOursAreNotShown(t *testing.T) {
	t.Parallel()
	var log buffer
	server := pulumiapi.New(backend.New(nil, nil, backend.Options{}), pulumiapi.Options{SignKey: make([]byte, 32), Log: slog.New(slog.NewJSONHandler(&log, nil))})
	for what, row := range map[string]struct {
		do   func() error
		want int
		logs string
	}{
		"a panic":             {func() error { panic("the canary sang") }, http.StatusInternalServerError, "the canary sang"},
		"an unexpected error": {func() error { return errors.New("the canary flew") }, http.StatusInternalServerError, "the canary flew"},
		"an unknown code":     {func() error { return backend.Fail("odd", "the canary slept") }, http.StatusInternalServerError, ""},
		"a busy database": {func() error {
			return &backend.Error{Code: backend.CodeUnavailable, Message: "try again", Cause: errors.New("canary in the mine")}
		}, http.StatusServiceUnavailable, "canary in the mine"},
	} {
		w := httptest.NewRecorder()
		server.Serve(row.do).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/told", nil))
		require.Equal(t, row.want, w.Code, what)
		require.NotContains(t, w.Body.String(), "canary", what)
		id := w.Header().Get("X-Pulumi-Request-ID")
		require.NotEmpty(t, id)
		require.Contains(t, log.String(), id)
		require.Contains(t, log.String(), row.logs)
	}
}

func TestALineForEachRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	w.ask(t, http.MethodGet, stack+"?secret=canary", "token "+w.admin, nil)
	w.ask(t, http.MethodGet, stack, "token canary", nil)
	w.ask(t, http.MethodPost, stack+"/encrypt", "token "+w.admin, map[string][]byte{"plaintext": []byte("canary")})
	var lines []map[string]any
	for line := range strings.Lines(w.log.String()) {
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &got))
		lines = append(lines, got)
	}
	require.Len(t, lines, 4)
	require.Equal(t, "/api/stacks/{org}/{project}/{stack}", lines[1]["route"])
	require.Equal(t, "GET", lines[1]["method"])
	require.InDelta(t, 200, lines[1]["status"], 0)
	require.Equal(t, "admin", lines[1]["principal"])
	require.Positive(t, lines[1]["sent"])
	require.Contains(t, lines[1], "took")
	require.NotContains(t, lines[2], "principal")
	require.InDelta(t, 401, lines[2]["status"], 0)
	require.NotContains(t, w.log.String(), "canary")
	require.NotContains(t, w.log.String(), "Y2FuYXJ5")
	require.NotContains(t, w.log.String(), w.admin)
	w.told.mu.Lock()
	defer w.told.mu.Unlock()
	require.Equal(t, 2, w.told.routes["GET /api/stacks/{org}/{project}/{stack}"])
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	state := `{"version":3,"deployment":{"text":"` + strings.Repeat("<x>", 10_000) + `"}}`
	w.do(t, http.MethodPost, stack+"/import", state)
	for accept, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "": "", "br": "", "gzip;q=0": ""} {
		r := w.ask(t, http.MethodGet, stack+"/export", "token "+w.admin, nil, "Accept-Encoding", accept)
		require.Equal(t, want, r.header.Get("Content-Encoding"), accept)
		body := r.body
		if want == "gzip" {
			require.Less(t, len(body), 2000)
			z, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err)
			body, err = io.ReadAll(z)
			require.NoError(t, err)
		}
		require.Equal(t, state, string(body), accept)
	}
	// A small one is not worth it.
	require.Empty(t, w.ask(t, http.MethodGet, stack, "token "+w.admin, nil, "Accept-Encoding", "gzip").header.Get("Content-Encoding"))
}

func TestAddressesOfCallers(t *testing.T) {
	t.Parallel()
	behind := func(o *pulumiapi.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	}
	for name, row := range map[string]struct {
		change           func(*pulumiapi.Options)
		forwarded, proto string
		want, scheme     string
	}{
		"nobody is trusted":           {func(*pulumiapi.Options) {}, "203.0.113.7", "https", "127.0.0.1", "http://"},
		"a proxy":                     {behind, "203.0.113.7", "https", "203.0.113.7", "https://"},
		"a proxy behind a proxy":      {behind, "203.0.113.7, 10.1.2.3", "http", "203.0.113.7", "http://"},
		"what the client made up":     {behind, "198.51.100.1, 203.0.113.7", "", "203.0.113.7", "http://"},
		"nothing":                     {behind, "", "", "127.0.0.1", "http://"},
		"no address":                  {behind, "canary", "", "127.0.0.1", "http://"},
		"the proxy itself":            {behind, "10.1.2.3", "", "10.1.2.3", "http://"},
		"IPv6":                        {behind, "2001:db8::1", "", "2001:db8::1", "http://"},
		"no address before a proxy's": {behind, "canary, 10.1.2.3", "", "10.1.2.3", "http://"},
	} {
		w := newWorld(t, "", row.change)
		var made struct{ UploadURI string }
		w.ask(t, http.MethodPost, "/api/orgs/acme/policypacks", "token "+w.admin, `{"name":"rules","versionTag":"1"}`,
			"X-Forwarded-For", row.forwarded, "X-Forwarded-Proto", row.proto).into(t, &made)
		require.True(t, strings.HasPrefix(made.UploadURI, row.scheme), made.UploadURI)
		root, err := w.service.Authenticate(t.Context(), w.admin)
		require.NoError(t, err)
		entries, err := w.service.Audit(t.Context(), root, 0, 100)
		require.NoError(t, err)
		require.Equal(t, row.want, entries[len(entries)-1].Detail["address"], name)
	}
}
