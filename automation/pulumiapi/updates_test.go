package pulumiapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/pulumiapi"
)

// resource is a state of a resource, as the CLI sends it.
func resource(name string) string {
	return fmt.Sprintf(`{"urn":"urn:pulumi:dev::shop::t:m:R::%s","custom":true,"id":"i-%s","type":"t:m:R","inputs":{"big":12345678901234567890},"futureField":"<kept>"}`, name, name)
}

// created are the two entries of a resource that was made.
func created(sequence int, name string) []string {
	op := sequence
	return []string{
		fmt.Sprintf(`{"version":1,"kind":0,"sequenceID":%d,"operationID":%d,"removeOld":null,"removeNew":null,"operation":{"resource":%s,"type":"creating"}}`, sequence, op, resource(name)),
		fmt.Sprintf(`{"version":1,"kind":1,"sequenceID":%d,"operationID":%d,"removeOld":null,"removeNew":null,"state":%s}`, sequence+1, op, resource(name)),
	}
}

func batch(entries ...string) string { return `{"entries":[` + strings.Join(entries, ",") + `]}` }

func (w *world) names(t *testing.T, stack string) (names []string, pending int) {
	t.Helper()
	var state struct {
		Deployment struct {
			Resources         []struct{ URN string }
			PendingOperations []json.RawMessage `json:"pending_operations"`
		}
	}
	w.do(t, http.MethodGet, stack+"/export", nil).into(t, &state)
	for _, r := range state.Deployment.Resources {
		names = append(names, r.URN[strings.LastIndex(r.URN, ":")+1:])
	}
	return names, len(state.Deployment.PendingOperations)
}

func TestAJournalBecomesTheState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	path, lease := w.update(t, stack, false, true)
	send := func(body string) int {
		return w.ask(t, http.MethodPatch, path+"/journalentries", lease, zipped(t, []byte(body)), "Content-Encoding", "gzip").status
	}
	a, b := created(1, "a"), created(3, "b")
	// In any order, and repeated.
	require.Equal(t, http.StatusOK, send(batch(b[1], a[0])))
	require.Equal(t, http.StatusOK, send(batch(a[1], b[0])))
	require.Equal(t, http.StatusOK, send(batch(a[1], b[0])))
	// The same number with another content: nothing of the batch is kept.
	require.Equal(t, http.StatusConflict, send(batch(created(5, "c")[0], strings.Replace(a[0], `"creating"`, `"updating"`, 1))))
	require.Equal(t, http.StatusOK, send(batch(created(5, "d")[0])))

	end := func(status string) int {
		return w.ask(t, http.MethodPost, path+"/complete", lease, map[string]string{"status": status}).status
	}
	require.Equal(t, http.StatusBadRequest, end("cancelled"))
	require.Equal(t, http.StatusOK, end("failed"))
	require.Equal(t, http.StatusOK, end("failed"), "its answer may have been lost")
	require.Equal(t, http.StatusForbidden, end("succeeded"))
	require.Equal(t, http.StatusOK, send(batch(a[0], a[1])), "so may the answer to a batch")
	require.Equal(t, http.StatusForbidden, send(batch(created(7, "late")...)))
	require.Equal(t, http.StatusForbidden, w.ask(t, http.MethodPost, path+"/renew_lease", lease, map[string]any{"token": "", "duration": 300}).status)

	names, pending := w.names(t, stack)
	require.Equal(t, []string{"a", "b"}, names)
	require.Equal(t, 1, pending, "d was being created")
	state := string(w.do(t, http.MethodGet, stack+"/export", nil).body)
	require.Contains(t, state, "12345678901234567890")
	require.Contains(t, state, `"futureField":"<kept>"`)
	// Whether d exists nobody knows: no update goes on blindly.
	r := w.ask(t, http.MethodPost, stack+"/update", "token "+w.admin, map[string]any{})
	require.Equal(t, http.StatusConflict, r.status)
	require.Contains(t, string(r.body), "recovery")
}

func TestALeaseFences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	admin := "token " + w.admin
	path, lease := w.update(t, stack, false, true)
	var seen struct {
		ActiveUpdate     string
		CurrentOperation struct{ Kind, Author string }
	}
	w.do(t, http.MethodGet, stack, nil).into(t, &seen)
	require.Equal(t, path, stack+"/update/"+seen.ActiveUpdate)
	require.Equal(t, "update", seen.CurrentOperation.Kind)
	require.Equal(t, "admin", seen.CurrentOperation.Author)

	// Previews run beside it, and leave no trace.
	preview, previewLease := w.update(t, stack, true, true)
	require.Equal(t, http.StatusConflict, w.ask(t, http.MethodPatch, preview+"/journalentries", previewLease, batch(created(1, "x")...)).status)
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPost, preview+"/complete", previewLease, map[string]string{"status": "succeeded"}).status)

	// A second update, an import, a rename and a removal do not.
	var second struct{ UpdateID string }
	w.do(t, http.MethodPost, stack+"/destroy", map[string]any{}).into(t, &second)
	for what, r := range map[string]reply{
		"start":  w.ask(t, http.MethodPost, stack+"/update/"+second.UpdateID, admin, map[string]any{}),
		"import": w.ask(t, http.MethodPost, stack+"/import", admin, `{"version":3,"deployment":{}}`),
		"rename": w.ask(t, http.MethodPost, stack+"/rename", admin, map[string]string{"newName": "x"}),
		"remove": w.ask(t, http.MethodDelete, stack+"?force=true", admin, nil),
	} {
		require.Equal(t, http.StatusConflict, r.status, what)
		require.Contains(t, string(r.body), "pulumi cancel", what)
	}

	// A renewal gives a new token; requests on their way carry the old one.
	var renewed struct {
		Token           string
		TokenExpiration int64
	}
	r := w.ask(t, http.MethodPost, path+"/renew_lease", lease, map[string]any{"token": "", "duration": 300})
	r.into(t, &renewed)
	require.Positive(t, renewed.TokenExpiration)
	for _, token := range []string{lease, "update-token " + renewed.Token} {
		require.Equal(t, http.StatusOK, w.ask(t, http.MethodPatch, path+"/journalentries", token, batch(created(1, "a")...)).status)
	}
	// Cancelled: what was acknowledged stays, and nothing more is written.
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPost, path+"/cancel", admin, nil).status)
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPost, path+"/cancel", admin, nil).status)
	for what, r := range map[string]reply{
		"journal":  w.ask(t, http.MethodPatch, path+"/journalentries", lease, batch(created(3, "b")...)),
		"renewal":  w.ask(t, http.MethodPost, path+"/renew_lease", lease, map[string]any{}),
		"complete": w.ask(t, http.MethodPost, path+"/complete", lease, map[string]string{"status": "succeeded"}),
		"events":   w.ask(t, http.MethodPost, path+"/events/batch", lease, map[string]any{"events": []any{}}),
	} {
		require.Equal(t, http.StatusForbidden, r.status, what)
	}
	names, _ := w.names(t, stack)
	require.Equal(t, []string{"a"}, names)
	w.do(t, http.MethodPost, stack+"/update/"+second.UpdateID, map[string]any{})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	path, lease := w.update(t, stack, false, true)
	events := make([]string, 600)
	for i := range events {
		events[i] = fmt.Sprintf(`{"sequence":%d,"timestamp":1,"stdoutEvent":{"message":"<%d>"},"future":12345678901234567890}`, i, i)
	}
	events[599] = `{"sequence":599,"timestamp":1,"summaryEvent":{"maybeCorrupt":false,"durationSeconds":1,"resourceChanges":{"create":2},"PolicyPacks":{}}}`
	put := func(events []string) int {
		return w.ask(t, http.MethodPost, path+"/events/batch", lease, `{"events":[`+strings.Join(events, ",")+`]}`).status
	}
	require.Equal(t, http.StatusOK, put(events[300:]))
	require.Equal(t, http.StatusOK, put(events[:300]))
	require.Equal(t, http.StatusOK, put(events[100:200]), "events come again")
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPost, path+"/complete", lease, map[string]string{"status": "succeeded"}).status)

	var got []json.RawMessage
	for query := ""; ; {
		var page struct {
			Events            []json.RawMessage
			ContinuationToken *string
		}
		w.do(t, http.MethodGet, stack+"/update/1/events"+query, nil).into(t, &page)
		got = append(got, page.Events...)
		if page.ContinuationToken == nil {
			break
		}
		query = "?continuationToken=" + *page.ContinuationToken
	}
	require.Len(t, got, 600)
	require.JSONEq(t, events[7], string(got[7]))
	require.Contains(t, string(got[7]), "12345678901234567890")
	require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodGet, path+"/events?continuationToken=x", "token "+w.admin, nil).status)
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodGet, stack+"/update/99/events", "token "+w.admin, nil).status)

	var history struct {
		Updates []struct {
			Kind, Result    string
			Version         int
			ResourceChanges map[string]int
		}
	}
	w.do(t, http.MethodGet, stack+"/updates?pageSize=10&page=1", nil).into(t, &history)
	require.Len(t, history.Updates, 1)
	require.Equal(t, map[string]int{"create": 2}, history.Updates[0].ResourceChanges)
	require.Equal(t, "succeeded", history.Updates[0].Result)
	w.do(t, http.MethodGet, stack+"/updates?pageSize=10&page=2", nil).into(t, &history)
	require.Empty(t, history.Updates)
}

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	path, lease := w.update(t, stack, false, false)
	patch := func(kind string, body any) reply { return w.ask(t, http.MethodPatch, path+"/"+kind, lease, body) }

	require.Equal(t, http.StatusConflict, patch("journalentries", batch(created(1, "a")...)).status, "it said that it would send whole states")
	require.Equal(t, http.StatusBadRequest, patch("checkpoint", `{"isInvalid":true,"version":3}`).status)
	require.Equal(t, http.StatusNotFound, patch("checkpointdelta", map[string]any{"checkpointHash": strings.Repeat("0", 64), "deploymentDelta": []any{}, "sequenceNumber": 1}).status)
	require.Equal(t, http.StatusOK, patch("checkpoint", `{"isInvalid":false,"version":4,"features":["views"],"deployment":{"resources":[`+resource("a")+`]}}`).status)

	// Verbatim, down to the white space, the escapes and the order.
	text := `{"version":3, "deployment":{"z":1,"a":"\u003c<",` + "\n\t" + `"resources":[` + resource("b") + `]}}`
	require.Equal(t, http.StatusOK, patch("checkpointverbatim", `{"version":3,"sequenceNumber":1,"untypedDeployment":`+text+`}`).status)
	require.Equal(t, http.StatusOK, patch("checkpointverbatim", `{"version":3,"sequenceNumber":1,"untypedDeployment":`+text+`}`).status)

	// A delta over those bytes.
	at := strings.Index(text, "i-b")
	after := text[:at] + "i-changed" + text[at+3:]
	sum := sha256.Sum256([]byte(after))
	delta := func(from, to int, sequence int, hash string) map[string]any {
		return map[string]any{"version": 3, "sequenceNumber": sequence, "checkpointHash": hash, "deploymentDelta": []any{map[string]any{
			"Span":    map[string]any{"uri": "", "start": map[string]int{"line": 1, "column": 1, "offset": from}, "end": map[string]int{"line": 1, "column": 1, "offset": to}},
			"NewText": "i-changed",
		}}}
	}
	hash := hex.EncodeToString(sum[:])
	require.Equal(t, http.StatusConflict, patch("checkpointdelta", delta(at, at+4, 2, hash)).status, "the hash says that this is not it")
	require.Equal(t, http.StatusConflict, patch("checkpointdelta", delta(at, 1<<20, 2, hash)).status)
	require.Equal(t, http.StatusBadRequest, patch("checkpointdelta", delta(at, at+3, 2, "xyz")).status)
	require.Equal(t, http.StatusOK, patch("checkpointdelta", delta(at, at+3, 2, hash)).status)
	require.Equal(t, http.StatusOK, patch("checkpointdelta", delta(at, at+3, 2, hash)).status, "its answer may have been lost")
	require.Equal(t, http.StatusConflict, patch("checkpointverbatim", `{"version":3,"sequenceNumber":1,"untypedDeployment":`+text+`}`).status, "an older state does not replace a newer one")

	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPost, path+"/complete", lease, map[string]string{"status": "succeeded"}).status)
	require.Equal(t, after, string(w.do(t, http.MethodGet, stack+"/export", nil).body), "the state is those bytes")
	require.Equal(t, http.StatusForbidden, patch("checkpoint", `{"version":3,"deployment":{}}`).status)
}

func TestApplyDelta(t *testing.T) {
	t.Parallel()
	edit := func(from, to int, text string) string {
		return fmt.Sprintf(`{"Span":{"start":{"offset":%d},"end":{"offset":%d}},"NewText":%q}`, from, to, text)
	}
	rows := map[string]struct {
		delta, want string
		fails       bool
	}{
		"nothing":        {delta: `[]`, want: "0123456789"},
		"replace":        {delta: `[` + edit(2, 4, "ab") + `]`, want: "01ab456789"},
		"insert":         {delta: `[` + edit(10, 10, "x") + `]`, want: "0123456789x"},
		"delete":         {delta: `[` + edit(0, 9, "") + `]`, want: "9"},
		"out of order":   {delta: `[` + edit(8, 9, "B") + `,` + edit(0, 1, "A") + `]`, want: "A1234567B9"},
		"two at once":    {delta: `[` + edit(5, 5, "a") + `,` + edit(5, 5, "b") + `]`, want: "01234ab56789"},
		"overlap":        {delta: `[` + edit(0, 5, "") + `,` + edit(4, 6, "") + `]`, fails: true},
		"past the end":   {delta: `[` + edit(9, 11, "") + `]`, fails: true},
		"negative":       {delta: `[` + edit(-1, 1, "") + `]`, fails: true},
		"backwards":      {delta: `[` + edit(5, 4, "") + `]`, fails: true},
		"not a list":     {delta: `{}`, fails: true},
		"no JSON":        {delta: ``, fails: true},
		"over the limit": {delta: `[` + edit(0, 0, strings.Repeat("x", 200)) + `]`, fails: true},
	}
	for name, row := range rows {
		got, err := pulumiapi.ApplyDelta([]byte("0123456789"), json.RawMessage(row.delta), 100)
		if row.fails {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, row.want, string(got), name)
	}
}
