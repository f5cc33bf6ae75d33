package pulumiapi

import (
	"encoding/json"
	"net/http"
)

// Row is a row of the table of endpoints, for the tests.
type Row struct {
	Method, Path string
	Needs        string
}

// Table is the table of endpoints, for the tests.
func Table() []Row {
	words := map[credential]string{anybody: "nothing", accessToken: "token", leaseToken: "lease", signature: "signature"}
	var rows []Row
	for _, e := range endpoints() {
		rows = append(rows, Row{Method: e.method, Path: e.path, Needs: words[e.needs]})
	}
	return rows
}

// ApplyDelta is applyDelta, for the tests.
func ApplyDelta(text []byte, delta json.RawMessage, limit int64) ([]byte, error) {
	return applyDelta(text, delta, limit)
}

// Serve serves an endpoint that does what it is told, for the tests.
func (s *Server) Serve(do func() error) http.Handler {
	return s.serve(endpoint{path: "/told", do: func(*call) (any, error) { return nil, do() }})
}
