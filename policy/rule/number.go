package rule

import "strconv"

// Number returns a known number. A string that is one counts.
func (v Value) Number() (n float64, ok bool) {
	if v.read().IsNumber() {
		return v.v.NumberValue(), true
	}
	if s, isStr := v.Str(); isStr {
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil
	}
	return 0, false
}
