package rehearsal

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// plain is v without the wrappers that say it is secret or an output. What is
// not known, at any depth of the wrapping, is a computed value.
func plain(v resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case v.IsSecret():
			v = v.SecretValue().Element
		case v.IsOutput():
			if o := v.OutputValue(); o.Known {
				v = o.Element
			} else {
				return resource.MakeComputed(resource.NewProperty(""))
			}
		default:
			return v
		}
	}
}

// plainDeep is plain at every depth.
func plainDeep(v resource.PropertyValue) resource.PropertyValue {
	v = plain(v)
	switch {
	case v.IsArray():
		out := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = plainDeep(e)
		}
		return resource.NewProperty(out)
	case v.IsObject():
		return resource.NewProperty(plainMap(v.ObjectValue()))
	}
	return v
}

func plainMap(m resource.PropertyMap) resource.PropertyMap {
	out := make(resource.PropertyMap, len(m))
	for k, v := range m {
		out[k] = plainDeep(v)
	}
	return out
}

// cloneMap copies a property map at every depth.
func cloneMap(m resource.PropertyMap) resource.PropertyMap {
	if m == nil {
		return nil
	}
	out := make(resource.PropertyMap, len(m))
	for k, v := range m {
		out[k] = clone(v)
	}
	return out
}

func clone(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsArray():
		out := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = clone(e)
		}
		return resource.NewProperty(out)
	case v.IsObject():
		return resource.NewProperty(cloneMap(v.ObjectValue()))
	case v.IsSecret():
		return resource.MakeSecret(clone(v.SecretValue().Element))
	}
	return v
}

// valuesAt is every value at a path such as "vpcConfig.subnetIds[*]". A segment
// that ends in "[*]" stands for every element of a list, or every value of a
// map. Missing values are left out; values that are not known come back as
// computed values.
func valuesAt(m resource.PropertyMap, path string) []resource.PropertyValue {
	var out []resource.PropertyValue
	descend(resource.NewProperty(m), path, &out)
	return out
}

func descend(v resource.PropertyValue, path string, out *[]resource.PropertyValue) {
	v = plain(v)
	if path == "" || v.IsComputed() {
		if !v.IsNull() {
			*out = append(*out, v)
		}
		return
	}
	if !v.IsObject() {
		return
	}
	segment, rest, _ := strings.Cut(path, ".")
	name, all := strings.CutSuffix(segment, "[*]")
	next, ok := v.ObjectValue()[resource.PropertyKey(name)]
	if !ok {
		return
	}
	if !all {
		descend(next, rest, out)
		return
	}
	next = plain(next)
	switch {
	case next.IsArray():
		for _, e := range next.ArrayValue() {
			descend(e, rest, out)
		}
	case next.IsObject():
		for _, k := range next.ObjectValue().StableKeys() {
			descend(next.ObjectValue()[k], rest, out)
		}
	case next.IsComputed():
		*out = append(*out, next)
	}
}

// stringsAt is the known, non-empty strings at a path.
func stringsAt(m resource.PropertyMap, path string) []string {
	var out []string
	for _, v := range valuesAt(m, path) {
		if v.IsString() && v.StringValue() != "" {
			out = append(out, v.StringValue())
		}
	}
	return out
}

// value turns a Go literal of the tables into a property value.
func value(v any) resource.PropertyValue {
	switch v := v.(type) {
	case props:
		out := make(resource.PropertyMap, len(v))
		for k, e := range v {
			out[resource.PropertyKey(k)] = value(e)
		}
		return resource.NewProperty(out)
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			out[i] = value(e)
		}
		return resource.NewProperty(out)
	case resource.PropertyValue:
		return v
	}
	return resource.NewPropertyValue(v)
}

// numberAt is the known number at a path.
func numberAt(m resource.PropertyMap, path string) (float64, bool) {
	for _, v := range valuesAt(m, path) {
		if v.IsNumber() {
			return v.NumberValue(), true
		}
	}
	return 0, false
}
