package rule

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// SetTo returns a remediation that sets the property at a dotted path. It keeps
// everything else, secrets and unknown values too, and refuses where it would
// have to overwrite something that is not known: an unknown block on the way,
// or an unknown value at the end.
func SetTo(path string, value any) func(*Resource, Params) (resource.PropertyMap, bool) {
	return SetWith(path, func(Params) any { return value })
}

// SetWith is SetTo with a value that depends on the rule's parameters.
func SetWith(path string, value func(Params) any) func(*Resource, Params) (resource.PropertyMap, bool) {
	return func(r *Resource, p Params) (resource.PropertyMap, bool) {
		return set(r.Inputs, strings.Split(path, "."), resource.NewPropertyValue(value(p)))
	}
}

func set(m resource.PropertyMap, path []string, value resource.PropertyValue) (resource.PropertyMap, bool) {
	key := resource.PropertyKey(path[0])
	old := m[key]
	if old.IsComputed() || old.IsOutput() {
		return nil, false
	}
	if len(path) > 1 {
		if old.IsSecret() || !old.IsNull() && !old.IsObject() {
			return nil, false
		}
		block := resource.PropertyMap{}
		if old.IsObject() {
			block = old.ObjectValue()
		}
		inner, ok := set(block, path[1:], value)
		if !ok {
			return nil, false
		}
		value = resource.NewObjectProperty(inner)
	} else if old.IsSecret() {
		value = resource.MakeSecret(value)
	}
	out := m.Copy()
	out[key] = value
	return out, true
}
