package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// documentPath is where OpenAPI is served, to anybody.
const documentPath = "/v1/openapi.json"

// documentEndpoint is what logs and metrics call it.
var documentEndpoint = &endpoint{method: get, path: documentPath}

func (h *handlers) serveDocument(w http.ResponseWriter) error {
	text, err := h.openAPI()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the client is gone
	return nil
}

// schemaName is a type's name in OpenAPI: a page of projects is "ProjectPage".
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if of, is := strings.CutPrefix(name, "Page"); is && strings.Contains(t.Name(), "[") {
		return of + "Page"
	}
	return name
}

func newHandlers(service Service, options Options) *handlers {
	h := &handlers{
		service: service, options: options.withDefaults(),
		limits: newLimits(options.Rate, options.Burst),
		router: &router{mux: http.NewServeMux(), endpoints: map[string]*endpoint{}},
	}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Redoubt", Version: h.options.Version,
				Description: "Self-service provisioning: order stacks made of blueprints, see what they change and what policy says, approve, and follow. docs/api.md has the conventions.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "An access token, or the token of an identity provider."}},
			},
			Security: []map[string][]string{{"token": {}}},
		},
		Formats: huma.DefaultFormats, DefaultFormat: "application/json", RejectUnknownQueryParameters: true,
	}
	h.api = huma.NewAPI(config, h.router)
	for i := range endpoints {
		e := &endpoints[i]
		h.router.endpoints[e.method+" "+inside(e.path)] = e
		e.do(h, h.document(e))
	}
	for _, path := range h.api.OpenAPI().Paths {
		if path.Get != nil {
			describeConditional(path.Get)
		}
	}
	return h
}

// streamed are the endpoints that answer with more than a page, in another media type.
var streamed = map[string]struct {
	page  reflect.Type
	media string
}{
	"listEvents": {reflect.TypeFor[page[Event]](), eventStream},
	"listAudit":  {reflect.TypeFor[page[AuditEntry]](), jsonLines},
}

// document is what huma must know of an endpoint besides its types.
func (h *handlers) document(e *endpoint) huma.Operation {
	noun, _, _ := strings.Cut(strings.TrimPrefix(e.path, Prefix), "/")
	noun, _, _ = strings.Cut(noun, ":")
	op := huma.Operation{
		Method: e.method, Path: e.path, OperationID: e.id, Summary: e.summary, Tags: []string{noun}, DefaultStatus: e.status,
		// The body was read, within its limit, before huma sees it; a deadline for
		// reading would end the request of who waits.
		MaxBodyBytes: h.options.MaxBody + 1, BodyReadTimeout: -1,
	}
	if also, ok := streamed[e.id]; ok {
		schema := h.api.OpenAPI().Components.Schemas.Schema(also.page, true, "")
		op.Responses = map[string]*huma.Response{"200": {
			Description: "OK",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}, also.media: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}}
	}
	return op
}

// Document is the API in OpenAPI 3.1, as docs/openapi.json has it.
func Document() ([]byte, error) {
	return newHandlers(nil, Options{Version: "1"}).openAPI()
}

func (h *handlers) openAPI() ([]byte, error) {
	text, err := json.Marshal(h.api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("OpenAPI: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, fmt.Errorf("OpenAPI: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}
