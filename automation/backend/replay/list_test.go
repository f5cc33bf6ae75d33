package replay_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

func TestList(t *testing.T) {
	for document, want := range map[string][]string{
		`{"entries":[{"a":1},[2],"]}",null]}`:          {`{"a":1}`, `[2]`, `"]}"`, `null`},
		` { "other" : [1] , "entries" : [ 1 , {} ] } `: {`1`, `{}`},
		`{"entries":[1],"entries":[2]}`:                {`2`},
		`{"\u0065ntries":[1]}`:                         {`1`},
		`{"entries":null}`:                             nil,
		`{"Entries":[1]}`:                              nil,
		`{}`:                                           nil,
		`null`:                                         nil,
	} {
		list, err := replay.List([]byte(document), "entries")
		require.NoError(t, err, document)
		var got []string
		for _, element := range list {
			got = append(got, string(element))
		}
		require.Equal(t, want, got, document)
	}
	for _, document := range []string{``, `{"entries":[1}`, `{"entries":[1]`, `{"entries":[1]} x`, `{"entries":{}}`, `{"entries":"x"}`, `[]`, `1`} {
		_, err := replay.List([]byte(document), "entries")
		require.Error(t, err, document)
	}
}

// FuzzList holds List and ReadHead to what encoding/json says.
func FuzzList(f *testing.F) {
	f.Add([]byte(`{"entries":[{"version":1,"kind":2,"sequenceID":3},{"sequenceID":"x"},null,[1,"\""]]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		list, err := replay.List(document, "entries")
		if err != nil {
			return
		}
		require.True(t, json.Valid(document))
		for _, element := range list {
			require.True(t, json.Valid(element), "%s", element)
			head, err := replay.ReadHead(element)
			if err != nil {
				continue
			}
			var fields map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(element, &fields))
			var sequence int64
			if raw, ok := fields["sequenceID"]; ok {
				require.NoError(t, json.Unmarshal(raw, &sequence))
			}
			require.Equal(t, sequence, head.Sequence)
		}
	})
}
