package eventpattern

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPattern compiles any text and matches any event: neither panics, an event
// is matched the same way each time, and what is refused says why.
func FuzzPattern(f *testing.F) {
	f.Add(`{"source":["aws.s3"]}`, `{"source":"aws.s3"}`)
	f.Add(`{"a":{"b":[{"numeric":[">",0,"<=",5]},{"anything-but":["x"]}]},"$or":[{"c":[null]},{"d":[{"exists":false}]}]}`, `{"a":{"b":[1,2]},"c":null}`)
	f.Add(`{"a":[{"cidr":"10.0.0.0/8"},{"wildcard":"a*b*c"},{"prefix":{"equals-ignore-case":"x"}}]}`, `{"a":["10.1.2.3","abc"]}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		p, err := Compile([]byte(pattern))
		if err != nil {
			require.NotEmpty(t, strings.TrimSpace(err.Error()))
			return
		}
		first, err := p.Matches([]byte(event))
		again, errAgain := p.Matches([]byte(event))
		require.Equal(t, err == nil, errAgain == nil)
		require.Equal(t, first, again)
	})
}
