package replay_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

func salvaging() replay.Options {
	o := options
	o.Salvage = true
	return o
}

// causeless are the entries without what reading them failed with.
func causeless(dropped []*replay.JournalError) []*replay.JournalError {
	for _, e := range dropped {
		e.Cause = nil
	}
	return dropped
}

func TestReplaySalvages(t *testing.T) {
	t.Parallel()
	result, err := fold(`{"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C"}`, salvaging(),
		stored,
		`{"kind":1,"sequenceID":2,"operationID":2,"removeNew":9,"state":{"urn":"urn:pulumi:d::p::a:b:C::t","type":"a:b:C"}}`,
		`{"kind":7,"sequenceID":3}`,
		`{"kind":1,"sequenceID":5,"operationID":3,"removeOld":0}`)
	require.NoError(t, err)
	require.Equal(t, 3, result.Resources, "nothing that was there is lost")
	require.Equal(t, []*replay.JournalError{
		{Sequence: 2, Reason: "it names what operation 9 stored, and no entry says what that is", Partly: true},
		{Sequence: 5, Reason: "it follows a rebuilt base state that had to be the journal's end"},
	}, causeless(result.Dropped))
}

// Of a step that began and whose end cannot be read, nobody knows whether it
// happened.
func TestSalvageKeepsStepsWithoutAnEndPending(t *testing.T) {
	t.Parallel()
	const urn = "urn:pulumi:d::p::a:b:C::n"
	begin := `{"kind":0,"sequenceID":1,"operationID":1,"operation":{"type":"creating","resource":{"urn":"` + urn + `","type":"a:b:C"}}}`
	for name, end := range map[string]string{
		"a state that is none":      `{"kind":1,"sequenceID":2,"operationID":1,"state":[]}`,
		"a field of another type":   `{"kind":1,"sequenceID":2,"operationID":"1"}`,
		"a kind that nobody knows":  `{"kind":99,"sequenceID":2,"operationID":1}`,
		"a newer format":            `{"version":2,"kind":1,"sequenceID":2,"operationID":1}`,
		"a refreshed state of text": `{"kind":3,"sequenceID":2,"operationID":1,"state":"x"}`,
	} {
		_, err := fold("", options, begin, end)
		require.Error(t, err, name)
		result, err := fold("", salvaging(), begin, end)
		require.NoError(t, err, name)
		require.Equal(t, []replay.PendingOperation{{Type: "creating", URN: urn}}, result.Pending, name)
		require.Len(t, result.Dropped, 1, name)
		require.EqualValues(t, 2, result.Dropped[0].Sequence, name)
		require.False(t, result.Dropped[0].Partly, name)
	}
}

func TestSalvageGoesOnAfterAnEntryThatIsNotThere(t *testing.T) {
	t.Parallel()
	damaged := &replay.JournalError{Sequence: 2, Reason: "it was damaged"}
	journal := func(yield func(json.RawMessage, error) bool) {
		_ = yield(json.RawMessage(stored), nil) && yield(nil, damaged) &&
			yield(json.RawMessage(`{"kind":1,"sequenceID":3,"operationID":3,"state":{"urn":"urn:pulumi:d::p::a:b:C::t","type":"a:b:C"}}`), nil)
	}
	_, err := replay.Replay(nil, journal, options)
	require.EqualError(t, err, "journal entry 2: it was damaged")
	result, err := replay.Replay(nil, journal, salvaging())
	require.NoError(t, err)
	require.Equal(t, 2, result.Resources)
	require.Equal(t, []*replay.JournalError{damaged}, result.Dropped)
}

// An entry that is left out may have given the base other resources: an index
// then takes only a resource away that the entry is about.
func TestSalvageTakesNoOtherResourceAway(t *testing.T) {
	t.Parallel()
	base := `{"urn":"urn:pulumi:d::p::a:b:C::x","type":"a:b:C"},{"urn":"urn:pulumi:d::p::a:b:C::y","type":"a:b:C"}`
	deleting := func(sequence, of, index string) []string {
		return []string{
			`{"kind":0,"sequenceID":` + sequence + `0,"operationID":` + sequence + `,"operation":{"type":"deleting","resource":{"urn":"urn:pulumi:d::p::a:b:C::` + of + `","type":"a:b:C"}}}`,
			`{"kind":1,"sequenceID":` + sequence + `1,"operationID":` + sequence + `,"removeOld":` + index + `}`,
		}
	}
	broken := `{"kind":5,"sequenceID":1}` // it writes a state and has none
	result, err := fold(base, salvaging(), append([]string{broken}, append(deleting("1", "x", "1"), deleting("2", "y", "1")...)...)...)
	require.NoError(t, err)
	require.Equal(t, 1, result.Resources)
	require.Len(t, result.Dropped, 2)
	require.Equal(t, int64(11), result.Dropped[1].Sequence)
	require.Contains(t, result.Dropped[1].Reason, "is about another one")
	require.Contains(t, string(result.Deployment), "::x")
}

func TestABaseThatCannotBeReadIsToldApart(t *testing.T) {
	t.Parallel()
	_, err := replay.Replay(json.RawMessage(`[]`), replay.Entries(), salvaging())
	require.ErrorIs(t, err, replay.ErrBase)
}
