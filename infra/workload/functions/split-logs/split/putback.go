package split

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"time"
)

// The limits of PutRecordBatch. A request's is held against the records in
// base64, as they travel.
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
const (
	recordLimit  = 1000 << 10
	requestLimit = 4 << 20
	recordsLimit = 500
	recordFrame  = len(`{"Data":""},`)
	requestFrame = 1 << 10
	attempts     = 6
	firstWait    = 200 * time.Millisecond
)

// Stream is a delivery stream.
type Stream interface {
	// Put offers records: at most 500, of at most 1,000 KiB each and 4 MiB
	// together. It returns an error code for each, empty for one that was
	// taken. With an error, which names no content, none was.
	Put(ctx context.Context, records [][]byte) (codes []string, err error)
}

// putBack offers the pieces, and those that were refused again after a wait.
// A record of which a piece is refused to the end has failed: Firehose keeps
// all of it, and what was taken of it is in the index too.
func (run *invocation) putBack(ctx context.Context) {
	left, reasons := run.pieces, map[string]int{}
	for attempt := range attempts {
		if len(left) == 0 {
			return
		}
		if attempt > 0 && run.Wait(ctx, firstWait<<(attempt-1)) != nil {
			break
		}
		left = run.offer(ctx, left, reasons)
	}
	for _, p := range left {
		run.fail(p.from, errRefused)
	}
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		run.Log.WarnContext(ctx, "the stream refused records", "reason", code, "times", reasons[code])
	}
}

// offer returns what the stream did not take.
func (run *invocation) offer(ctx context.Context, pieces []piece, reasons map[string]int) []piece {
	var refused []piece
	for len(pieces) > 0 {
		chunk := pieces[:fitting(pieces)]
		pieces = pieces[len(chunk):]
		records := make([][]byte, len(chunk))
		for i, p := range chunk {
			records[i] = p.data
		}
		codes, err := run.Stream.Put(ctx, records)
		if err != nil {
			reasons[err.Error()] += len(chunk)
			refused = append(refused, chunk...)
			continue
		}
		for i, code := range codes {
			if code != "" {
				reasons[code]++
				refused = append(refused, chunk[i])
			}
		}
	}
	return refused
}

// fitting is how many of the pieces go into one request: at least one, for a
// record is smaller than a request.
func fitting(pieces []piece) int {
	size := requestFrame
	for i, p := range pieces {
		size += base64.StdEncoding.EncodedLen(len(p.data)) + recordFrame
		if i == recordsLimit || i > 0 && size > requestLimit {
			return i
		}
	}
	return len(pieces)
}
