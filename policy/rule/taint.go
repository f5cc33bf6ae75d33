package rule

// Secrets returns the values in v that are marked secret, the outermost ones:
// v itself, or what stands in its blocks and lists, by the names' order.
func (v Value) Secrets() []Value {
	v.read()
	switch {
	case v.secret:
		return []Value{v}
	case v.v.IsObject():
		var out []Value
		for _, key := range v.v.ObjectValue().StableKeys() {
			out = append(out, v.field(string(key)).Secrets()...)
		}
		return out
	case v.v.IsArray():
		var out []Value
		for _, e := range v.Items() {
			out = append(out, e.Secrets()...)
		}
		return out
	default:
		return nil
	}
}
