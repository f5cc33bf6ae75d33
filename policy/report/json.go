package report

import (
	_ "embed"
	"encoding/json"
	"io"
)

// Schema is the JSON Schema of the JSON form.
//
//go:embed report.schema.json
var Schema string

func (r Report) json(w io.Writer) error { return encode(w, r) }

func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
