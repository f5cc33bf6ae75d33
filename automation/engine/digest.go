package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
)

// inputsDigest is "sha256:" and the digest of what a step gives its resource, as two
// runs of one program would: empty where it gives nothing. Secrets are masked in the
// engine's events, so their values do not count, and neither does what the provider
// filled in, which may be a random name, nor where a file lies whose content counts.
func inputsDigest(m apitype.StepEventMetadata) string {
	if m.New == nil || len(m.New.Inputs) == 0 {
		return ""
	}
	text, err := json.Marshal(settled(m.New.Inputs)) // sorts keys
	if err != nil {
		return "" // what came as JSON can be JSON
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// defaultsKey lists the properties of an object that a bridged provider filled in.
const defaultsKey = "__defaults"

// settled is a value without what may differ between two runs of one program.
func settled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return settledObject(v)
	case []any:
		out := make([]any, len(v))
		for i, of := range v {
			out[i] = settled(of)
		}
		return out
	}
	return v
}

func settledObject(object map[string]any) map[string]any {
	out := maps.Clone(object)
	if kind := object[sig.Key]; kind == sig.AssetSig || kind == sig.ArchiveSig {
		if hash, ok := object["hash"].(string); ok && hash != "" {
			return map[string]any{sig.Key: kind, "hash": hash}
		}
	}
	filled, _ := object[defaultsKey].([]any)
	for _, name := range filled {
		if name, ok := name.(string); ok {
			delete(out, name)
		}
	}
	delete(out, defaultsKey)
	for name, of := range out {
		out[name] = settled(of)
	}
	return out
}
