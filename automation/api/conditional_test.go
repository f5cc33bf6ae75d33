package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/api"
	"redoubt/automation/backend"
)

// Who has what they ask for is not sent it again; who may not read it does not learn
// that there is something.
func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, path := range []string{
		"/v1/projects/" + w.shop.ID, "/v1/stacks/" + w.stack.ID, "/v1/stacks/" + w.stack.ID + "/ttl", "/v1/stacks/" + w.stack.ID + "/schedules",
		"/v1/operations/" + w.op.ID,
	} {
		first := w.ask(t, "alice", "GET", path, "")
		tag := first.header.Get("ETag")
		for _, have := range []string{tag, "W/" + tag, `"99", ` + tag, "*"} {
			again := w.ask(t, "alice", "GET", path, "", "If-None-Match", have)
			require.Equal(t, http.StatusNotModified, again.status, "%s %s", path, have)
			require.Empty(t, again.body)
			require.Equal(t, tag, again.header.Get("ETag"))
		}
		other := w.ask(t, "alice", "GET", path, "", "If-None-Match", `"99"`)
		require.Equal(t, http.StatusOK, other.status)
		require.Equal(t, first.body, other.body)
		require.Equal(t, http.StatusNotFound, w.ask(t, "nobody", "GET", path, "", "If-None-Match", "*").status)
	}
	tag := w.ask(t, "alice", "GET", "/v1/stacks/"+w.stack.ID, "").header.Get("ETag")
	require.Equal(t, http.StatusOK, w.ask(t, "alice", "PATCH", "/v1/stacks/"+w.stack.ID, `{"labels":{"a":"b"}}`, "If-Match", tag).status)
	require.Equal(t, http.StatusOK, w.ask(t, "alice", "GET", "/v1/stacks/"+w.stack.ID, "", "If-None-Match", tag).status, "it was changed")
	quota := w.ask(t, "alice", "GET", "/v1/projects/"+w.shop.ID+"/quota", "")
	require.Equal(t, http.StatusOK, w.ask(t, "alice", "GET", "/v1/projects/"+w.shop.ID+"/quota", "", "If-None-Match", quota.header.Get("ETag")).status, "usage has no version")
}

// Each principal has requests of their own.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *api.Options) { o.Rate, o.Burst = 0.01, 3 })
	for range 3 {
		require.Equal(t, http.StatusOK, w.ask(t, "alice", "GET", "/v1/whoami", "").status)
	}
	entries := len(w.entries(t, "stack.lock"))
	got := w.ask(t, "alice", "PUT", "/v1/stacks/"+w.stack.ID+"/lock", `{"reason":"x"}`)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	p := got.problem(t)
	require.EqualValues(t, "rate_limited", p.Code)
	require.Greater(t, p.RetryAfter, 50)
	require.LessOrEqual(t, p.RetryAfter, 100)
	require.Equal(t, strconv.Itoa(p.RetryAfter), got.header.Get("Retry-After"))
	require.Len(t, w.entries(t, "stack.lock"), entries, "nothing was done")
	require.Equal(t, http.StatusOK, w.ask(t, "victor", "GET", "/v1/whoami", "").status)
	require.Equal(t, http.StatusUnauthorized, w.ask(t, "", "GET", "/v1/whoami", "").status)
}

// An export is every entry, a line each, whose chain can be verified.
func TestAuditExport(t *testing.T) {
	t.Parallel()
	w := open(t)
	got := w.ask(t, "root", "GET", "/v1/audit", "", "Accept", "application/x-ndjson")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "application/x-ndjson", got.header.Get("Content-Type"))
	var last backend.AuditEntry
	lines := bufio.NewScanner(bytes.NewReader(got.body))
	for lines.Scan() {
		var e adminapi.AuditEntry
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		var err error
		last, err = backend.VerifyAudit(last, []backend.AuditEntry{e.Entry()})
		require.NoError(t, err)
	}
	entries, err := w.service.Audit(t.Context(), principal("root"), 0, 5000)
	require.NoError(t, err)
	require.Equal(t, entries[len(entries)-1].Sequence, last.Sequence)
	rest := w.ask(t, "root", "GET", "/v1/audit?after="+strconv.FormatInt(last.Sequence-2, 10), "", "Accept", "application/x-ndjson")
	require.Equal(t, 2, strings.Count(string(rest.body), "\n"))
	refused := w.ask(t, "alice", "GET", "/v1/audit", "", "Accept", "application/x-ndjson")
	require.Equal(t, http.StatusForbidden, refused.status)
	require.EqualValues(t, "forbidden", refused.problem(t).Code)
}
