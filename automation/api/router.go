package api

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Prefix starts every path.
const Prefix = "/v1/"

// maxPath is in bytes: names and ids are short.
const maxPath = 1024

// router finds endpoints. It is http.ServeMux, with verbs behind a colon
// ("/v1/operations/{id}:cancel"), which that has not: they are a segment of their
// own inside.
type router struct {
	mux *http.ServeMux
	// endpoints are by the mux' patterns.
	endpoints map[string]*endpoint
}

// Handle implements huma.Adapter.
func (t *router) Handle(op *huma.Operation, handler func(huma.Context)) {
	t.mux.HandleFunc(op.Method+" "+inside(op.Path), func(w http.ResponseWriter, r *http.Request) {
		handler(humago.NewContext(op, r, w))
	})
}

// ServeHTTP implements huma.Adapter.
func (t *router) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// inside is a path with its verb as a segment.
func inside(text string) string {
	last := strings.LastIndexByte(text, '/')
	if colon := strings.LastIndexByte(text, ':'); colon > last {
		return text[:colon] + "/" + text[colon:]
	}
	return text
}

// find returns the endpoint of a request, and the request as the mux wants it; the
// methods that there are where it is not this one, and nothing where there is no
// such path. Nothing is unescaped and nothing cleaned: no id or name needs it, and
// `..` must not lead to something else.
func (t *router) find(r *http.Request) (*endpoint, *http.Request, []string) {
	raw := r.URL.EscapedPath()
	if len(raw) > maxPath || strings.Contains(raw, "%") || strings.Contains(raw, "/:") || raw != path.Clean(raw) {
		return nil, r, nil
	}
	u := *r.URL
	u.Path, u.RawPath = inside(raw), ""
	found := r.WithContext(r.Context()) // a copy
	found.URL = &u
	if _, pattern := t.mux.Handler(found); t.endpoints[pattern] != nil {
		return t.endpoints[pattern], found, nil
	}
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := *found
		other.Method = method
		if _, pattern := t.mux.Handler(&other); t.endpoints[pattern] != nil {
			methods = append(methods, method)
		}
	}
	return nil, found, slices.Clip(methods)
}
