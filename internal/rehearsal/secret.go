package rehearsal

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// hidden stands in the account's file, and in the account that is read from it,
// for a secret value: the stack's state keeps secrets, encrypted, and the account
// needs none of them.
func hidden(v resource.PropertyValue) bool {
	return v.IsSecret() && v.SecretValue().Element.IsNull()
}

// revealMap is live with its hidden values taken from what the stack knows.
func revealMap(live, known resource.PropertyMap) resource.PropertyMap {
	out := make(resource.PropertyMap, len(live))
	for k, v := range live {
		out[k] = reveal(v, known[k])
	}
	return out
}

func reveal(live, known resource.PropertyValue) resource.PropertyValue {
	switch {
	case hidden(live):
		if !known.IsSecret() && !known.IsNull() {
			return resource.MakeSecret(known)
		}
		if known.IsSecret() {
			return known
		}
		return live
	case live.IsArray():
		out := make([]resource.PropertyValue, len(live.ArrayValue()))
		for i, e := range live.ArrayValue() {
			var k resource.PropertyValue
			if p := plain(known); p.IsArray() && i < len(p.ArrayValue()) {
				k = p.ArrayValue()[i]
			}
			out[i] = reveal(e, k)
		}
		return resource.NewProperty(out)
	case live.IsObject():
		var k resource.PropertyMap
		if p := plain(known); p.IsObject() {
			k = p.ObjectValue()
		}
		return resource.NewProperty(revealMap(live.ObjectValue(), k))
	}
	return clone(live)
}
