package rule

import (
	"encoding/json"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// JSON reads a known text as JSON, for properties that take in one text what
// others spell as blocks. rename gives a field the name that the block has, so
// that one check reads both. A secret stays one. The error has nothing of the
// text.
func (v Value) JSON(rename func(field string) string) (Value, error) {
	text, ok := v.Str()
	if !ok {
		return Value{}, errors.New("it is not a text")
	}
	var raw any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return Value{}, errors.New("it is not JSON")
	}
	return Value{v: resource.NewPropertyValue(renamed(raw, rename)), path: v.path, secret: v.secret}, nil
}

func renamed(raw any, rename func(string) string) any {
	switch raw := raw.(type) {
	case map[string]any:
		out := make(map[string]any, len(raw))
		for field, e := range raw {
			out[rename(field)] = renamed(e, rename)
		}
		return out
	case []any:
		out := make([]any, len(raw))
		for i, e := range raw {
			out[i] = renamed(e, rename)
		}
		return out
	default:
		return raw
	}
}
