package audit

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// maskedText stands for a secret in what was exported without them.
const maskedText = "[secret]"

// reader makes properties of a state's JSON, and learns the secrets in it.
type reader struct{ secrets *[]string }

func (d reader) properties(raw map[string]any) (resource.PropertyMap, error) {
	out := make(resource.PropertyMap, len(raw))
	for key, v := range raw {
		p, err := d.property(v, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out[resource.PropertyKey(key)] = p
	}
	return out, nil
}

// property reads one value. Texts of a secret are learned.
func (d reader) property(raw any, secret bool) (resource.PropertyValue, error) {
	switch v := raw.(type) {
	case map[string]any:
		return d.object(v, secret)
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			p, err := d.property(e, secret)
			if err != nil {
				return resource.PropertyValue{}, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = p
		}
		return resource.NewArrayProperty(out), nil
	case string:
		switch v {
		case plugin.UnknownStringValue:
			return unknown(), nil
		case maskedText:
			return resource.MakeSecret(unknown()), nil
		}
		if secret {
			*d.secrets = append(*d.secrets, v)
		}
		return resource.NewStringProperty(v), nil
	default: // null, a truth value, a number
		return resource.NewPropertyValue(v), nil
	}
}

func unknown() resource.PropertyValue { return resource.MakeComputed(resource.NewStringProperty("")) }

// object reads what stands in braces: an object, or a value in an envelope.
func (d reader) object(v map[string]any, secret bool) (resource.PropertyValue, error) {
	sig, _ := v[resource.SigKey].(string)
	switch sig {
	case resource.SecretSig:
		return d.secret(v)
	case resource.ResourceReferenceSig:
		id, _ := v["id"].(string)
		return resource.NewStringProperty(id), nil
	}
	out := make(resource.PropertyMap, len(v))
	for key, e := range v {
		// An asset's envelope becomes an object: no rule reads what is in a file.
		if key == resource.SigKey {
			continue
		}
		p, err := d.property(e, secret)
		if err != nil {
			return resource.PropertyValue{}, fmt.Errorf("%s: %w", key, err)
		}
		out[resource.PropertyKey(key)] = p
	}
	return resource.NewObjectProperty(out), nil
}

// secret reads the envelope of a secret. An encrypted value is unknown: that it is
// secret is all that can be judged.
func (d reader) secret(v map[string]any) (resource.PropertyValue, error) {
	element := unknown()
	if text, plain := v["plaintext"].(string); plain {
		var raw any
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			return element, errors.New("the plain text of a secret is no JSON: export the state anew")
		}
		var err error
		if element, err = d.property(raw, true); err != nil {
			return element, err
		}
	}
	return resource.MakeSecret(element), nil
}
