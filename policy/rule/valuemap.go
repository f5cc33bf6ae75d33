package rule

// named returns the property of that name, and for * every property.
func (v Value) named(key string) []Value {
	switch {
	case key != "*":
		return []Value{v.field(key)}
	case v.Unknown():
		return []Value{v.child(v.v, v.path+".*")}
	case !v.v.IsObject():
		return nil
	}
	object := v.v.ObjectValue()
	out := make([]Value, 0, len(object))
	for _, k := range object.StableKeys() {
		out = append(out, v.child(object[k], v.path+"."+string(k)))
	}
	return out
}
