package eventpattern_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/eventpattern"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, pattern   string
		matches, misses []string
	}{
		{
			"values are alternatives, fields are conditions", `{"a":["x","y"],"b":[1]}`,
			[]string{`{"a":"x","b":1}`, `{"a":"y","b":1.0,"c":true}`, `{"a":["z","y"],"b":1}`},
			[]string{`{"a":"x"}`, `{"a":"z","b":1}`, `{"a":"x","b":"1"}`, `{}`},
		},
		{
			"null, true and the empty string", `{"a":[null,true,""]}`,
			[]string{`{"a":null}`, `{"a":true}`, `{"a":""}`},
			[]string{`{"a":false}`, `{}`, `{"a":"null"}`},
		},
		{"nested fields", `{"a":{"b":["x"]}}`, []string{`{"a":{"b":"x"}}`, `{"a":[{"b":"y"},{"b":"x"}]}`}, []string{`{"a":"x"}`, `{"b":"x"}`}},
		{
			"a list of objects matches by one of them", `{"a":{"b":[1],"c":[2]}}`,
			[]string{`{"a":[{"b":1,"c":2}]}`},
			[]string{`{"a":[{"b":1},{"c":2}]}`},
		},
		{"prefix", `{"a":[{"prefix":"Create"}]}`, []string{`{"a":"CreateUser"}`}, []string{`{"a":"create"}`, `{"a":"ReCreate"}`, `{"a":1}`}},
		{"prefix in any case", `{"a":[{"prefix":{"equals-ignore-case":"cre"}}]}`, []string{`{"a":"CREATE"}`}, []string{`{"a":"xcre"}`}},
		{"suffix", `{"a":[{"suffix":".png"}]}`, []string{`{"a":"a.png"}`}, []string{`{"a":"a.png.exe"}`}},
		{"equals-ignore-case", `{"a":[{"equals-ignore-case":"Root"}]}`, []string{`{"a":"ROOT"}`}, []string{`{"a":"roots"}`}},
		{"wildcard", `{"a":[{"wildcard":"arn:*:role/*-admin"}]}`, []string{`{"a":"arn:aws:iam::1:role/x-admin"}`}, []string{`{"a":"arn:aws:iam::1:role/x-admins"}`, `{"a":"role/x-admin"}`}},
		{"wildcard with a literal star", `{"a":[{"wildcard":"a\\*b"}]}`, []string{`{"a":"a*b"}`}, []string{`{"a":"axb"}`}},
		{"anything-but a value", `{"a":[{"anything-but":"x"}]}`, []string{`{"a":"y"}`, `{"a":1}`}, []string{`{"a":"x"}`, `{}`}},
		{"anything-but a list", `{"a":[{"anything-but":["x","y"]}]}`, []string{`{"a":"z"}`}, []string{`{"a":"y"}`, `{}`}},
		{"anything-but a prefix", `{"a":[{"anything-but":{"prefix":"us-"}}]}`, []string{`{"a":"eu-west-1"}`}, []string{`{"a":"us-east-1"}`}},
		{
			"anything-but, or not there", `{"a":{"b":[{"anything-but":["x"]},{"exists":false}]}}`,
			[]string{`{"a":{"b":"y"}}`, `{"a":{}}`, `{}`},
			[]string{`{"a":{"b":"x"}}`},
		},
		{"a numeric range", `{"a":[{"numeric":[">=",4,"<",7]}]}`, []string{`{"a":4}`, `{"a":6.9}`}, []string{`{"a":3.9}`, `{"a":7}`, `{"a":"5"}`, `{}`}},
		{"exists", `{"a":{"b":[{"exists":true}]}}`, []string{`{"a":{"b":null}}`, `{"a":{"b":[]}}`}, []string{`{"a":{}}`, `{"a":{"b":{"c":1}}}`}},
		{"does not exist", `{"a":[{"exists":false}]}`, []string{`{}`, `{"a":{"b":1}}`}, []string{`{"a":""}`}},
		{"cidr", `{"a":[{"cidr":"10.0.0.0/24"},{"cidr":"2001:db8::/32"}]}`, []string{`{"a":"10.0.0.255"}`, `{"a":"2001:db8::1"}`}, []string{`{"a":"10.0.1.0"}`, `{"a":"x"}`}},
		{"$or", `{"s":["x"],"$or":[{"a":[1]},{"b":{"c":[2]}}]}`, []string{`{"s":"x","a":1}`, `{"s":"x","b":{"c":2}}`}, []string{`{"s":"x","a":2}`, `{"a":1}`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, err := eventpattern.Compile([]byte(row.pattern))
			require.NoError(t, err)
			check := func(events []string, want bool) {
				for _, event := range events {
					got, err := p.Matches([]byte(event))
					require.NoError(t, err)
					require.Equal(t, want, got, event)
				}
			}
			check(row.matches, true)
			check(row.misses, false)
		})
	}
}

func TestCompileReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		`{`:                                 {"not JSON"},
		`{} {}`:                             {"more than one"},
		`[]`:                                {"not an object"},
		`{}`:                                {"not an object with fields"},
		`{"a":"x","b":{"c":[]},"d":{}}`:     {"a: a value outside a list", "b.c: an empty list", "d: an empty object"},
		`{"a":[["x"]]}`:                     {"a[0]: a list in a list"},
		`{"a":[{"prefixes":"x"}]}`:          {`a[0]: "prefixes" is not an operator`},
		`{"a":[{"prefix":"x","exists":1}]}`: {"2 operators in one object"},
		`{"a":[{"prefix":""}]}`:             {"a[0]: prefix or suffix of"},
		`{"a":[{"exists":"no"}]}`:           {"a[0]: exists of no (true or false)"},
		`{"a":[{"numeric":[">"]}]}`:         {"a[0]: numeric without"},
		`{"a":[{"numeric":["~",1]}]}`:       {"a[0]: numeric ~ 1"},
		`{"a":[{"numeric":[">",6e9]}]}`:     {"between -5e9 and 5e9"},
		`{"a":[{"cidr":"10.0.0.0"}]}`:       {"a[0]: cidr of 10.0.0.0"},
		`{"a":[{"anything-but":[]}]}`:       {"a[0]: anything-but nothing"},
		`{"a":[{"anything-but":{"exists":false}}]}`:   {"anything-but of exists"},
		`{"a":[{"anything-but":[{"prefix":"x"}]}]}`:   {"an operator in a list of anything-but"},
		`{"a":[{"wildcard":"a**"}]}`:                  {"two stars in a row"},
		`{"$or":[{"a":["x"]}]}`:                       {"$or: 1 alternatives"},
		`{"$or":[{"a":["x"]},1]}`:                     {"$or[1]: not an object"},
		`{"a":["` + strings.Repeat("x", 2048) + `"]}`: {"EventBridge takes 2048"},
	} {
		t.Run(pattern[:min(len(pattern), 30)], func(t *testing.T) {
			t.Parallel()
			_, err := eventpattern.Compile([]byte(pattern))
			for _, w := range want {
				require.ErrorContains(t, err, w)
			}
		})
	}
}

func TestMatchesRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	p, err := eventpattern.Compile([]byte(`{"a":["x"]}`))
	require.NoError(t, err)
	_, err = p.Matches([]byte(`["x"]`))
	require.ErrorContains(t, err, "event: not a JSON object")
}
