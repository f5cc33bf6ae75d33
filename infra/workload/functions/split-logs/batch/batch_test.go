package batch_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/split-logs/batch"
)

// packed is text as CloudWatch Logs sends it.
func packed(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

const header = `"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/app/dev/web","logStream":"web/1","subscriptionFilters":["redoubt-dev-logs"]`

// sent is a message with events, as CloudWatch Logs writes it.
func sent(events ...string) string {
	return `{` + header + `,"logEvents":[` + strings.Join(events, ",") + `]}`
}

const (
	first  = `{"id":"1","timestamp":1767355200123,"message":"started"}`
	second = `{"id":"2","timestamp":1767355200124,"message":"{\"level\":\"info\"}"}`
)

func TestDecode(t *testing.T) {
	t.Parallel()
	one := batch.Event{
		Owner: "123456789012", LogGroup: "/app/dev/web", LogStream: "web/1", ID: "1",
		Time: time.Date(2026, 1, 2, 12, 0, 0, 123e6, time.UTC), Message: "started",
	}
	two := one
	two.ID, two.Time, two.Message = "2", one.Time.Add(time.Millisecond), `{"level":"info"}`
	control := `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1767355200000,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`
	for _, tc := range []struct {
		name string
		data []byte
		want []batch.Event
		err  error
	}{
		{"packed", packed(t, sent(first, second)), []batch.Event{one, two}, nil},
		{"unpacked by the stream", []byte(sent(first, second)), []batch.Event{one, two}, nil},
		{"two messages in a record", []byte(sent(first) + "\n" + sent(second)), []batch.Event{one, two}, nil},
		{"two packs in a record", append(packed(t, sent(first)), packed(t, sent(second))...), []batch.Event{one, two}, nil},
		{"a try of the destination", packed(t, control), nil, nil},
		{"no events", []byte(sent()), nil, nil},
		{"nothing", nil, nil, batch.ErrEmpty},
		{"nothing, packed", packed(t, ""), nil, batch.ErrEmpty},
		{"cut off", packed(t, sent(first))[:40], nil, batch.ErrGzip},
		{"the start of gzip alone", []byte{0x1f, 0x8b}, nil, batch.ErrGzip},
		{"a bomb", packed(t, strings.Repeat(" ", 33<<20)), nil, batch.ErrSize},
		{"no JSON", []byte("password=hunter2"), nil, batch.ErrFormat},
		{"another JSON", []byte(`["hunter2"]`), nil, batch.ErrFormat},
		{"another type", []byte(`{"messageType":"hunter2"}`), nil, batch.ErrFormat},
		{"a rest", []byte(sent(first) + "hunter2"), nil, batch.ErrFormat},
		{"a text for a time", []byte(sent(`{"id":"1","timestamp":"hunter2","message":""}`)), nil, batch.ErrFormat},
		{"no time", []byte(sent(`{"id":"1","message":"hunter2"}`)), nil, batch.ErrMissing},
		{"a time before 1970", []byte(sent(`{"id":"1","timestamp":-1,"message":"hunter2"}`)), nil, batch.ErrMissing},
		{"a time after 9999", []byte(sent(`{"id":"1","timestamp":253402300800000,"message":"hunter2"}`)), nil, batch.ErrMissing},
		{"no id", []byte(sent(`{"timestamp":1,"message":"hunter2"}`)), nil, batch.ErrMissing},
		{"no group", []byte(`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1,"message":"hunter2"}]}`), nil, batch.ErrMissing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := batch.Decode(tc.data)
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.want, got)
			if err != nil {
				require.NotContains(t, err.Error(), "hunter2", "an error never repeats a log")
			}
		})
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string { return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) }
	const around = `"@timestamp":"2026-01-02T12:00:00.120Z","id":"1","owner":"123456789012","logGroup":"/app/dev/web","logStream":"web/1"`
	for _, tc := range []struct{ name, message, want string }{
		{"a line", "started <a&b>", `"message":"started <a&b>"`},
		{"an object", ` {"level":"info","ms":12345678901234567890} ` + "\n", `"fields":{"level":"info","ms":12345678901234567890}`},
		{"an object that would forge", `{"@timestamp":"1970","logGroup":"/other"}`, `"fields":{"@timestamp":"1970","logGroup":"/other"}`},
		{"a key twice", `{"a":1,"a":2}`, `"fields":{"a":2}`},
		{"two objects", `{"a":1}{"b":2}`, `"message":"{\"a\":1}{\"b\":2}"`},
		{"half an object", `{"a":`, `"message":"{\"a\":"`},
		{"a list", `[1]`, `"message":"[1]"`},
		{"an empty key", `{"":1}`, `"message":"{\"\":1}"`},
		{"as deep as may be", nested(20), `"fields":` + nested(20)},
		{"an empty object", `{}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := batch.Document(event(tc.message))
			require.NoError(t, err)
			want := around
			if tc.want != "" {
				want += "," + tc.want
			}
			require.Equal(t, "{"+want+"}", string(got))
		})
	}
	for name, message := range map[string]string{
		"too deep": nested(21), "a list too deep": `{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}",
		"a long value": `{"a":"` + strings.Repeat("x", 32766) + `"}`, "a long number": `{"a":1` + strings.Repeat("0", 32766) + `}`,
		"a long key": `{"` + strings.Repeat("k", 32766) + `":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := batch.Document(event(message))
			require.NoError(t, err)
			var doc map[string]any
			require.NoError(t, json.Unmarshal(got, &doc))
			require.Equal(t, message, doc["message"], "an index would refuse it as an object, and the document with it")
			require.NotContains(t, doc, "fields")
		})
	}
}

func event(message string) batch.Event {
	return batch.Event{
		Owner: "123456789012", LogGroup: "/app/dev/web", LogStream: "web/1", ID: "1",
		Time: time.Date(2026, 1, 2, 12, 0, 0, 120e6, time.UTC), Message: message,
	}
}

func TestPackedEventsAreDecodedAgain(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10, 4000, 6000, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			e := event(strings.Repeat("ä\n", size/3))
			data, err := batch.Pack(e)
			require.NoError(t, err)
			require.Less(t, len(data), 10_000, "what is billed as more than 5 KB is packed first")
			got, err := batch.Decode(data)
			require.NoError(t, err)
			require.Equal(t, []batch.Event{e}, got)
		})
	}
}

// Whatever arrives: no panic, no content in an error, and each event that is
// accepted makes a document and survives being put back.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(sent(first, second)))
	f.Add(packed(f, sent(first)))
	f.Add([]byte(`{"messageType":"CONTROL_MESSAGE"}`))
	f.Add([]byte{0x1f, 0x8b, 0x08})
	known := []error{batch.ErrEmpty, batch.ErrGzip, batch.ErrSize, batch.ErrFormat, batch.ErrMissing}
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := batch.Decode(data)
		if err != nil {
			require.Contains(t, known, err)
			return
		}
		for _, e := range events {
			doc, err := batch.Document(e)
			require.NoError(t, err)
			var fields map[string]any
			require.NoError(t, json.Unmarshal(doc, &fields))
			require.Equal(t, e.LogGroup, fields["logGroup"])
			require.Equal(t, e.ID, fields["id"])
			_, err = time.Parse(time.RFC3339, fields["@timestamp"].(string))
			require.NoError(t, err)
			again, err := batch.Pack(e)
			require.NoError(t, err)
			same, err := batch.Decode(again)
			require.NoError(t, err)
			require.Equal(t, []batch.Event{e}, same)
		}
	})
}
