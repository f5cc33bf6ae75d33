package pulumiapi

import (
	"encoding/json"
	"slices"

	"redoubt/automation/backend"
)

// edit is what is read of a gotextdiff.TextEdit: the bytes from one offset to
// another are replaced. Lines and columns say the same again.
type edit struct {
	Span struct {
		Start struct {
			Offset int `json:"offset"`
		} `json:"start"`
		End struct {
			Offset int `json:"offset"`
		} `json:"end"`
	} `json:"Span"`
	NewText string `json:"NewText"`
}

// applyDelta changes a text as gotextdiff.ApplyEdits does, and refuses edits
// that are out of it or over each other, or that make it larger than limit.
func applyDelta(text []byte, delta json.RawMessage, limit int64) ([]byte, error) {
	var edits []edit
	if err := json.Unmarshal(delta, &edits); err != nil {
		return nil, &backend.Error{Code: backend.CodeInvalid, Message: "deploymentDelta is no list of edits", Cause: err}
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.Span.Start.Offset - b.Span.Start.Offset })
	out, at := make([]byte, 0, len(text)), 0
	for _, e := range edits {
		from, to := e.Span.Start.Offset, e.Span.End.Offset
		if from < at || to < from || to > len(text) {
			return nil, backend.Fail(backend.CodeConflict, "the delta does not fit to the last checkpoint that came: send the whole state")
		}
		out = append(append(out, text[at:from]...), e.NewText...)
		at = to
		if int64(len(out)) > limit {
			return nil, backend.Fail(backend.CodeTooLarge, "the delta makes a state larger than %d MiB", limit>>20)
		}
	}
	return append(out, text[at:]...), nil
}
