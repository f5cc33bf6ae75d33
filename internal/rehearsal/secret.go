package rehearsal

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// hidden stands in the account's file, and in the account that is read from it,
// for a secret value: the stack's state keeps secrets, encrypted, and the account
// needs none of them.
func hidden(v resource.PropertyValue) bool {
	return v.IsSecret() && v.SecretValue().Element.IsNull()
}

// hush takes the values of secret inputs out of a text for people.
func (c *call) hush(message string) string {
	for _, s := range secretTexts(resource.NewProperty(c.in), false) {
		message = strings.ReplaceAll(message, s, "[secret]")
	}
	return message
}

// secretTexts is every text within a secret.
func secretTexts(v resource.PropertyValue, secret bool) []string {
	var out []string
	switch {
	case v.IsSecret():
		return secretTexts(v.SecretValue().Element, true)
	case v.IsOutput():
		return secretTexts(v.OutputValue().Element, secret || v.OutputValue().Secret)
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			out = append(out, secretTexts(e, secret)...)
		}
	case v.IsObject():
		for _, k := range v.ObjectValue().StableKeys() {
			out = append(out, secretTexts(v.ObjectValue()[k], secret)...)
		}
	case v.IsString() && secret && v.StringValue() != "":
		out = append(out, v.StringValue())
	}
	return out
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
