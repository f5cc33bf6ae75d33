package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"redoubt/automation/provision"
)

// maxStreams is how many streams of events one principal has at once.
const maxStreams = 100

// eventBatch is how many events are read at once.
const eventBatch = 200

// eventStream is the media type of server-sent events.
const eventStream = "text/event-stream"

// wantsStream says whether a client asks for events as they happen.
func wantsStream(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/events") && strings.Contains(r.Header.Get("Accept"), eventStream)
}

// streams counts the open streams of each principal.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// take is false where the principal has as many as it may.
func (s *streams) take(p provision.Principal) (done func(), ok bool) {
	key := string(p.Kind) + ":" + p.Name
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]int{}
	}
	if s.open[key] >= maxStreams {
		return nil, false
	}
	s.open[key]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[key]--; s.open[key] == 0 {
			delete(s.open, key)
		}
	}, true
}

func (s *streams) count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.open {
		n += of
	}
	return n
}

// stream sends an operation's events as they happen, each with its sequence as id,
// until the operation ends. A client that goes on later says the last id that it
// has; one that does not read is dropped.
func (h *handlers) stream(c *call, operation string, after int64, first []provision.Event) (func(huma.Context), error) {
	done, ok := h.streams.take(c.principal)
	if !ok {
		p := newProblem(provision.CodeQuotaExceeded, fmt.Sprintf("You have %d streams of events open, and more are not allowed: close some.", maxStreams))
		p.retryAfter(h.options.Heartbeat)
		return nil, p
	}
	h.options.Metrics.Streaming(1)
	return func(ctx huma.Context) {
		defer h.options.Metrics.Streaming(-1)
		defer done()
		r, w := humago.Unwrap(ctx)
		s := &sender{w: w, control: http.NewResponseController(w), patience: h.options.SlowClient}
		w.Header().Set("Content-Type", eventStream)
		w.Header().Set("X-Accel-Buffering", "no") // a proxy that collects would hold events back
		w.WriteHeader(http.StatusOK)
		events := first
		for s.send(events) {
			if n := len(events); n > 0 {
				after = events[n-1].Seq
				if events[n-1].Type == provision.EventEnd {
					return
				}
			}
			// Who may no longer is no longer told: each beat asks anew.
			wait, cancel := h.waiting(c, h.options.Heartbeat)
			var err error
			events, err = h.service.WaitEvents(wait, c.principal, operation, after, eventBatch)
			beat := wait.Err() != nil
			cancel()
			switch {
			case c.Err() != nil, h.draining():
				return
			case beat && len(events) == 0:
				if _, err := h.options.Identify(r); err != nil || !s.write(": heartbeat\n\n") {
					return
				}
			case err != nil:
				h.options.Log.WarnContext(c, "a stream of events ended early; its client comes back", "trace_id", c.traceID(), "operation", operation, "error", err)
				return
			case len(events) == 0: // it ended before
				s.write("event: end\ndata: {}\n\n")
				return
			}
		}
	}, nil
}

// sender writes to a client that may be slow.
type sender struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

// send is false where the client is gone.
func (s *sender) send(events []provision.Event) bool {
	var text strings.Builder
	for _, e := range events {
		data, err := json.Marshal(eventOf(e))
		if err != nil {
			return false
		}
		fmt.Fprintf(&text, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, data)
	}
	return s.write(text.String())
}

func (s *sender) write(text string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.patience)) // a connection without deadlines is as slow as it likes
	_, err := s.w.Write([]byte(text))
	return err == nil && s.control.Flush() == nil
}

// lastEventID is where a client goes on.
func lastEventID(header string, after int64) (int64, error) {
	if header == "" {
		return after, nil
	}
	n, err := strconv.ParseInt(header, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid(ProblemField{Parameter: "header Last-Event-ID", Message: "it is a number: the id of the last event that you have"})
	}
	return n, nil
}
