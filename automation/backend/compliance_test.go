package backend_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// evaluated is the event that says that a pack looked at a resource.
func evaluated(pack string) json.RawMessage {
	return fmt.Appendf(nil, `{"sequence":%d,"policyAnalyzeSummaryEvent":{"resourceUrn":%q,"policyPackName":%q,"policyPackVersion":"1.0.0","policyPackVersionTag":"1.0.0"}}`,
		len(pack), urn("a"), pack)
}

// step is the event of a step that begins.
func step(op string) json.RawMessage {
	return fmt.Appendf(nil, `{"sequence":20,"resourcePreEvent":{"metadata":{"op":%q,"urn":%q}}}`, op, urn("a"))
}

const (
	// secretsEntry is the entry that every journal begins with.
	secretsEntry = `{"version":1,"kind":6,"sequenceID":1,"secretsProvider":{"type":"service"}}`
	// refreshBegin and refreshEnd are those of a refresh before the program starts.
	refreshBegin = `{"version":1,"kind":0,"sequenceID":2,"operationID":1}`
	refreshEnd   = `{"version":1,"kind":3,"sequenceID":3,"operationID":1,"isRefresh":true,"removeOld":0,"state":{"urn":"urn:pulumi:dev::shop::test:index:Thing::z","custom":true,"id":"id-z","type":"test:index:Thing"}}`
)

// What packs said: nothing, or that they looked at a resource, at the stack.
var said = map[string][]json.RawMessage{
	"none":           {},
	"some resource":  {evaluated("rules")},
	"all resource":   {evaluated("rules"), evaluated("more")},
	"some stack":     {evaluated("rules"), evaluated("more"), report("rules", "1.0.0")},
	"all stack":      {evaluated("rules"), evaluated("more"), report("rules", "1.0.0"), report("more", "1.0.0")},
	"only the stack": {report("rules", "1.0.0"), report("more", "1.0.0")},
}

// What an update did: journal entries and events.
var did = map[string]struct {
	entries, events []json.RawMessage
	stepped         bool
}{
	"nothing":              {entries: rows(json.RawMessage(secretsEntry))},
	"a refresh":            {entries: rows(json.RawMessage(secretsEntry), json.RawMessage(refreshBegin), json.RawMessage(refreshEnd)), events: rows(step("refresh"))},
	"a step, and said so":  {entries: rows(creating(1, 1, "a"), created(2, 1, "a")), events: rows(step("create")), stepped: true},
	"a step, and was late": {entries: rows(creating(1, 1, "a")), stepped: true},
	"a step in vain":       {entries: rows(json.RawMessage(secretsEntry)), events: rows(step("create")), stepped: true},
}

// complies is the rule once more, in the words of docs/backend.md.
func complies(status backend.UpdateStatus, packs string, stepped bool) bool {
	allOfStack := packs == "all stack" || packs == "only the stack"
	if status == backend.StatusSucceeded {
		return allOfStack
	}
	nothing := packs == "none" && !stepped
	return nothing || packs == "all resource" || packs == "some stack" || allOfStack
}

var complianceTests = []test{
	{"required packs cannot be skipped, however an update ends", func(t *testing.T, w *world) {
		for _, pack := range []string{"rules", "more"} {
			published(t, w, pack, "1.0.0")
			require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: pack}))
		}
		ends := map[backend.UpdateStatus]func(backend.UpdateRef){
			backend.StatusSucceeded: func(ref backend.UpdateRef) {
				require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
			},
			backend.StatusFailed: func(ref backend.UpdateRef) {
				require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
			},
			backend.StatusCancelled: func(ref backend.UpdateRef) {
				require.NoError(t, w.CancelUpdate(t.Context(), w.admin, ref.Name, ref.ID))
			},
			backend.StatusInterrupted: func(backend.UpdateRef) {
				w.pass(lease + time.Second)
				_, err := w.Sweep(t.Context())
				require.NoError(t, err)
			},
		}
		count := 0
		for status, end := range ends {
			for packs, events := range said {
				for work, done := range did {
					count++
					row := fmt.Sprintf("%s, packs: %s, did: %s", status, packs, work)
					// Each on a stack of its own, with a resource that can be refreshed.
					name := w.stack(t, fmt.Sprintf("s%d", count))
					w.imported(t, name, "z")
					ref := w.begin(t, name)
					w.appended(t, ref, done.entries...)
					// Later ones may come first.
					require.NoError(t, w.PutEvents(t.Context(), ref, done.events))
					require.NoError(t, w.PutEvents(t.Context(), ref, events))
					end(ref)
					closed := w.updated(t, ref)
					require.Equal(t, status, closed.Status, row)
					require.Equal(t, done.stepped, closed.Stepped, row)
					require.Equal(t, complies(status, packs, done.stepped), closed.Compliant, row)
					require.Equal(t, !closed.Compliant, w.last(t).Detail["compliant"] == "false", row)
				}
			}
		}
		require.Equal(t, 4*6*5, count)
	}},
	{"a preview that skips packs is not compliant, although it failed", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		published(t, w, "rules", "1.0.0")
		require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules"}))
		for _, row := range []struct {
			events    []json.RawMessage
			compliant bool
		}{
			{nil, true},
			{rows(step("create")), false},
			{rows(evaluated("rules"), step("create")), true},
			{rows(json.RawMessage(`{"sequence":1,"resOpFailedEvent":{"metadata":{"op":"create"}}}`)), false},
			{rows(json.RawMessage(`{"sequence":1,"resOutputsEvent":{"metadata":{"op":"same"}}}`)), false},
		} {
			ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true}, false)
			require.NoError(t, w.PutEvents(t.Context(), ref, row.events))
			require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
			require.Equal(t, row.compliant, w.updated(t, ref).Compliant, "%s", row.events)
		}
	}},
	{"whole states do not say what was begun", func(t *testing.T, w *world) {
		published(t, w, "rules", "1.0.0")
		require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules"}))
		name := w.stack(t, "dev")
		begin := func() backend.UpdateRef {
			ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
			require.NoError(t, w.PutCheckpoint(t.Context(), ref, 1, stateOf("a")))
			return ref
		}
		ref := begin()
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
		require.True(t, w.updated(t, ref).Compliant, "the CLI sends a last state where nothing was begun, too")
		ref = begin()
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, ref.ID))
		require.False(t, w.updated(t, ref).Compliant, "its events may not have come")
	}},
}
