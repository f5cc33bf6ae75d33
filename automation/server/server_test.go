package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
	"redoubt/automation/server"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// output is a log that may be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// running is a server of a test.
type running struct {
	*server.Server
	Log *output
	// Stop ends Run and closes the server; it may be called again.
	Stop func()
}

// configure is the configuration of a server of its own folder and port.
func configure(t *testing.T, change ...func(*server.Config)) server.Config {
	t.Helper()
	config := server.Defaults()
	config.Listen, config.Data = "127.0.0.1:0", filepath.Join(t.TempDir(), "data")
	config.Leases.Sweep = 20 * time.Millisecond
	for _, c := range change {
		c(&config)
	}
	return config
}

// start opens and runs a server until the test ends.
func start(t *testing.T, config server.Config, options ...server.Option) *running {
	t.Helper()
	r := &running{Log: &output{}}
	var err error
	r.Server, err = server.Open(t.Context(), config, append(options, server.WithLog(server.NewLog(config.Log, r.Log)), server.WithVersion("1.2.3"))...)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.Stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, r.Close())
	})
	t.Cleanup(r.Stop)
	return r
}

// bootstrap starts a server and returns a client with its first token.
func bootstrap(t *testing.T, config server.Config) (*running, *adminapi.Client) {
	t.Helper()
	r := start(t, config)
	token, err := r.Bootstrap(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, token)
	return r, &adminapi.Client{URL: r.URL(), Token: token}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(text)
}

func TestFirstStartMakesTheFirstTokenOnce(t *testing.T) {
	t.Parallel()
	config := configure(t, func(c *server.Config) { c.Organization = "acme" })
	s, client := bootstrap(t, config)
	orgs, err := client.Organizations(t.Context())
	require.NoError(t, err)
	require.Len(t, orgs, 1)
	require.Equal(t, "acme", orgs[0].Name)
	again, err := s.Bootstrap(t.Context())
	require.NoError(t, err)
	require.Empty(t, again)
	s.Stop()

	s = start(t, config)
	again, err = s.Bootstrap(t.Context())
	require.NoError(t, err)
	require.Empty(t, again, "a later start makes none")
	client.URL = s.URL()
	_, err = client.Tokens(t.Context())
	require.NoError(t, err, "the first token is still good")
	require.NotContains(t, s.Log.String(), client.Token)

	for _, name := range []string{"", "redoubt.db", "keys.json"} {
		info, err := os.Stat(filepath.Join(config.Data, name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is its owner's alone", name)
	}
}

func TestFolderIsOneProcesses(t *testing.T) {
	t.Parallel()
	config := configure(t)
	start(t, config)
	_, err := server.Open(t.Context(), config)
	require.ErrorContains(t, err, "in use by another process")
	require.ErrorContains(t, err, config.Data)
}

func TestOpenLeavesNothingBehindWhenItFails(t *testing.T) {
	t.Parallel()
	first := start(t, configure(t))
	config := configure(t, func(c *server.Config) { c.Listen = first.Addr().String() })
	_, err := server.Open(t.Context(), config)
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, "--listen")
	require.NoFileExists(t, filepath.Join(config.Data, "redoubt.db"))

	config = configure(t)
	require.NoError(t, os.MkdirAll(config.Data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(config.Data, "keys.json"), []byte("{}"), 0o644))
	_, err = server.Open(t.Context(), config)
	require.ErrorContains(t, err, "others may read it")
	require.NoError(t, os.Remove(filepath.Join(config.Data, "keys.json")))
	start(t, config) // the folder is not locked

	_, err = server.Open(t.Context(), server.Config{})
	var findings *server.ConfigError
	require.ErrorAs(t, err, &findings)
	require.Greater(t, len(findings.Findings), 5)
}

func TestHealthReadinessAndMetrics(t *testing.T) {
	t.Parallel()
	s, client := bootstrap(t, configure(t))
	status, body := get(t, s.URL()+"/healthz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"status":"ok","version":"1.2.3"}`, body)
	status, _ = get(t, s.URL()+"/readyz")
	require.Equal(t, http.StatusOK, status)

	_, err := client.CreateToken(t.Context(), adminapi.NewToken{Name: "ci", Principal: "ci", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Read}}}})
	require.NoError(t, err)
	_, err = (&adminapi.Client{URL: s.URL(), Token: "redoubt_x_y"}).Tokens(t.Context())
	require.Error(t, err)
	status, _ = get(t, s.URL()+"/api/nobody/knows")
	require.Equal(t, http.StatusNotFound, status)

	status, body = get(t, s.URL()+"/metrics")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{
		`redoubt_build_info{go="go`, `version="1.2.3"} 1`,
		`redoubt_http_requests_total{method="POST",route="/v0/admin/tokens",status="201"} 1`,
		`redoubt_http_requests_total{method="GET",route="/v0/admin/tokens",status="401"} 1`,
		`redoubt_http_request_duration_seconds_bucket{method="POST",route="/v0/admin/tokens"`,
		`redoubt_http_unknown_endpoints_total{method="GET"} 1`,
		"redoubt_http_in_flight 0", "redoubt_http_turned_away_total 0", "redoubt_authentication_failures_total 1",
		"redoubt_database_up 1", "redoubt_updates_active 0", "redoubt_audit_sequence 2", "redoubt_database_busy_total 0", `redoubt_state_bytes{backend="sqlite"}`, `redoubt_queue_depth{queue="drift"} 0`, "redoubt_journal_entries_total 0", "redoubt_journal_append_seconds_count 0",
		"redoubt_lease_refusals_total 0", "redoubt_secrets_decrypted_total 0", `redoubt_updates_ended_total{status="interrupted"} 0`,
		`redoubt_tokens_total{event="created"} 2`, `redoubt_audit_entries_total{action="token.create",denied="false"} 1`,
		`redoubt_sweeps_total{result="failed"} 0`, `redoubt_prunes_total{result="ok"}`, "redoubt_database_connections{pool=", "go_goroutines",
	} {
		require.True(t, strings.Contains(body, want), want)
	}
}

func TestMetricsOnTheirOwnAddressOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := start(t, configure(t, func(c *server.Config) { c.Metrics.Path = "off" }))
	status, _ := get(t, s.URL()+"/metrics")
	require.Equal(t, http.StatusNotFound, status)

	s = start(t, configure(t, func(c *server.Config) { c.Metrics.Listen = "127.0.0.1:0" }))
	status, _ = get(t, s.URL()+"/metrics")
	require.Equal(t, http.StatusNotFound, status, "not for everybody who reaches the API")
	side := "http://" + s.MetricsAddr().String()
	status, body := get(t, side+"/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "redoubt_build_info")
	status, _ = get(t, side+"/readyz")
	require.Equal(t, http.StatusOK, status)
	status, _ = get(t, side+"/api/user")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = get(t, s.URL()+"/readyz")
	require.Equal(t, http.StatusOK, status)
}

func TestPathsAreNotRedirected(t *testing.T) {
	t.Parallel()
	s := start(t, configure(t))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/api/stacks/a/../b", "/v0/admin/stacks/a/../../tokens", "//healthz"} {
		request, err := http.NewRequest(http.MethodGet, s.URL(), nil)
		require.NoError(t, err)
		request.URL.Path = path
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Contains(t, []int{http.StatusNotFound, http.StatusUnauthorized}, response.StatusCode, path)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s, client := bootstrap(t, configure(t, func(c *server.Config) { c.Limits.InFlight, c.Limits.Body = 1, 1<<20 }))
	// A request that holds the only place: its body does not end.
	reader, writer := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, s.URL()+"/v0/admin/tokens", reader)
	require.NoError(t, err)
	request.Header.Set("Authorization", "token "+client.Token)
	held := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		held <- err
	}()
	require.Eventually(t, func() bool {
		_, body := get(t, s.URL()+"/metrics")
		return strings.Contains(body, "redoubt_http_in_flight 1")
	}, patience, 5*time.Millisecond)
	response, err := http.Get(s.URL() + "/api/user")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	status, _ := get(t, s.URL()+"/healthz")
	require.Equal(t, http.StatusOK, status, "health is not limited")
	require.NoError(t, writer.Close())
	require.NoError(t, <-held)

	err = client.Require(t.Context(), "main", adminapi.Requirement{Pack: "x", Config: json.RawMessage(`"` + strings.Repeat("x", 2<<20) + `"`)})
	require.ErrorContains(t, err, "larger than")
}
