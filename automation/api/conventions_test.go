package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/provision"
)

const order = `{"project_id":"%s","name":"dev","blueprint":"secure-bucket","inputs":{"name":"x","password":"hunter2"},"ttl":"2d","labels":{"team":"web"}}`

func TestAnOrderIsAcceptedWithItsOperation(t *testing.T) {
	t.Parallel()
	w := open(t)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	got := w.ask(t, "alice", "POST", "/v1/stacks", fmt.Sprintf(order, w.shop.ID), "Idempotency-Key", "k", "traceparent", parent)
	require.Equal(t, http.StatusAccepted, got.status, "%s", got.body)
	ordered := read[api.Ordered](t, got)
	require.Equal(t, "/v1/operations/"+ordered.Operation.ID, got.header.Get("Location"))
	require.Equal(t, "acme/shop/dev", ordered.Stack.Name)
	require.WithinDuration(t, time.Now().Add(48*time.Hour), ordered.Stack.ExpiresAt, time.Minute)
	require.JSONEq(t, `{"name":"x","password":"[secret]"}`, string(ordered.Stack.Inputs))
	require.JSONEq(t, `{"name":"x","password":"[secret]"}`, string(ordered.Operation.Inputs))
	require.NotContains(t, string(got.body), "hunter2")
	require.Equal(t, "00-0af7651916cd43dd8448eb211c80319c", ordered.Operation.Trace[:35], "the caller's trace goes on with the order")

	one := w.ask(t, "alice", "GET", "/v1/stacks/"+w.stack.ID, "")
	require.NotContains(t, string(one.body), "hunter2")
	require.Contains(t, string(one.body), `"key":"[secret]"`)
	for _, list := range []string{"/v1/stacks", "/v1/operations", "/v1/stacks/" + w.stack.ID + "/operations"} {
		require.NotContains(t, string(w.ask(t, "alice", "GET", list, "").body), "inputs")
	}
	require.NotContains(t, string(w.ask(t, "root", "GET", "/v1/webhooks?org=acme", "").body), "SEALED")
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	got := w.ask(t, "alice", "POST", "/v1/stacks?wait=soon", `{"name":7,"blueprint":"secure-bucket","ttl":"never","colour":"red","options":{"message":1},"protected":"yes"}`)
	require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s", got.body)
	p := got.problem(t)
	require.Equal(t, provision.CodeInvalid, p.Code)
	require.Equal(t, "urn:redoubt:problem:validation_failed", p.Type)
	require.Equal(t, "/v1/stacks", p.Instance)
	found := map[string]string{}
	for _, e := range p.Errors {
		found[e.Parameter+e.Pointer] += e.Message
	}
	for _, where := range []string{"query wait", "header Idempotency-Key", "/name", "/ttl", "/colour", "/options/message", "/protected"} {
		require.Contains(t, found, where)
	}
	require.Contains(t, found[""], "project_id")
	require.NotContains(t, string(got.body), "never", "what was sent is not sent back")

	// The domain's findings have their places too.
	got = w.ask(t, "alice", "POST", "/v1/stacks", `{"project_id":"`+w.shop.ID+`","name":"dev","blueprint":"secure-bucket","inputs":{"days":0}}`, "Idempotency-Key", "k")
	require.Len(t, got.problem(t).Errors, 2)
	require.Contains(t, string(got.body), `"/inputs/name"`)
	require.Contains(t, string(got.body), `"/inputs/days"`)
}

// A rule may say that nobody need approve; less than that is nothing.
func TestNobodyNeedApprove(t *testing.T) {
	t.Parallel()
	w := open(t)
	patch := func(required string) answer {
		tag := w.ask(t, "alice", "GET", "/v1/projects/"+w.shop.ID, "").header.Get("ETag")
		return w.ask(t, "alice", "PATCH", "/v1/projects/"+w.shop.ID, `{"settings":{"approval_rules":[{"name":"dev","stacks":"dev-*","required":`+required+`}]}}`, "If-Match", tag)
	}
	got := patch("0")
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	rules := read[api.Project](t, got).Settings.ApprovalRules
	require.Len(t, rules, 1)
	require.Zero(t, rules[0].Required)
	require.Contains(t, string(got.body), `"required":0`, "it is said, not left out")
	for _, wrong := range []string{"-1", "21"} {
		got = patch(wrong)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s", got.body)
		require.Equal(t, "/settings/approval_rules/0/required", got.problem(t).Errors[0].Pointer)
	}
}

func TestBadRequestsAreProblems(t *testing.T) {
	t.Parallel()
	w := open(t)
	for name, row := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               provision.Code
	}{
		"no such endpoint":          {"GET", "/v1/nothing", "", nil, 404, "not_found"},
		"no such verb":              {"POST", "/v1/operations/{op}:explode", "", nil, 404, "not_found"},
		"a verb as a segment":       {"POST", "/v1/operations/{op}/:cancel", "", nil, 404, "not_found"},
		"another method":            {"PATCH", "/v1/operations", "", nil, 405, "method_not_allowed"},
		"another method on a verb":  {"GET", "/v1/operations/{op}:cancel", "", nil, 405, "method_not_allowed"},
		"a made-up method":          {"BREW", "/v1/operations", "", nil, 405, "method_not_allowed"},
		"a path that climbs":        {"GET", "/v1/projects/../stacks", "", nil, 404, "not_found"},
		"a hidden climb":            {"GET", "/v1/projects/%2e%2e/stacks", "", nil, 404, "not_found"},
		"a name as id":              {"GET", "/v1/stacks/acme%2Fshop%2Fprod", "", nil, 404, "not_found"},
		"an endless path":           {"GET", "/v1/stacks/" + strings.Repeat("x", 5000), "", nil, 404, "not_found"},
		"an id of nothing":          {"GET", "/v1/stacks/--help", "", nil, 404, "not_found"},
		"no JSON":                   {"POST", "/v1/projects", "{", nil, 400, "malformed"},
		"two objects":               {"POST", "/v1/projects", `{"org":"a","name":"b"}{}`, nil, 400, "malformed"},
		"no body":                   {"POST", "/v1/projects", "", nil, 400, "malformed"},
		"a list":                    {"POST", "/v1/projects", "[]", nil, 422, "validation_failed"},
		"null":                      {"POST", "/v1/projects", "null", nil, 422, "validation_failed"},
		"another case":              {"POST", "/v1/projects", `{"Org":"a","name":"b"}`, nil, 422, "validation_failed"},
		"a huge number":             {"POST", "/v1/projects", `{"org":"a","name":"b","settings":{"quota":{"stacks":1e300}}}`, nil, 422, "validation_failed"},
		"a fraction":                {"POST", "/v1/projects", `{"org":"a","name":"b","settings":{"quota":{"stacks":1.5}}}`, nil, 422, "validation_failed"},
		"a huge duration":           {"POST", "/v1/projects", `{"org":"a","name":"b","settings":{"quota":{"max_ttl":"99999999999h"}}}`, nil, 422, "validation_failed"},
		"XML":                       {"POST", "/v1/projects", `<x/>`, []string{"Content-Type", "text/xml"}, 415, "unsupported_media_type"},
		"a huge body":               {"POST", "/v1/projects", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, nil, 413, "too_large"},
		"an unknown parameter":      {"GET", "/v1/projects?lmit=3", "", nil, 422, "validation_failed"},
		"a limit":                   {"GET", "/v1/projects?limit=201", "", nil, 422, "validation_failed"},
		"a limit that is no number": {"GET", "/v1/projects?limit=x", "", nil, 422, "validation_failed"},
		"a made-up cursor":          {"GET", "/v1/projects?cursor=x", "", nil, 422, "validation_failed"},
		"another list's cursor":     {"GET", "/v1/audit?cursor=MTpwcmo", "", nil, 422, "validation_failed"},
		"a negative sequence":       {"GET", "/v1/audit?after=-1", "", nil, 422, "validation_failed"},
		"a made-up kind":            {"POST", "/v1/stacks/{stack}/operations", `{"kind":"explode"}`, []string{"Idempotency-Key", "k"}, 422, "validation_failed"},
		"no key":                    {"POST", "/v1/stacks/{stack}/operations", `{"kind":"up"}`, nil, 422, "validation_failed"},
		"an endless key":            {"POST", "/v1/stacks/{stack}/operations", `{"kind":"up"}`, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 422, "validation_failed"},
		"an untyped confirmation":   {"POST", "/v1/stacks/{stack}/operations", `{"kind":"destroy","confirm":"pro"}`, []string{"Idempotency-Key", "k"}, 422, "validation_failed"},
		"no If-Match":               {"PATCH", "/v1/projects/{project}", `{}`, nil, 428, "precondition_required"},
		"an old If-Match":           {"PATCH", "/v1/projects/{project}", `{}`, []string{"If-Match", `"7"`}, 412, "precondition_failed"},
		"a made-up If-Match":        {"PATCH", "/v1/projects/{project}", `{}`, []string{"If-Match", `seven`}, 412, "precondition_failed"},
		"a life of no time":         {"PUT", "/v1/stacks/{stack}/ttl", `{"ttl":"0s"}`, []string{"If-Match", `"1"`}, 422, "validation_failed"},
		"an event of letters":       {"GET", "/v1/operations/{op}/events", "", []string{"Accept", "text/event-stream", "Last-Event-ID", "x"}, 422, "validation_failed"},
	} {
		path := strings.NewReplacer("{stack}", w.stack.ID, "{op}", w.op.ID, "{project}", w.shop.ID).Replace(row.path)
		got := w.ask(t, "root", row.method, path, row.body, row.headers...)
		require.Equal(t, row.status, got.status, "%s: %s", name, got.body)
		p := got.problem(t)
		require.Equal(t, row.code, p.Code, name)
		require.NotEmpty(t, p.Title, name)
		require.NotEmpty(t, p.Detail, name)
		require.NotContains(t, string(got.body), "json:", name)
		require.NotContains(t, string(got.body), "Go ", name)
	}
	require.Equal(t, "GET, POST", w.ask(t, "root", "DELETE", "/v1/projects", "").header.Get("Allow"))
}

// A fault of ours is not shown, and what it is goes to the log.
func TestFaultsOfOursAreNotShown(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	w := open(t, func(o *api.Options) { o.Log = log.logger() })
	w.service.fail(errors.New("pq: password authentication failed for user redoubt"))
	got := w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.NotContains(t, string(got.body), "password")
	p := got.problem(t)
	require.Contains(t, p.Detail, p.TraceID)
	require.Contains(t, log.String(), "password authentication failed")
	require.Contains(t, log.String(), p.TraceID)

	// It may have happened: so the same request is not carried out again.
	w.service.fail(nil)
	require.Equal(t, http.StatusInternalServerError, w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`, "Idempotency-Key", "k").status)
	require.Equal(t, http.StatusAccepted, w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`, "Idempotency-Key", "k2").status)
}

func TestRetryAfterAndOperationOfAProblem(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.service.fail(&provision.Error{Code: provision.CodeStackBusy, Message: "it is busy", Operation: "op_7", RetryAfter: 1500 * time.Millisecond})
	got := w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusConflict, got.status)
	require.Equal(t, "2", got.header.Get("Retry-After"))
	p := got.problem(t)
	require.Equal(t, 2, p.RetryAfter)
	require.Equal(t, "op_7", p.Operation)
	// What was refused may be tried again with the same key.
	w.service.fail(nil)
	require.Equal(t, http.StatusAccepted, w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`, "Idempotency-Key", "k").status)
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := open(t)
	path, body := "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`
	first := w.ask(t, "alice", "POST", path, body, "Idempotency-Key", "k")
	require.Equal(t, http.StatusAccepted, first.status)
	require.Empty(t, first.header.Get("Idempotency-Replayed"))
	again := w.ask(t, "alice", "POST", path+"?wait=1s", body, "Idempotency-Key", "k")
	require.Equal(t, first.status, again.status)
	require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	require.Equal(t, string(first.body), string(again.body))
	require.Equal(t, first.header.Get("Location"), again.header.Get("Location"))
	require.Equal(t, "application/json", again.header.Get("Content-Type"))

	other := w.ask(t, "alice", "POST", path, `{"kind":"preview"}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusUnprocessableEntity, other.status, "another request with the same key")
	require.Equal(t, "header Idempotency-Key", other.problem(t).Errors[0].Parameter)
	elsewhere := w.ask(t, "root", "POST", path, body, "Idempotency-Key", "k")
	require.Empty(t, elsewhere.header.Get("Idempotency-Replayed"), "keys are each principal's own")

	// Many at once: one starts, the others are told so or get its answer.
	var group sync.WaitGroup
	locations, mu := map[string]int{}, sync.Mutex{}
	for range 20 {
		group.Go(func() {
			got := w.ask(t, "alice", "POST", path, body, "Idempotency-Key", "many")
			mu.Lock()
			defer mu.Unlock()
			switch got.status {
			case http.StatusAccepted:
				locations[got.header.Get("Location")]++
			case http.StatusConflict:
			default:
				t.Errorf("%d: %s", got.status, got.body)
			}
		})
	}
	group.Wait()
	require.Len(t, locations, 1)
}

// A client that goes away in the middle finds its order when it asks again.
func TestAnOrderIsFinishedWithoutItsClient(t *testing.T) {
	t.Parallel()
	w := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "POST", w.server.URL+"/v1/stacks/"+w.stack.ID+"/operations?wait=60s", strings.NewReader(`{"kind":"up"}`))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer alice")
	request.Header.Set("Idempotency-Key", "gone")
	_, err = http.DefaultClient.Do(request) //nolint:bodyclose // there is none
	require.Error(t, err)
	require.Eventually(t, func() bool {
		got := w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"up"}`, "Idempotency-Key", "gone")
		return got.status == http.StatusAccepted && got.header.Get("Idempotency-Replayed") == "true"
	}, patience, 20*time.Millisecond)
}

func TestETags(t *testing.T) {
	t.Parallel()
	w := open(t)
	for name, row := range map[string]struct{ get, method, path, body string }{
		"project":   {"/v1/projects/" + w.shop.ID, "PATCH", "/v1/projects/" + w.shop.ID, `{"description":"x"}`},
		"stack":     {"/v1/stacks/" + w.stack.ID, "PATCH", "/v1/stacks/" + w.stack.ID, `{"labels":{"a":"b"}}`},
		"ttl":       {"/v1/stacks/" + w.stack.ID + "/ttl", "PUT", "/v1/stacks/" + w.stack.ID + "/ttl", `{"ttl":"1h30m"}`},
		"no ttl":    {"/v1/stacks/" + w.stack.ID + "/ttl", "DELETE", "/v1/stacks/" + w.stack.ID + "/ttl", ""},
		"schedules": {"/v1/stacks/" + w.stack.ID + "/schedules", "PUT", "/v1/stacks/" + w.stack.ID + "/schedules", `{"schedules":[{"kind":"drift","cron":"0 4 * * *","remediate":"off"}]}`},
	} {
		tag := w.ask(t, "alice", "GET", row.get, "").header.Get("ETag")
		require.Regexp(t, `^"\d+"$`, tag, name)
		changed := w.ask(t, "alice", row.method, row.path, row.body, "If-Match", tag)
		require.Equal(t, http.StatusOK, changed.status, "%s: %s", name, changed.body)
		require.NotEqual(t, tag, changed.header.Get("ETag"), name)
		stale := w.ask(t, "alice", row.method, row.path, row.body, "If-Match", tag)
		require.Equal(t, http.StatusPreconditionFailed, stale.status, name)
		require.Equal(t, http.StatusPreconditionRequired, w.ask(t, "alice", row.method, row.path, row.body).status, name)
	}
	got := read[api.Schedules](t, w.ask(t, "victor", "GET", "/v1/stacks/"+w.stack.ID+"/schedules", ""))
	require.Equal(t, "0 4 * * *", got.Schedules[0].Cron)
}

func TestCursors(t *testing.T) {
	t.Parallel()
	w := open(t)
	for i := range 7 {
		require.Equal(t, http.StatusAccepted, w.ask(t, "alice", "POST", "/v1/stacks/"+w.stack.ID+"/operations", `{"kind":"preview"}`, "Idempotency-Key", fmt.Sprint(i)).status)
	}
	for path, want := range map[string]int{
		"/v1/operations?": 8, "/v1/operations?state=queued,failed&": 8, "/v1/stacks/" + w.stack.ID + "/operations?": 8, "/v1/stacks?": 1, "/v1/projects?": 1,
		"/v1/stacks/" + w.stack.ID + "/history?": 1, "/v1/operations/" + w.op.ID + "/events?": 1,
	} {
		seen, cursor, pages := map[string]bool{}, "", 0
		for {
			got := w.ask(t, "alice", "GET", path+"limit=3&cursor="+cursor, "")
			require.Equal(t, http.StatusOK, got.status, "%s", got.body)
			page := read[struct {
				Items      []json.RawMessage `json:"items"`
				NextCursor string            `json:"next_cursor"`
			}](t, got)
			require.LessOrEqual(t, len(page.Items), 3)
			for _, item := range page.Items {
				require.False(t, seen[string(item)], "twice: %s", item)
				seen[string(item)] = true
			}
			pages++
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		require.Len(t, seen, want, path)
		require.Equal(t, max(1, (want+2)/3), pages, path)
	}
	entries := read[struct{ Items []api.AuditEntry }](t, w.ask(t, "root", "GET", "/v1/audit?after=3&limit=2", "")).Items
	require.Len(t, entries, 2)
	require.EqualValues(t, 4, entries[0].Sequence)
}

// One thing is found by its name; what is not there is an empty list.
func TestNamesAreFilters(t *testing.T) {
	t.Parallel()
	w := open(t)
	for path, want := range map[string]int{
		"/v1/stacks?name=acme/shop/prod": 1, "/v1/stacks?name=acme/shop/qa": 0, "/v1/stacks?name=acme/bank/prod": 0,
		"/v1/projects?name=acme/shop": 1, "/v1/projects?name=acme/bank": 0,
	} {
		got := w.ask(t, "alice", "GET", path, "")
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		require.Len(t, read[struct{ Items []any }](t, got).Items, want, path)
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	w := open(t)
	begun := time.Now()
	got := w.ask(t, "alice", "GET", "/v1/operations/"+w.op.ID+"?wait=1s", "")
	require.Equal(t, "queued", read[api.Operation](t, got).State, "the wait is over, and it is as it is")
	require.GreaterOrEqual(t, time.Since(begun), time.Second)

	done := make(chan api.Operation)
	go func() {
		done <- read[api.Operation](t, w.ask(t, "alice", "GET", "/v1/operations/"+w.op.ID+"?wait=1h", ""))
	}()
	select {
	case <-done:
		t.Fatal("it did not wait")
	case <-time.After(100 * time.Millisecond): // long enough to see that it waits at all
	}
	w.move(t, w.op.ID, provision.AwaitingApproval)
	select {
	case o := <-done:
		require.Equal(t, "awaiting_approval", o.State, "it waits for people, not the request for them")
	case <-time.After(patience):
		t.Fatal("it did not end")
	}
}

// What is wrong with no endpoint is documented, and nothing else is.
func TestCodesAreDocumented(t *testing.T) {
	t.Parallel()
	text := document(t, "api.md")
	for _, code := range api.Codes() {
		require.Contains(t, text, "| `"+code+"` |")
	}
	for _, route := range api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		require.Contains(t, text, "| `"+method+" "+path+"` |")
	}
}
