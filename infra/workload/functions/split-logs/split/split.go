// Package split makes a document of each log event that passes through a
// delivery stream.
//
// Firehose wants one record back for each record that it hands over, and sends
// a record to OpenSearch as one document, whatever is in it: line feeds do not
// part it. CloudWatch Logs packs many events into a record. So the events of a
// larger batch are put back into the stream, each as a batch of one, and the
// batch is dropped; a batch of one becomes a document. A batch of one is never
// put back in parts, so each event passes twice at most and no mark is needed
// that tells the split ones. AWS's own blueprint
// kinesis-firehose-cloudwatch-logs-processor puts halves of too large batches
// back in the same way.
package split

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"redoubt/infra/workload/functions/split-logs/batch"
)

// Request is Firehose's event.
type Request struct {
	Records []Record `json:"records"`
}

// Record is one that Firehose hands over; in JSON its data are base64.
type Record struct {
	ID   string `json:"recordId"`
	Data []byte `json:"data"`
}

// Response answers with one result for each record, in their order.
type Response struct {
	Records []Result `json:"records"`
}

// Result is what becomes of a record.
// https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
type Result struct {
	ID     string `json:"recordId"`
	Result string `json:"result"`
	Data   []byte `json:"data,omitempty"`
}

// The results. Firehose keeps a failed record as it came, in the backup bucket
// under processing-failed: nothing is lost.
const (
	Ok      = "Ok"
	Dropped = "Dropped"
	Failed  = "ProcessingFailed"
)

// responseLimit is the room in an answer, in bytes: Lambda takes 6 MB of JSON,
// and Firehose loses all records of an answer that is larger.
const responseLimit = 6_000_000

// resultOverhead is a result without its id and data.
const resultOverhead = 64

// Splitter answers Firehose.
type Splitter struct {
	// Stream is the stream that the records come from.
	Stream Stream
	// Wait waits between attempts to put records back, or until the context ends.
	Wait func(context.Context, time.Duration) error
	Log  *slog.Logger
}

// The reasons of failures that are the splitter's own; those of a record's
// content are batch's.
var (
	errDocument = errors.New("the document is larger than an answer may be")
	errPiece    = errors.New("an event is larger than a record may be")
	errRefused  = errors.New("the stream did not take the events back")
)

// Handle splits. It returns no error: Firehose would hand all records over
// again, and so deliver twice what was put back already.
func (s *Splitter) Handle(ctx context.Context, in Request) (Response, error) {
	run := &invocation{Splitter: s, results: make([]Result, len(in.Records)), room: responseLimit, failures: map[string]int{}}
	for _, r := range in.Records {
		run.room -= resultOverhead + len(r.ID)
	}
	run.empty = run.room
	for i, r := range in.Records {
		run.results[i] = Result{ID: r.ID, Result: Dropped}
		if err := run.record(i, r); err != nil {
			run.fail(i, err)
		}
	}
	run.putBack(ctx)
	run.report(ctx)
	return Response{Records: run.results}, nil
}

// invocation is the work on one request.
type invocation struct {
	*Splitter
	results []Result
	// room is what is left of the answer, empty what there was at first.
	room, empty int
	pieces      []piece
	documents   int
	failures    map[string]int
}

// piece is a record to put back, and the index of the one that it came in.
type piece struct {
	from int
	data []byte
}

func (run *invocation) record(i int, r Record) error {
	events, err := batch.Decode(r.Data)
	switch {
	case err != nil:
		return err
	case len(events) == 1:
		return run.document(i, events[0])
	}
	return run.split(i, events)
}

// document puts the one event of a batch into the answer. If the answer is
// full, it is put back as it is, for another one: the first document of an
// answer always has room, so that this ends.
func (run *invocation) document(i int, e batch.Event) error {
	text, err := batch.Document(e)
	if err != nil {
		return batch.ErrFormat
	}
	size := base64.StdEncoding.EncodedLen(len(text))
	switch {
	case size > run.empty:
		return errDocument
	case size > run.room:
		return run.split(i, []batch.Event{e})
	}
	run.room -= size
	run.documents++
	run.results[i] = Result{ID: run.results[i].ID, Result: Ok, Data: text}
	return nil
}

// split notes the events to put back: all of a batch, or none if one is too
// large, so that the batch is either in the index or in the backup.
func (run *invocation) split(i int, events []batch.Event) error {
	pieces := make([]piece, 0, len(events))
	for _, e := range events {
		data, err := batch.Pack(e)
		if err != nil {
			return batch.ErrFormat
		}
		if len(data) > recordLimit {
			return errPiece
		}
		pieces = append(pieces, piece{from: i, data: data})
	}
	run.pieces = append(run.pieces, pieces...)
	return nil
}

func (run *invocation) fail(i int, why error) {
	if run.results[i].Result == Failed {
		return
	}
	run.results[i] = Result{ID: run.results[i].ID, Result: Failed}
	run.failures[why.Error()]++
}

// report writes numbers and reasons, never what a log holds.
func (run *invocation) report(ctx context.Context) {
	run.Log.InfoContext(ctx, "batches split", "records", len(run.results), "documents", run.documents, "putBack", len(run.pieces))
	for _, why := range slices.Sorted(maps.Keys(run.failures)) {
		run.Log.ErrorContext(ctx, "records failed", "reason", why, "records", run.failures[why])
	}
}
