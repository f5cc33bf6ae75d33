package rule

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// SetInList returns a remediation that sets the property at a dotted path in
// those elements of a top-level list that want it. It refuses where the list or
// such an element is not known, and where no element wants it.
func SetInList(list, path string, value any, wants func(Value) bool) func(*Resource, Params) (resource.PropertyMap, bool) {
	return func(r *Resource, _ Params) (resource.PropertyMap, bool) {
		old := r.Inputs[resource.PropertyKey(list)]
		if !old.IsArray() {
			return nil, false
		}
		items, changed := append([]resource.PropertyValue(nil), old.ArrayValue()...), false
		for i, view := range r.Get(list).Items() {
			if !wants(view) {
				continue
			}
			if !items[i].IsObject() {
				return nil, false
			}
			block, ok := set(items[i].ObjectValue(), strings.Split(path, "."), resource.NewPropertyValue(value))
			if !ok {
				return nil, false
			}
			items[i], changed = resource.NewObjectProperty(block), true
		}
		out := r.Inputs.Copy()
		out[resource.PropertyKey(list)] = resource.NewArrayProperty(items)
		return out, changed
	}
}
