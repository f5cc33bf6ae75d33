package rehearsal

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// encodeMap writes a property map for the account's file. Secrets are left out
// but for the mark that there is one.
func encodeMap(m resource.PropertyMap) (json.RawMessage, error) {
	bare, err := bareMap(m)
	if err != nil {
		return nil, err
	}
	return json.Marshal(bare)
}

func bareMap(m resource.PropertyMap) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		b, err := bare(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[string(k)] = b
	}
	return out, nil
}

func bare(v resource.PropertyValue) (any, error) {
	switch {
	case v.IsSecret():
		return map[string]any{resource.SigKey: resource.SecretSig}, nil
	case v.IsObject():
		return bareMap(v.ObjectValue())
	case v.IsArray():
		out := make([]any, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			b, err := bare(e)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = b
		}
		return out, nil
	case v.IsAsset():
		return v.AssetValue().Serialize(), nil
	case v.IsArchive():
		return v.ArchiveValue().Serialize(), nil
	case v.IsNull(), v.IsBool(), v.IsNumber(), v.IsString():
		return v.V, nil
	}
	return nil, fmt.Errorf("a value of the kind %s cannot be kept", v.TypeString())
}

// decodeMap is the inverse of encodeMap; secrets come back hidden.
func decodeMap(text json.RawMessage) (resource.PropertyMap, error) {
	if len(text) == 0 {
		return resource.PropertyMap{}, nil
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	v, err := dressed(raw)
	if err != nil {
		return nil, err
	}
	return v.ObjectValue(), nil
}

func dressed(v any) (resource.PropertyValue, error) {
	none := resource.PropertyValue{}
	switch v := v.(type) {
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			d, err := dressed(e)
			if err != nil {
				return none, err
			}
			out[i] = d
		}
		return resource.NewProperty(out), nil
	case map[string]any:
		switch v[resource.SigKey] {
		case nil:
		case resource.SecretSig:
			return resource.MakeSecret(resource.NewNullProperty()), nil
		case resource.AssetSig:
			a, _, err := resource.DeserializeAsset(v)
			return resource.NewProperty(a), err
		case resource.ArchiveSig:
			a, _, err := resource.DeserializeArchive(v)
			return resource.NewProperty(a), err
		default:
			return none, fmt.Errorf("unknown signature %v", v[resource.SigKey])
		}
		out := make(resource.PropertyMap, len(v))
		for k, e := range v {
			d, err := dressed(e)
			if err != nil {
				return none, err
			}
			out[resource.PropertyKey(k)] = d
		}
		return resource.NewProperty(out), nil
	}
	return resource.NewPropertyValue(v), nil
}
