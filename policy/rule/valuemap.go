package rule

// named returns the property of that name, and for * every property.
func (v Value) named(key string) []Value {
	switch {
	case key != "*":
		return []Value{v.field(key)}
	case v.Unknown():
		return []Value{{v.v, v.path + ".*", v.secret}}
	case !v.v.IsObject():
		return nil
	}
	object := v.v.ObjectValue()
	out := make([]Value, 0, len(object))
	for _, k := range object.StableKeys() {
		out = append(out, newValue(object[k], v.path+"."+string(k), v.secret))
	}
	return out
}
