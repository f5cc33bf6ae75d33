package backend_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// newer is a deployment that this service does not understand: fields, numbers
// and an order of keys that only a copy keeps.
const newer = `{ "version": 99, "features":["from the future"], "deployment": {"z":1,"a":12345678901234567890123.0000001e+2, "resources":[ {"urn":"urn:pulumi:dev::shop::test:index:Thing::a","type":"test:index:Thing","custom":true,"x":{"<&>":"\u003c","e":"\u00e9é\ud83e\udd8a"},"big":9007199254740993} ]}, "trailing" : null }`

var historyTests = []test{
	{"a stack without a state exports one that the CLI can read", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		require.JSONEq(t, `{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""}}}`, string(w.exported(t, name, 0)))
		_, err := w.Export(t.Context(), w.admin, name, 1)
		fails(t, err, backend.CodeNotFound, "has no state 1")
	}},
	{"a state that is newer than the service comes back byte for byte", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		update, err := w.Import(t.Context(), w.admin, name, json.RawMessage(newer))
		require.NoError(t, err)
		require.Equal(t, newer, string(w.exported(t, name, 0)))
		require.EqualValues(t, 1, update.Version)
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 1, json.RawMessage(newer)))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Equal(t, newer, string(w.exported(t, name, 2)))
	}},
	{"an update that does nothing keeps a newer state", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		_, err := w.Import(t.Context(), w.admin, name, json.RawMessage(newer))
		require.NoError(t, err)
		ref := w.begin(t, name)
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Equal(t, newer, string(w.exported(t, name, 0)))
	}},
	{"what is no state is refused", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		for words, bad := range map[string]string{
			"not a deployment": "x", "is not a deployment:": `{"version":"3"}`, "has version 0": `{}`, "has version 2": `{"version":2,"deployment":{}}`,
			"has no deployment": `{"version":3,"deployment":null}`, "it must be a JSON object": `[]`, "must be a JSON": ``,
			"version and deployment": `{"version":3,"deployment":{"resources":{}}}`,
		} {
			_, err := w.Import(t.Context(), w.admin, name, json.RawMessage(bad))
			fails(t, err, backend.CodeInvalid, words)
		}
		stack, _, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Zero(t, stack.Version)
	}},
	{"older states are kept as long as there are few", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		for i := range 6 {
			w.update(t, name, fmt.Sprint(i))
		}
		for version := int64(1); version <= 6; version++ {
			state, err := w.Export(t.Context(), w.admin, name, version)
			if version < 3 {
				fails(t, err, backend.CodeNotFound, "older than what is kept")
				continue
			}
			require.NoError(t, err)
			require.Len(t, namesIn(t, state), int(version))
		}
		_, err := w.Export(t.Context(), w.admin, name, 7)
		fails(t, err, backend.CodeNotFound)
		_, err = w.Export(t.Context(), w.admin, name, -1)
		fails(t, err, backend.CodeNotFound)
	}},
	{"states that were imported are few as well", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		for i := range 8 {
			_, err := w.Import(t.Context(), w.admin, name, stateOf(fmt.Sprint(i)))
			require.NoError(t, err)
		}
		_, err := w.Export(t.Context(), w.admin, name, 4)
		fails(t, err, backend.CodeNotFound, "older than what is kept")
		require.Equal(t, []string{"4"}, namesIn(t, w.exported(t, name, 5)))
		require.Equal(t, []string{"7"}, w.resources(t, name))
	}},
	{"the history has everything that changed the state, newest first", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		config := json.RawMessage(`{"aws:region":{"string":"eu-west-1"},"n":{"string":"12345678901234567890"}}`)
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, Config: config, Message: "the first", Environment: map[string]string{"git.head": "abc"}}, true)
		w.appended(t, ref, created(1, 1, "a"))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		_, err := w.Import(t.Context(), w.admin, name, stateOf("a", "b"))
		require.NoError(t, err)
		w.update(t, name)
		history, err := w.History(t.Context(), w.admin, name, 1, 2)
		require.NoError(t, err)
		require.Equal(t, []int64{3, 2}, []int64{history[0].Version, history[1].Version})
		require.Equal(t, backend.KindImport, history[1].Kind)
		history, err = w.History(t.Context(), w.admin, name, 2, 2)
		require.NoError(t, err)
		require.Len(t, history, 1)
		one, err := w.UpdateByVersion(t.Context(), w.admin, name, 1)
		require.NoError(t, err)
		require.Equal(t, history[0], one)
		require.Equal(t, string(config), string(one.Config))
		require.Equal(t, "the first", one.Message)
		require.Equal(t, map[string]string{"git.head": "abc"}, one.Environment)
		require.EqualValues(t, 1, one.Resources)
		require.True(t, one.Compliant)
		_, err = w.UpdateByVersion(t.Context(), w.admin, name, 9)
		fails(t, err, backend.CodeNotFound)
		history, err = w.History(t.Context(), w.admin, name, -5, 100)
		require.NoError(t, err)
		require.Len(t, history, 3)
	}},
}
