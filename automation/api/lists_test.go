package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// walk reads a list to its end, and calls between after each page: what identifies
// each item, in order.
func (w *world) walk(t *testing.T, who, path, key string, between func()) (seen []string) {
	t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for cursor, pages := "", 0; ; pages++ {
		require.Less(t, pages, 100, "it does not end")
		got := w.ask(t, who, "GET", path+join+"limit=2&cursor="+cursor, "")
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		page := read[struct {
			Items      []map[string]any `json:"items"`
			NextCursor string           `json:"next_cursor"`
		}](t, got)
		require.LessOrEqual(t, len(page.Items), 2)
		for _, item := range page.Items {
			seen = append(seen, fmt.Sprint(item[key]))
		}
		if cursor = page.NextCursor; cursor == "" {
			return seen
		}
		between()
	}
}

// ordered orders a stack in shop.
func (w *world) ordered(t testing.TB, name string, labels map[string]string, ttl time.Duration) (provision.Environment, provision.Operation) {
	t.Helper()
	e, o, err := w.service.CreateEnvironment(t.Context(), principal("root"), provision.NewEnvironment{
		ProjectID: w.shop.ID, Name: name, Blueprint: "secure-bucket", Inputs: json.RawMessage(`{"name":"x"}`), Labels: labels, TTL: ttl,
	})
	require.NoError(t, err)
	return e, o
}

// Lists are read to their end while they grow: nothing comes twice, and nothing that
// was there is left out.
func TestListsGrowWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	w := open(t)
	n := 0
	more := func() string { n++; return fmt.Sprintf("s%d", n) }
	var stacks, operations []string
	for range 5 {
		e, o := w.ordered(t, more(), map[string]string{"team": "web"}, 0)
		stacks, operations = append(stacks, e.ID), append([]string{o.ID}, operations...)
		w.imported(t, w.stack.Name)
	}
	between := map[string]func(){
		"stacks": func() { w.ordered(t, more(), map[string]string{"team": "web"}, 0) },
		"states": func() { w.imported(t, w.stack.Name) },
		"events": func() {
			w.update(t, func(tx provision.Tx) error {
				return tx.AddEvents(w.op.ID, []provision.Event{{At: tx.Now(), Type: provision.EventLog, Data: json.RawMessage(`{"message":"x"}`)}})
			})
		},
	}
	for range 4 {
		between["events"]()
	}
	once := func(grow func()) func() { // a list that grows at its end with each page has no end
		done := false
		return func() {
			if !done {
				grow()
			}
			done = true
		}
	}
	starts := func(want, got []string) { // ids are sorted by age: what is new comes last
		require.GreaterOrEqual(t, len(got), len(want))
		require.Equal(t, want, got[:len(want)])
		seen := map[string]bool{}
		for _, id := range got {
			require.False(t, seen[id], "%s comes twice", id)
			seen[id] = true
		}
	}
	starts(stacks, w.walk(t, "alice", "/v1/stacks?label=team=web", "id", once(between["stacks"])))
	starts([]string{"1", "2", "3", "4", "5"}, w.walk(t, "alice", "/v1/operations/"+w.op.ID+"/events", "seq", once(between["events"])))
	require.Equal(t, append(operations, w.op.ID), func() []string {
		all := w.walk(t, "alice", "/v1/operations?state=queued", "id", between["stacks"])
		return all[1:] // the first is from the loop before
	}())
	require.Equal(t, []string{"6", "5", "4", "3", "2", "1"}, w.walk(t, "alice", "/v1/stacks/"+w.stack.ID+"/history", "version", between["states"]))
	before := len(w.walk(t, "alice", "/v1/stacks/"+w.stack.ID+"/state-versions", "version", func() {}))
	got := w.walk(t, "alice", "/v1/stacks/"+w.stack.ID+"/state-versions", "version", between["states"])
	require.Len(t, got, before)
	require.Equal(t, "1", got[len(got)-1])
	lines := w.walk(t, "alice", "/v1/operations/"+w.op.ID+"/logs", "seq", once(between["events"]))
	starts([]string{"2", "3", "4", "5"}, lines)
}

func TestFilters(t *testing.T) {
	t.Parallel()
	w := open(t)
	soon, soonOp := w.ordered(t, "soon", map[string]string{"team": "web"}, 2*time.Hour)
	late, lateOp := w.ordered(t, "late", map[string]string{"team": "web", "pr": "7"}, 48*time.Hour)
	w.move(t, soonOp.ID, provision.Failed)
	o := read[api.Operation](t, w.ask(t, "alice", "POST", "/v1/stacks/"+late.ID+"/operations", `{"kind":"preview"}`, "Idempotency-Key", "k"))
	w.update(t, func(tx provision.Tx) error {
		e, err := tx.LockEnvironment(late.ID)
		if err != nil {
			return err
		}
		e.Drift.Status = "drifted"
		return tx.SaveEnvironment(&e)
	})
	at := func(d time.Duration) string { return url.QueryEscape(time.Now().Add(d).Format(time.RFC3339)) }
	for path, want := range map[string][]string{
		"/v1/stacks?label=team":                                       {soon.ID, late.ID},
		"/v1/stacks?label=pr=7":                                       {late.ID},
		"/v1/stacks?state=failed":                                     {soon.ID},
		"/v1/stacks?state=queued":                                     {w.stack.ID, late.ID},
		"/v1/stacks?state=queued,failed&blueprint=secure-bucket":      {w.stack.ID, soon.ID, late.ID},
		"/v1/stacks?state=succeeded":                                  nil,
		"/v1/stacks?drift=drifted":                                    {late.ID},
		"/v1/stacks?drift=drifted&state=failed":                       nil,
		"/v1/stacks?expires_before=" + at(time.Hour):                  nil,
		"/v1/stacks?expires_before=" + at(24*time.Hour):               {soon.ID},
		"/v1/stacks?expires_before=" + at(72*time.Hour) + "&label=pr": {late.ID},
		"/v1/stacks?project=" + w.shop.ID + "&blueprint=other":        nil,
		"/v1/stacks?project=" + w.bank.ID:                             nil, // alice may not
		"/v1/operations?requested_by=user:alice":                      {o.ID},
		"/v1/operations?requested_by=user:root&state=queued":          {lateOp.ID, w.op.ID},
		"/v1/operations?requested_by=service_account:root":            nil,
		"/v1/operations?kind=preview&project=" + w.shop.ID:            {o.ID},
		"/v1/operations?kind=up&state=failed":                         {soonOp.ID},
		"/v1/operations?project=" + w.bank.ID:                         nil,
	} {
		require.Equal(t, want, w.walk(t, "alice", path, "id", func() {}), path)
	}
}

// What a state is says its list; what is in it says its export, without secrets.
func TestStateVersions(t *testing.T) {
	t.Parallel()
	w := open(t)
	path := "/v1/stacks/" + w.stack.ID + "/state-versions"
	list := read[struct{ Items []api.StateVersion }](t, w.ask(t, "victor", "GET", path, "")).Items
	require.Len(t, list, 1)
	require.EqualValues(t, 1, list[0].Version)
	require.EqualValues(t, 1, list[0].Resources)
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", list[0].Digest)
	require.Equal(t, list[0], read[api.StateVersion](t, w.ask(t, "victor", "GET", path+"/1", "")))
	require.Equal(t, http.StatusNotFound, w.ask(t, "victor", "GET", path+"/2", "").status)

	masked := w.ask(t, "alice", "POST", path+"/1:export", `{"reason":"an incident"}`)
	require.Equal(t, http.StatusOK, masked.status, "%s", masked.body)
	require.NotContains(t, string(masked.body), "hunter2")
	require.NotContains(t, string(masked.body), "ciphertext")
	require.Contains(t, string(masked.body), `"password":"[secret]"`)
	require.Contains(t, string(masked.body), `"size":1.50`, "numbers stay as they are")
	sealed := w.ask(t, "alice", "POST", path+"/1:export", `{"reason":"an incident","secrets":"sealed"}`)
	require.NotContains(t, string(sealed.body), "hunter2")
	require.Contains(t, string(sealed.body), "ciphertext")
	_, err := w.stacks.Import(t.Context(), cli, w.stack.Name, read[api.ExportedState](t, sealed).State)
	require.NoError(t, err, "it can be imported again")
	for _, e := range w.entries(t, "state.export") {
		require.Equal(t, "an incident", e.Detail["reason"])
	}
	require.Len(t, w.entries(t, "state.export"), 2)
}

func TestLogs(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.update(t, func(tx provision.Tx) error {
		return tx.AddEvents(w.op.ID, []provision.Event{
			{At: tx.Now(), Type: provision.EventDiagnostic, Data: json.RawMessage(`{"phase":"up","severity":"warning","urn":"urn:x","message":"it is old"}`)},
			{At: tx.Now(), Type: provision.EventResource, Data: json.RawMessage(`{"urn":"urn:x"}`)},
			{At: tx.Now(), Type: provision.EventLog, Data: json.RawMessage(`{"message":"it waits"}`)},
		})
	})
	lines := read[struct{ Items []api.LogLine }](t, w.ask(t, "victor", "GET", "/v1/operations/"+w.op.ID+"/logs", "")).Items
	require.Len(t, lines, 2)
	lines[0].TS, lines[1].TS = time.Time{}, time.Time{}
	require.Equal(t, []api.LogLine{
		{Seq: 2, Phase: "up", Severity: "warning", URN: "urn:x", Message: "it is old"},
		{Seq: 4, Severity: "info", Message: "it waits"},
	}, lines)
	rest := read[struct{ Items []api.LogLine }](t, w.ask(t, "victor", "GET", "/v1/operations/"+w.op.ID+"/logs?after=2", "")).Items
	require.Len(t, rest, 1)

	w.move(t, w.op.ID, provision.Failed)
	w.update(t, func(tx provision.Tx) error {
		o, err := tx.LockOperation(w.op.ID)
		if err != nil {
			return err
		}
		if o.EndedAt = tx.Now(); tx.SaveOperation(&o) != nil {
			return err
		}
		_, err = tx.PruneOperationEvents(tx.Now().Add(time.Hour), 100)
		return err
	})
	require.Empty(t, read[struct{ Items []api.LogLine }](t, w.ask(t, "victor", "GET", "/v1/operations/"+w.op.ID+"/logs", "")).Items, "kept as long as events")
}

// entries are those of the audit log with an action.
func (w *world) entries(t testing.TB, action string) (found []backend.AuditEntry) {
	t.Helper()
	all, err := w.service.Audit(t.Context(), principal("root"), 0, 5000)
	require.NoError(t, err)
	for _, e := range all {
		if e.Action == action {
			found = append(found, e)
		}
	}
	return found
}
