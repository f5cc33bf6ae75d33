package client_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
)

// serve answers requests one after the other, and keeps them.
func serve(t *testing.T, answers ...http.HandlerFunc) (*client.Client, func() []*http.Request) {
	t.Helper()
	var mu sync.Mutex
	var seen []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		i := len(seen)
		seen = append(seen, r)
		mu.Unlock()
		answers[min(i, len(answers)-1)](w, r)
	}))
	t.Cleanup(server.Close)
	return &client.Client{URL: server.URL + "/", Token: "t"}, func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

func say(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

// drop breaks the connection.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestRequestsAreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, say(200, `{"items":[]}`))
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, err := c.ListOperations(t.Context(), client.ListOperationsParams{State: []string{"queued", "failed"}, Limit: 7, Since: since})
	require.NoError(t, err)
	_, err = c.UpdateStack(t.Context(), "stk/../x", 7, client.StackPatch{})
	require.NoError(t, err)
	require.Equal(t, "limit=7&since=2026-01-02T03%3A04%3A05Z&state=queued%2Cfailed", seen()[0].URL.RawQuery)
	require.Equal(t, "Bearer t", seen()[0].Header.Get("Authorization"))
	require.Equal(t, "/v1/stacks/stk%2F..%2Fx", seen()[1].URL.EscapedPath(), "an id is one part of the path, whatever is in it")
	require.Equal(t, `"7"`, seen()[1].Header.Get("If-Match"))
}

// What may be sent again is, with the same key; what may not is not.
func TestTriesAgain(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, drop, say(503, `{"status":503,"code":"unavailable","detail":"a moment"}`), say(202, `{"id":"op_1"}`))
	op, err := c.CreateOperation(t.Context(), "stk_1", client.NewOperation{Kind: "up"}, client.CreateOperationParams{})
	require.NoError(t, err)
	require.Equal(t, "op_1", op.ID)
	require.Len(t, seen(), 3)
	require.NotEmpty(t, seen()[0].Header.Get("Idempotency-Key"))
	require.Equal(t, seen()[0].Header.Get("Idempotency-Key"), seen()[2].Header.Get("Idempotency-Key"))

	c, seen = serve(t, drop)
	_, err = c.CreateProject(t.Context(), client.NewProject{})
	require.ErrorContains(t, err, "does not answer")
	require.Len(t, seen(), 1)

	// What was too often was not looked at: it may be sent again whatever it is.
	c, seen = serve(t, say(429, `{"status":429,"code":"rate_limited","detail":"slow down","retry_after":1}`), say(201, `{"id":"prj_1"}`))
	made, err := c.CreateProject(t.Context(), client.NewProject{})
	require.NoError(t, err)
	require.Equal(t, "prj_1", made.ID)
	require.Len(t, seen(), 2)
	c, seen = serve(t, say(429, `{"status":429,"code":"quota_exceeded","detail":"full","retry_after":1}`))
	_, err = c.GetStack(t.Context(), "x")
	require.Equal(t, "quota_exceeded", client.CodeOf(err))
	require.Len(t, seen(), 1)

	c, seen = serve(t, say(409, `{"status":409,"code":"conflict","detail":"no"}`))
	_, err = c.GetStack(t.Context(), "x")
	require.Equal(t, "conflict", client.CodeOf(err))
	require.Len(t, seen(), 1, "a state of things does not change by asking again")
}

func TestProblemsSayEverything(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(client.Problem{Title: "The request is not valid", Status: 422, Code: "validation_failed", Detail: "d", Errors: []client.ProblemField{
		{Pointer: "/inputs/name", Message: "is missing"}, {Parameter: "query limit", Message: "is too high"}, {Message: "and more"},
	}})
	require.NoError(t, err)
	c, _ := serve(t, say(422, string(text)))
	_, err = c.ListBlueprints(t.Context())
	require.EqualError(t, err, "The request is not valid\n  /inputs/name: is missing\n  query limit: is too high\n  and more")

	c, _ = serve(t, say(404, "<html>"))
	_, err = c.ListBlueprints(t.Context())
	require.ErrorContains(t, err, "it is no server of Redoubt")
	c, _ = serve(t, say(200, "<html>"))
	_, err = c.ListBlueprints(t.Context())
	require.ErrorContains(t, err, "cannot be read")
}

func TestAuditIsExported(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, say(200, "{\"sequence\":8,\"action\":\"a\"}\n{\"sequence\":9,\"action\":\"b\"}\n"))
	var actions []string
	require.NoError(t, c.ExportAudit(t.Context(), 7, func(e client.AuditEntry) error {
		actions = append(actions, e.Action)
		return nil
	}))
	require.Equal(t, []string{"a", "b"}, actions)
	require.Equal(t, "application/x-ndjson", seen()[0].Header.Get("Accept"))
	require.Equal(t, "after=7", seen()[0].URL.RawQuery)

	c, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("{\"sequence\":8}\n{\"seq"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	require.Error(t, c.ExportAudit(t.Context(), 0, func(client.AuditEntry) error { return nil }), "an export that breaks off is none")
	c, _ = serve(t, say(403, `{"status":403,"code":"forbidden","detail":"no"}`))
	require.Equal(t, "forbidden", client.CodeOf(c.ExportAudit(t.Context(), 0, nil)))
}
