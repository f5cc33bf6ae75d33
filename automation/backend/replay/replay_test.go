package replay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

var options = replay.Options{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Version: "v3.259.0"}

// fold replays entries given as JSON over a base with the given resources.
func fold(resources string, options replay.Options, entries ...string) (replay.Result, error) {
	raw := make([]json.RawMessage, len(entries))
	for i, e := range entries {
		raw[i] = json.RawMessage(e)
	}
	base := json.RawMessage(`{"version":4,"features":["byteString","hooks","newer"],"deployment":{"resources":[` + resources + `]}}`)
	return replay.Replay(base, replay.Entries(raw...), options)
}

func TestReplayOfNothing(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "null", "{}", `{"version":3}`, `{"version":3,"deployment":null}`} {
		result, err := replay.Replay(json.RawMessage(base), replay.Entries(), options)
		require.NoError(t, err)
		require.Equal(t, `{"version":3,"deployment":{"manifest":{"time":"2026-01-02T03:04:05Z",`+
			`"magic":"`+apitype.ManifestV1{Version: "v3.259.0"}.NewMagic()+`","version":"v3.259.0"},"metadata":{}}}`,
			string(result.Deployment))
		require.Empty(t, result.Findings)
	}
}

// What a newer CLI wrote, and numbers that a float does not hold, must survive
// an update that only marks the resource.
func TestReplayKeepsWhatItDoesNotTouch(t *testing.T) {
	t.Parallel()
	untouched := `{ "urn":"urn:pulumi:d::p::a:b:C::n", "type":"a:b:C","future":{"x":[1.0,1e3]},
		"inputs":{"big":12345678901234567890,"text":"\u003c\ud800"}}`
	marked := strings.Replace(untouched, "::n", "::m", 1)
	stored := `{"urn":"urn:pulumi:d::p::a:b:C::m","type":"a:b:C","zFuture":9007199254740993}`
	result, err := fold(untouched+","+marked, options,
		`{"version":1,"kind":1,"sequenceID":7,"operationID":1,"removeOld":null,"removeNew":null,"deleteOld":1,"state":`+stored+`}`)
	require.NoError(t, err)
	require.Equal(t, 3, result.Resources)
	require.Empty(t, result.Findings)
	deleted := strings.NewReplacer(`{ "`, `{"`, ", \"type", ",\"type", "\n\t\t", "", "}}", `},"delete":true}`).Replace(marked)
	require.Contains(t, string(result.Deployment), `"resources":[`+stored+","+untouched+","+deleted+"]")
}

func TestReplayKeepsFieldsOfTheDeploymentThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	base := `{"version":3,"deployment":{"manifest":{},"future":{"n":12345678901234567890},"metadata":{"other":1}}}`
	result, err := replay.Replay(json.RawMessage(base), replay.Entries(), options)
	require.NoError(t, err)
	require.Contains(t, string(result.Deployment), `"metadata":{"other":1},"future":{"n":12345678901234567890}`)
}

func TestReplayCarriesFeaturesThatResourcesDoNotShow(t *testing.T) {
	t.Parallel()
	one := `{"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C"}`
	result, err := fold(one, options)
	require.NoError(t, err)
	require.Contains(t, string(result.Deployment), `{"version":4,"features":["byteString","newer"],`,
		"hooks would show; the others may be about anything in the resource")
	result, err = fold(one, options, `{"kind":1,"sequenceID":1,"operationID":1,"removeOld":0}`)
	require.NoError(t, err)
	require.Contains(t, string(result.Deployment), `{"version":3,"deployment"`, "the resource is gone")
}

func TestReplayListsPendingOperations(t *testing.T) {
	t.Parallel()
	base := `{"version":3,"deployment":{"pending_operations":[
		{"type":"creating","resource":{"urn":"urn:pulumi:d::p::a:b:C::lost","type":"a:b:C"}},
		{"type":"updating","resource":{"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C"}}]}}`
	begin := func(sequence, operation, kind, name string) json.RawMessage {
		return json.RawMessage(`{"kind":0,"sequenceID":` + sequence + `,"operationID":` + operation + `,"operation":{"type":"` + kind +
			`","resource":{"urn":"urn:pulumi:d::p::a:b:C::` + name + `","type":"a:b:C"}}}`)
	}
	result, err := replay.Replay(json.RawMessage(base), replay.Entries(
		begin("1", "1", "importing", "i"),
		begin("2", "2", "creating", "done"),
		begin("3", "3", "creating", "failed"),
		begin("4", "4", "creating", "new"),
		json.RawMessage(`{"kind":1,"sequenceID":5,"operationID":2}`),
		json.RawMessage(`{"kind":2,"sequenceID":6,"operationID":3}`),
	), options)
	require.NoError(t, err)
	require.Equal(t, []replay.PendingOperation{
		{Type: "importing", URN: "urn:pulumi:d::p::a:b:C::i"},
		{Type: "creating", URN: "urn:pulumi:d::p::a:b:C::new"},
		{Type: "creating", URN: "urn:pulumi:d::p::a:b:C::lost"},
	}, result.Pending)
	require.Equal(t, 2, result.PendingCreates())
}

// stored is a Success that stores a resource.
const stored = `{"kind":1,"sequenceID":1,"operationID":1,"state":{"urn":"urn:pulumi:d::p::a:b:C::s","type":"a:b:C"}}`

// corrupt are journals that no client sends, with what is said about them.
var corrupt = []struct {
	name, message string
	entries       []string
}{
	{"not JSON", "journal entry 0: this is not JSON", []string{`{"kind":`}},
	{"not an object", "journal entry 0: expected an object, found a list", []string{`[]`}},
	{"no sequence id", "journal entry 0: it has no sequence id", []string{`{"kind":0}`}},
	{"unsorted", "journal entry 2: it comes after entry 3: entries must be sorted, and each once", []string{
		`{"kind":0,"sequenceID":3,"operationID":1}`, `{"kind":2,"sequenceID":2,"operationID":1}`,
	}},
	{"a newer format", "journal entry 1: it is of version 2 of the journal's format, and this service reads 1", []string{
		`{"version":2,"kind":0,"sequenceID":1}`,
	}},
	{"a newer kind", "journal entry 4: kind 10 is not one that this service knows, so its effect on the state is not either", []string{
		`{"kind":10,"sequenceID":4}`,
	}},
	{"an unknown operation", "journal entry 4: it names what operation 9 stored, and no entry says what that is", []string{
		stored, `{"kind":1,"sequenceID":4,"operationID":2,"deleteNew":9}`,
	}},
	{"an index past the end", "journal entry 4: it names resource 1 of the base, which has 1", []string{
		`{"kind":1,"sequenceID":4,"operationID":2,"removeOld":1}`,
	}},
	{"a negative index", "journal entry 4: it names resource -1 of the base, which has 1", []string{
		`{"kind":3,"sequenceID":4,"operationID":2,"removeOld":-1}`,
	}},
	{"a fraction", "journal entry 4: removeOld: expected an integer, found a number", []string{`{"sequenceID":4,"removeOld":0.5}`}},
	{"entries after the last", "journal entry 3: it follows a rebuilt base state that had to be the journal's end", []string{
		stored, `{"kind":7,"sequenceID":2}`, `{"kind":0,"sequenceID":3}`,
	}},
	{"a bad state", "journal entry 1: state: field urn: expected a string, found a number", []string{
		`{"kind":1,"sequenceID":1,"state":{"urn":5}}`,
	}},
	{"a bad operation", "journal entry 1: operation: expected an object, found a boolean", []string{
		`{"kind":0,"sequenceID":1,"operation":{"resource":true}}`, `{"kind":2,"sequenceID":2,"operationID":7}`,
	}},
	{"a write of nothing", "journal entry 1: it writes a state and has none", []string{`{"kind":5,"sequenceID":1}`}},
	{"half an extension", "journal entry 1: it parameterizes an extension and does not have all of it", []string{
		`{"kind":8,"sequenceID":1,"extensionRef":"e"}`,
	}},
	{
		"two resources of one alias",
		"journal entry 2: resources urn:pulumi:d::p::a:b:C::s and urn:pulumi:d::p::a:b:C::t both say that they were urn:pulumi:d::p::a:b:C::o",
		[]string{
			`{"kind":1,"sequenceID":1,"operationID":1,"state":{"urn":"urn:pulumi:d::p::a:b:C::s","aliases":["urn:pulumi:d::p::a:b:C::o"]}}`,
			`{"kind":1,"sequenceID":2,"operationID":2,"state":{"urn":"urn:pulumi:d::p::a:b:C::t","aliases":["urn:pulumi:d::p::a:b:C::o"]}}`,
		},
	},
}

func TestReplayNamesTheEntryOfACorruptJournal(t *testing.T) {
	t.Parallel()
	for _, c := range corrupt {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := fold(`{"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C"}`, options, c.entries...)
			require.EqualError(t, err, c.message)
			var journal *replay.JournalError
			require.ErrorAs(t, err, &journal)
		})
	}
}

func TestReplayRefusesEndlessRebuilds(t *testing.T) {
	t.Parallel()
	var entries []string
	for i := range 101 {
		entries = append(entries, fmt.Sprintf(`{"kind":7,"sequenceID":%d}`, i+1))
	}
	_, err := fold("", options, entries[:100]...)
	require.NoError(t, err)
	_, err = fold("", options, entries...)
	require.EqualError(t, err, "journal entry 101: it rebuilds the base state for more than the 100th time")
}

func TestReplayReportsWhatTheJournalCannotBeReadFor(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is gone")
	_, err := replay.Replay(nil, func(yield func(json.RawMessage, error) bool) {
		_ = yield(json.RawMessage(stored), nil) && yield(nil, broken)
	}, options)
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, "read the journal after entry 1: the database is gone")
}

func TestReplayRefusesABaseThatItCannotRead(t *testing.T) {
	t.Parallel()
	for base, message := range map[string]string{
		`{`:                                   "this is not JSON",
		`[]`:                                  "expected an object, found a list",
		`{"version":5}`:                       "version 5 of the format of deployments is not one that this service can read: it reads 3 and 4",
		`{"deployment":{"resources":[null]}}`: "resources: resource 0: expected a resource, found null",
		`{"deployment":{"resources":[{},{"dependencies":5}]}}`: "resources: resource 1: field dependencies: expected a list, found a number",
	} {
		_, err := replay.Replay(json.RawMessage(base), replay.Entries(), options)
		require.EqualError(t, err, "the state that the update began with cannot be read: "+message)
	}
}
