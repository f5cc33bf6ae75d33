package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *lockedBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// document is a file of docs/.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	require.NoError(t, err)
	return string(text)
}

// stream opens a stream of events over a real connection.
func (w *world) stream(t *testing.T, ctx context.Context, who, operation, last string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, "GET", w.server.URL+"/v1/operations/"+operation+"/events", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+who)
	request.Header.Set("Accept", "text/event-stream")
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// lines reads a stream until a line, and returns all of it until then.
func lines(t *testing.T, from *bufio.Reader, until string) (text string) {
	t.Helper()
	for {
		line, err := from.ReadString('\n')
		text += line
		require.NoError(t, err, "%q did not come: %s", until, text)
		if strings.TrimSpace(line) == until {
			return text
		}
	}
}

func TestStreamOfEvents(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *api.Options) { o.Heartbeat = 50 * time.Millisecond })
	response := w.stream(t, t.Context(), "victor", w.op.ID, "")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	from := bufio.NewReader(response.Body)
	require.Contains(t, lines(t, from, "id: 1"), "id: 1")
	lines(t, from, ": heartbeat")
	w.move(t, w.op.ID, provision.Preparing)
	text := lines(t, from, "id: 2")
	require.NotContains(t, text, "id: 1")
	require.NoError(t, response.Body.Close()) // the connection breaks

	w.move(t, w.op.ID, provision.Previewing)
	from = bufio.NewReader(w.stream(t, t.Context(), "victor", w.op.ID, "2").Body)
	require.NotContains(t, lines(t, from, "id: 3"), "id: 2", "it goes on where it was")
	w.move(t, w.op.ID, provision.Failed)
	text = lines(t, from, "event: end")
	require.Contains(t, text, "id: 4\nevent: state\ndata: {\"seq\":4,")
	require.Contains(t, text, "id: 5\nevent: end")
	lines(t, from, "")
	_, err := from.ReadString('\n')
	require.Error(t, err, "the end is the end")

	// Whoever comes after the end is told that it is over.
	from = bufio.NewReader(w.stream(t, t.Context(), "victor", w.op.ID, "5").Body)
	require.Equal(t, "event: end\n", lines(t, from, "event: end"))
}

func TestStreamsAreForWhoMayRead(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	revoked := false
	w := open(t, func(o *api.Options) {
		o.Heartbeat = 20 * time.Millisecond
		o.Identify = func(r *http.Request) (provision.Principal, error) {
			mu.Lock()
			defer mu.Unlock()
			if revoked {
				return provision.Principal{}, provision.Fail(provision.CodeUnauthenticated, "the token was revoked")
			}
			return identify(r)
		}
	})
	require.Equal(t, http.StatusNotFound, w.stream(t, t.Context(), "alice", w.bankOp.ID, "").StatusCode)
	require.Equal(t, http.StatusNotFound, w.stream(t, t.Context(), "nobody", w.op.ID, "1").StatusCode)
	from := bufio.NewReader(w.stream(t, t.Context(), "alice", w.op.ID, "").Body)
	lines(t, from, "id: 1")
	mu.Lock()
	revoked = true
	mu.Unlock()
	for {
		if _, err := from.ReadString('\n'); err != nil {
			break // it ended, although the operation goes on
		}
	}
}

func TestTooManyStreams(t *testing.T) {
	t.Parallel()
	w := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 100 {
		require.Equal(t, http.StatusOK, w.stream(t, ctx, "alice", w.op.ID, "").StatusCode)
	}
	response := w.stream(t, ctx, "alice", w.op.ID, "")
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, w.stream(t, ctx, "victor", w.op.ID, "").StatusCode, "others have their own")
	cancel()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		return w.stream(t, ctx, "alice", w.op.ID, "").StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond, "closed ones do not count")
}

// A client that does not read is dropped, and keeps nothing busy.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	w := open(t)
	handler := api.NewBare(w.service, api.Options{Identify: identify, SlowClient: 200 * time.Millisecond})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	_, err = connection.Write([]byte("GET /v1/operations/" + w.op.ID + "/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice\r\nAccept: text/event-stream\r\n\r\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return api.Streams(handler) == 1 }, patience, time.Millisecond)
	flood := make([]provision.Event, 20)
	for i := range flood {
		flood[i] = provision.Event{Type: provision.EventLog, Data: json.RawMessage(`{"text":"` + strings.Repeat("x", 1<<17) + `"}`)}
	}
	require.Eventually(t, func() bool {
		w.update(t, func(tx provision.Tx) error { return tx.AddEvents(w.op.ID, flood) })
		return api.Streams(handler) == 0
	}, patience, 10*time.Millisecond)
}

// A process that stops ends its streams and waits; clients go on with the next.
func TestDrainingEndsStreamsAndWaits(t *testing.T) {
	t.Parallel()
	draining := make(chan struct{})
	w := open(t, func(o *api.Options) { o.Draining = draining })
	from := bufio.NewReader(w.stream(t, t.Context(), "alice", w.op.ID, "").Body)
	lines(t, from, "id: 1")
	done := make(chan int)
	go func() { done <- w.ask(t, "alice", "GET", "/v1/operations/"+w.op.ID+"?wait=60s", "").status }()
	require.Eventually(t, func() bool { return len(done) == 0 }, patience, time.Millisecond)
	close(draining)
	select {
	case status := <-done:
		require.Equal(t, http.StatusOK, status)
	case <-time.After(patience):
		t.Fatal("the wait did not end")
	}
	for {
		if _, err := from.ReadString('\n'); err != nil {
			break
		}
	}
}

// The client's iterator goes on over a broken connection, and misses nothing.
func TestClientFollowsEvents(t *testing.T) {
	t.Parallel()
	w := open(t)
	c := &client.Client{URL: w.server.URL, Token: "alice"}
	var seen []int64
	for event, err := range c.Events(t.Context(), w.op.ID, 0) {
		require.NoError(t, err)
		seen = append(seen, event.Seq)
		switch len(seen) {
		case 1:
			w.server.CloseClientConnections()
			w.move(t, w.op.ID, provision.Preparing)
		case 2:
			w.move(t, w.op.ID, provision.Failed)
		}
	}
	require.Equal(t, []int64{1, 2, 3, 4}, seen)
	for _, err := range c.Events(t.Context(), w.bankOp.ID, 0) {
		require.Equal(t, "not_found", client.CodeOf(err))
	}
}
