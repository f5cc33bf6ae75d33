package filterpattern

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPattern compiles any text and matches any event: neither panics, an event
// is matched the same way each time, and what is refused says why.
func FuzzPattern(f *testing.F) {
	f.Add(`{ ($.eventName = "a*") && ($.x NOT EXISTS || $.n >= 3.5) }`, `{"eventName":"abc","n":4}`)
	f.Add(`{$.a[0].b IS NULL}`, `{"a":[{"b":null}]}`)
	f.Add(`?ERROR -"x y" term`, `{"message":"ERROR term"}`)
	f.Add(`[ip, user, ..., status=4*]`, `{}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		p, err := Compile(pattern)
		if err != nil {
			require.NotEmpty(t, strings.TrimSpace(err.Error()))
			return
		}
		d := json.NewDecoder(strings.NewReader(event))
		d.UseNumber()
		var fields map[string]any
		if d.Decode(&fields) != nil {
			return
		}
		require.Equal(t, p.Matches(fields), p.Matches(fields))
	})
}
