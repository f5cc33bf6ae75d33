package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// silence is how long a stream may be quiet: a server shows that it lives more
// often than that.
const silence = time.Minute

// patience is how long a server may be away before a stream is given up.
const patience = 2 * time.Minute

// endEvent is the last event's type.
const endEvent = "end"

// Events are an operation's after a sequence (0 for all), as they happen, until it
// ends. A connection that breaks is made again, and goes on where it was. The
// error, the last thing that is returned, says why it does not go on.
func (c *Client) Events(ctx context.Context, operation string, after int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		lost := time.Now()
		for {
			ended, err := c.stream(ctx, operation, after, func(e Event) bool {
				after, lost = max(after, e.Seq), time.Now()
				return yield(e, nil)
			})
			if ended {
				return
			}
			var p *Problem
			switch {
			case ctx.Err() != nil:
				yield(Event{}, ctx.Err())
				return
			case errors.As(err, &p) && p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests, time.Since(lost) > patience:
				yield(Event{}, err)
				return
			}
			select {
			case <-time.After(500 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// stream reads one connection to its end. It is true where nothing more is wanted.
func (c *Client) stream(ctx context.Context, operation string, after int64, each func(Event) bool) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	prepared, err := c.prepare(ctx, request{method: http.MethodGet, path: "/v1/operations/" + url.PathEscape(operation) + "/events"})
	if err != nil {
		return false, err
	}
	prepared.Header.Set("Accept", "text/event-stream")
	if after > 0 {
		prepared.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	response, err := c.send(prepared)
	if err != nil {
		return false, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	kind, data := "", ""
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return false, &connectionError{c.URL, err}
		}
		quiet.Reset(silence)
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case name == "event":
			kind = value
		case name == "data":
			data += value
		case strings.TrimSpace(line) == "" && kind != "":
			var e Event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				return false, fmt.Errorf("the events of %s cannot be read (is it a server of Redoubt?): %w", c.URL, err)
			}
			// An operation that ended before has an end without a sequence.
			if e.Seq > 0 && !each(e) || kind == endEvent {
				return true, nil
			}
			kind, data = "", ""
		}
	}
}
