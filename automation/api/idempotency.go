package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"redoubt/automation/provision"
)

// keptHeaders are the headers of an answer that are kept with it.
var keptHeaders = []string{"Content-Type", "Location", "ETag", "Retry-After"}

// bookkeeping is how long writing an answer down may take, once the work is done
// and its client may be gone.
const bookkeeping = 10 * time.Second

// validKey says whether an idempotency key is one; that it is not is found with
// everything else that is wrong with the request.
func validKey(key string) bool {
	if key == "" || len(key) > 255 {
		return false
	}
	for _, b := range []byte(key) {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}

// once answers a request with an idempotency key: what was answered already is
// answered again, and nothing is done.
func (h *handlers) once(w *statusWriter, c *call, e *endpoint, key string, body []byte) error {
	hash := sha256.New()
	hash.Write([]byte(c.r.Method + "\n" + c.path + "\n")) // query parameters say how to answer, not what to do
	hash.Write(body)
	reply := provision.Reply{
		Principal: string(c.principal.Kind) + ":" + c.principal.Name, Key: key, Route: e.method + " " + e.path, RequestHash: hash.Sum(nil),
	}
	stored, err := h.service.BeginRequest(c, c.principal, reply)
	if provision.CodeOf(err) == provision.CodeInvalid {
		return invalid(ProblemField{Parameter: "header " + keyHeader, Message: err.Error()})
	}
	if err != nil {
		return err
	}
	if stored != nil {
		h.options.Metrics.Replayed()
		return replay(w, *stored)
	}
	// From here on it goes to its end, whether the client listens or not: else a
	// repetition would not know what happened.
	recorded := &recorder{header: http.Header{}}
	h.router.ServeHTTP(recorded, c.r)
	late, cancel := context.WithTimeout(context.WithoutCancel(c), bookkeeping)
	defer cancel()
	reply.Status, reply.Body, reply.Header = recorded.status, recorded.body.Bytes(), map[string]string{}
	for _, name := range keptHeaders {
		if value := recorded.header.Get(name); value != "" {
			reply.Header[name] = value
		}
	}
	// What was refused did not happen and may be tried again. What failed may have
	// happened: it stays so for who repeats it, and is looked at by a person.
	if status := recorded.status; status >= 400 && status != http.StatusInternalServerError {
		err = h.service.DropRequest(late, c.principal, reply)
	} else {
		err = h.service.EndRequest(late, c.principal, reply)
	}
	if err != nil {
		h.options.Log.ErrorContext(c, "the answer to a request with an idempotency key could not be kept: repetitions are refused for a while",
			"trace_id", c.traceID(), "route", reply.Route, "error", err)
	}
	return recorded.send(w)
}

// replay answers what was answered before.
func replay(w http.ResponseWriter, stored provision.Reply) error {
	for name, value := range stored.Header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(stored.Status)
	_, err := w.Write(stored.Body)
	return err
}

// recorder is a response that is kept.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func (r *recorder) send(w http.ResponseWriter) error {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, err := w.Write(r.body.Bytes())
	return err
}
