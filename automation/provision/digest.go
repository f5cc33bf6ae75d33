package provision

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"
)

// PlanDigest is what an approval is bound to: "sha256:" and the digest of the
// blueprint, the packs, the inputs, the state and the changes. Of secret inputs
// the fingerprints count, since each sealing is another text. The order of changes
// and packs does not matter.
func PlanDigest(o Operation, p Plan) (string, error) {
	inputs, err := plainInputs(o.Inputs)
	if err != nil {
		return "", err
	}
	packs := slices.Clone(p.PackDigests)
	slices.SortFunc(packs, func(a, b Pack) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest))
	})
	return canonicalDigest(map[string]any{
		"kind": o.Kind, "stack": o.StackID,
		"blueprint": o.Blueprint, "packs": packs, "inputs": inputs,
		"refresh": o.Options.Refresh, "remove_stack": o.Options.RemoveStack,
		"state_version": fmt.Sprint(p.StateVersion), // a number of JCS is a float
		"changes":       normalised(p.Changes),
	})
}

// ChangeDigest is over the normalised changes alone.
func ChangeDigest(changes []Change) (string, error) { return canonicalDigest(normalised(changes)) }

// normalised are changes in an order that does not depend on the engine's: sorted,
// and their properties sorted. What stays as it is is left out.
func normalised(changes []Change) []Change {
	out := make([]Change, 0, len(changes))
	for _, c := range changes {
		if c.Op == "same" {
			continue
		}
		c.Properties = slices.Clone(c.Properties)
		slices.Sort(c.Properties)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(
			cmp.Compare(a.URN, b.URN), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Type, b.Type),
			slices.Compare(a.Properties, b.Properties), cmp.Compare(a.Inputs, b.Inputs),
		)
	})
	return out
}

// plainInputs are inputs such that two that mean the same are the same: of sealed
// values the fingerprint, and numbers as they were written, since JCS knows
// floating point alone, in which 9007199254740993 is 9007199254740992.
func plainInputs(inputs json.RawMessage) (any, error) {
	if len(inputs) == 0 {
		return nil, nil //nolint:nilnil // no inputs are null
	}
	d := json.NewDecoder(bytes.NewReader(inputs))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // bare by contract
		return nil, fmt.Errorf("inputs go on after their end")
	}
	return plainest(v), nil
}

func plainest(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s, ok := sealedOf(v); ok {
			return map[string]any{"$fingerprint": s.Fingerprint}
		}
		out := make(map[string]any, len(v))
		for k, of := range v {
			if strings.HasPrefix(k, "$") {
				k = "$" + k // so that it is none of ours
			}
			out[k] = plainest(of)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, of := range v {
			out[i] = plainest(of)
		}
		return out
	case json.Number:
		return map[string]any{"$number": v.String()}
	}
	return v
}

func canonicalDigest(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	if text, err = jcs.Transform(text); err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
