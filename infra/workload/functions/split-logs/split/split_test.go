package split_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/split-logs/batch"
	"redoubt/infra/workload/functions/split-logs/split"
)

// stream takes what AWS would take, and refuses what it is told to.
type stream struct {
	t *testing.T
	// refuse says the code for a record in the n-th request, from 1; fail an
	// error for all of it.
	refuse func(request int, data []byte) string
	fail   func(request int) error

	requests int
	taken    [][]byte
}

func (s *stream) Put(_ context.Context, records [][]byte) ([]string, error) {
	s.requests++
	require.NotEmpty(s.t, records)
	require.LessOrEqual(s.t, len(records), 500)
	total := 0
	for _, data := range records {
		require.LessOrEqual(s.t, len(data), 1000<<10)
		total += base64.StdEncoding.EncodedLen(len(data))
	}
	require.LessOrEqual(s.t, total, 4<<20)
	if s.fail != nil {
		if err := s.fail(s.requests); err != nil {
			return nil, err
		}
	}
	codes := make([]string, len(records))
	for i, data := range records {
		if s.refuse != nil {
			codes[i] = s.refuse(s.requests, data)
		}
		if codes[i] == "" {
			s.taken = append(s.taken, data)
		}
	}
	return codes, nil
}

// bench is a splitter with what it did.
type bench struct {
	*split.Splitter
	stream *stream
	waits  []time.Duration
	log    bytes.Buffer
}

func newBench(t *testing.T) *bench {
	b := &bench{stream: &stream{t: t}}
	b.Splitter = &split.Splitter{
		Stream: b.stream, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		Wait: func(ctx context.Context, d time.Duration) error {
			b.waits = append(b.waits, d)
			return ctx.Err()
		},
	}
	return b
}

// handle answers records with data, and holds Firehose's rules against it.
func (b *bench) handle(ctx context.Context, t *testing.T, data ...[]byte) []split.Result {
	t.Helper()
	var in split.Request
	for i, d := range data {
		in.Records = append(in.Records, split.Record{ID: fmt.Sprintf("record-%d", i), Data: d})
	}
	out, err := b.Handle(ctx, in)
	require.NoError(t, err)
	text, err := json.Marshal(out)
	require.NoError(t, err)
	require.Less(t, len(text), 6<<20, "Lambda's limit")
	require.Len(t, out.Records, len(data), "one result for each record")
	for i, r := range out.Records {
		require.Equal(t, in.Records[i].ID, r.ID)
		require.Equal(t, r.Result == split.Ok, r.Data != nil)
	}
	return out.Records
}

func message(messages ...string) []byte {
	type event struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	}
	events := []event{}
	for i, m := range messages {
		events = append(events, event{ID: fmt.Sprint(i), Timestamp: 1767355200000, Message: m})
	}
	text, err := json.Marshal(map[string]any{
		"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "/app/dev/web", "logStream": "web/1", "logEvents": events,
	})
	if err != nil {
		panic(err)
	}
	return text
}

func results(records []split.Result) []string {
	out := make([]string, 0, len(records))
	for _, r := range records {
		out = append(out, r.Result)
	}
	return out
}

func TestRecordsBecomeDocuments(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	got := b.handle(t.Context(), t,
		message("alone"), message("one", "two"), []byte(`{"messageType":"CONTROL_MESSAGE"}`), []byte("password=hunter2"), message())
	require.Equal(t, []string{split.Ok, split.Dropped, split.Dropped, split.Failed, split.Dropped}, results(got))
	require.JSONEq(t, `{"@timestamp":"2026-01-02T12:00:00.000Z","id":"0","owner":"123456789012","logGroup":"/app/dev/web","logStream":"web/1","message":"alone"}`, string(got[0].Data))
	require.Contains(t, b.log.String(), "records=5 documents=1 putBack=2")
	require.Contains(t, b.log.String(), "no message of CloudWatch Logs")
	require.NotContains(t, b.log.String(), "hunter2")

	// What was put back comes again, and is done.
	again := newBench(t)
	got = again.handle(t.Context(), t, b.stream.taken...)
	require.Equal(t, []string{split.Ok, split.Ok}, results(got))
	require.Contains(t, string(got[1].Data), `"message":"two"`)
	require.Zero(t, again.stream.requests, "an event passes twice at most")
}

func TestRequestsKeepTheLimits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(size int) string {
		text := make([]byte, size)
		for i := range text {
			text[i] = byte('!' + random.IntN(90))
		}
		return strings.NewReplacer(`"`, "q", `\`, "b").Replace(string(text))
	}
	for _, tc := range []struct {
		name     string
		messages []string
		requests int
	}{
		{"exactly 500", make([]string, 500), 1},
		{"501", make([]string, 501), 2},
		{"large ones", []string{noise(900 << 10), noise(900 << 10), noise(900 << 10), noise(900 << 10), noise(900 << 10)}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			require.Equal(t, []string{split.Dropped}, results(b.handle(t.Context(), t, message(tc.messages...))))
			require.Equal(t, tc.requests, b.stream.requests)
			require.Len(t, b.stream.taken, len(tc.messages))
		})
	}
	t.Run("one too large for a record", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		require.Equal(t, []string{split.Failed}, results(b.handle(t.Context(), t, message("small", strings.Repeat(noise(1<<20), 2)))))
		require.Zero(t, b.stream.requests, "none of a batch that goes to the backup is in the index")
	})
}

// Six megabytes is what Lambda answers: what has no room comes again.
func TestFullAnswersAreContinued(t *testing.T) {
	t.Parallel()
	b, line := newBench(t), strings.Repeat("x", 900<<10)
	var records [][]byte
	for range 8 {
		records = append(records, message(line))
	}
	got := results(b.handle(t.Context(), t, records...))
	require.Equal(t, []string{split.Ok, split.Ok, split.Ok, split.Ok, split.Dropped, split.Dropped, split.Dropped, split.Dropped}, got)
	require.Len(t, b.stream.taken, 4)
	rest := newBench(t)
	require.Equal(t, []string{split.Ok, split.Ok, split.Ok, split.Ok}, results(rest.handle(t.Context(), t, b.stream.taken...)))

	alone := newBench(t)
	require.Equal(t, []string{split.Failed}, results(alone.handle(t.Context(), t, message(strings.Repeat("x", 5<<20)))))
	require.Zero(t, alone.stream.requests, "it would come again for ever")
	require.Contains(t, alone.log.String(), "larger than an answer")
}

func TestRefusedRecordsAreOfferedAgain(t *testing.T) {
	t.Parallel()
	const throttled = "ServiceUnavailableException"
	first := func(data []byte) bool { return bytes.Contains(data, []byte(`"first"`)) }
	t.Run("taken in the end", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.stream.refuse = func(n int, data []byte) string {
			if n < 3 && first(data) {
				return throttled
			}
			return ""
		}
		require.Equal(t, []string{split.Dropped}, results(b.handle(t.Context(), t, message("first", "second"))))
		require.Len(t, b.stream.taken, 2, "what was taken is not offered again")
		require.Equal(t, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond}, b.waits)
	})
	t.Run("refused to the end", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.stream.refuse = func(_ int, data []byte) string {
			if first(data) {
				return throttled
			}
			return ""
		}
		got := results(b.handle(t.Context(), t, message("first", "second"), message("third", "fourth"), message("alone")))
		require.Equal(t, []string{split.Failed, split.Dropped, split.Ok}, got, "only the batch that lost an event")
		require.Equal(t, 6, b.stream.requests)
		require.Contains(t, b.log.String(), "did not take the events back")
		require.Contains(t, b.log.String(), "reason="+throttled+" times=6")
	})
	t.Run("no answer at first", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.stream.fail = func(n int) error {
			if n == 1 {
				return errors.New("PutRecordBatch: LimitExceededException")
			}
			return nil
		}
		require.Equal(t, []string{split.Dropped}, results(b.handle(t.Context(), t, message("first", "second"))))
		require.Len(t, b.stream.taken, 2)
	})
	t.Run("no time left", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b.stream.fail = func(int) error { return errors.New("PutRecordBatch: no time left") }
		require.Equal(t, []string{split.Failed, split.Ok}, results(b.handle(ctx, t, message("first", "second"), message("alone"))))
		require.Equal(t, 1, b.stream.requests)
	})
}

// What Firehose sends and reads, as its documentation shows it.
func TestJSONIsFirehoses(t *testing.T) {
	t.Parallel()
	var in split.Request
	require.NoError(t, json.Unmarshal([]byte(`{"invocationId":"i","deliveryStreamArn":"arn","region":"eu-central-1","records":[
		{"recordId":"49","approximateArrivalTimestamp":1767355200000,"data":"`+base64.StdEncoding.EncodeToString(message("a<b"))+`"}]}`), &in))
	out, err := newBench(t).Handle(t.Context(), in)
	require.NoError(t, err)
	text, err := json.Marshal(out)
	require.NoError(t, err)
	doc, err := batch.Decode(in.Records[0].Data)
	require.NoError(t, err)
	want, err := batch.Document(doc[0])
	require.NoError(t, err)
	require.Equal(t, `{"records":[{"recordId":"49","result":"Ok","data":"`+base64.StdEncoding.EncodeToString(want)+`"}]}`, string(text))
}
