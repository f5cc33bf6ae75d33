package chaos

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// wire is what is between the CLI and the server: it sees what was asked and
// what was answered, may be where a process dies, and may ask everything twice.
type wire struct {
	trap   *trap
	node   *node
	server *httptest.Server
	client *http.Client

	mu      sync.Mutex
	twice   bool
	updates map[string]*journal // by id
	asked   []asked
}

// asked is a request that came through, and the status that it got.
type asked struct {
	method, path string
	status       int
	update       bool // with the token of a lease
}

// journal is what an update sent, and what of it was acknowledged.
type journal struct{ sent, acknowledged []entry }

// entry is as much of a journal entry as is looked at.
type entry struct {
	Kind        int   `json:"kind"`
	OperationID int64 `json:"operationID"`
	Operation   *struct {
		Type     string
		Resource struct{ URN string }
	} `json:"operation"`
	State *struct{ URN, ID string } `json:"state"`
}

// The kinds of entries that steps consist of.
const (
	began = iota
	succeeded
	failed
)

func newWire(t testing.TB, n *node, trap *trap) *wire {
	t.Helper()
	w := &wire{trap: trap, node: n, client: &http.Client{Transport: &http.Transport{DisableCompression: true}}, updates: map[string]*journal{}}
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	return w
}

// ServeHTTP passes a request on. Where nobody answers, the connection ends.
func (w *wire) ServeHTTP(out http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	stack, update := place(q.URL.Path)
	if w.trap.pass(stack) {
		panic(http.ErrAbortHandler)
	}
	entries := entriesOf(q, body)
	w.note(update, entries, false)
	status, header, answer, err := w.forward(q, body)
	if err == nil && w.repeats() && strings.HasPrefix(q.Header.Get("Authorization"), "update-token ") {
		status, header, answer, err = w.forward(q, body)
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if w.trap.pass(stack) {
		panic(http.ErrAbortHandler)
	}
	if status == http.StatusOK {
		w.note(update, entries, true)
	}
	w.mu.Lock()
	w.asked = append(w.asked, asked{q.Method, q.URL.Path, status, strings.HasPrefix(q.Header.Get("Authorization"), "update-token ")})
	w.mu.Unlock()
	for name, values := range header {
		out.Header()[name] = values
	}
	out.WriteHeader(status)
	_, _ = out.Write(answer) // the client may be dead
}

func (w *wire) forward(q *http.Request, body []byte) (int, http.Header, []byte, error) {
	on, err := http.NewRequestWithContext(q.Context(), q.Method, w.node.url()+q.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	on.Header, on.Host = q.Header.Clone(), q.Host
	answer, err := w.client.Do(on)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, text, err
}

// place is the stack and the update of a path, where it has them.
func place(path string) (stack, update string) {
	parts := strings.Split(strings.TrimPrefix(path, "/api/stacks/"), "/")
	if len(parts) > 2 {
		stack = parts[2]
	}
	if len(parts) > 4 {
		update = parts[4]
	}
	return stack, update
}

// entriesOf are the journal entries of a request.
func entriesOf(q *http.Request, body []byte) []entry {
	if !strings.HasSuffix(q.URL.Path, "/journalentries") {
		return nil
	}
	if q.Header.Get("Content-Encoding") == "gzip" {
		zipped, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil
		}
		if body, err = io.ReadAll(zipped); err != nil {
			return nil
		}
	}
	var sent struct{ Entries []entry }
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil
	}
	return sent.Entries
}

func (w *wire) note(update string, entries []entry, acknowledged bool) {
	if len(entries) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.updates[update]
	if j == nil {
		j = &journal{}
		w.updates[update] = j
	}
	if acknowledged {
		j.acknowledged = append(j.acknowledged, entries...)
	} else {
		j.sent = append(j.sent, entries...)
	}
}

// forget forgets what came through.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.updates, w.asked = map[string]*journal{}, nil
}

// repeat makes every request of an update be asked twice; the second answer is
// the one that counts.
func (w *wire) repeat(twice bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.twice = twice
}

func (w *wire) repeats() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.twice
}

// journals are those that were sent since.
func (w *wire) journals() []journal {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []journal
	for _, j := range w.updates {
		list = append(list, *j)
	}
	return list
}

// log are the requests that came through since.
func (w *wire) log() []asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]asked{}, w.asked...)
}

// url is what the CLI logs in to.
func (w *wire) url(t testing.TB) string {
	t.Helper()
	require.NotEmpty(t, w.server.URL)
	return w.server.URL
}
