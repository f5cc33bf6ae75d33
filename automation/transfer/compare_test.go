package transfer

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// stateOf makes a state of resources' fields.
func stateOf(t *testing.T, format string, args ...any) *state {
	t.Helper()
	s, err := parseState(fmt.Appendf(nil, format, args...))
	require.NoError(t, err)
	return s
}

const secretFields = `"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"`

func TestCompare(t *testing.T) {
	t.Parallel()
	const one = `{"version":3,"deployment":{"manifest":{"time":"%s","magic":"x","version":"v3"},"resources":[{"urn":"u","inputs":{"a":%s}}]}}`
	for name, c := range map[string]struct {
		a, b string
		want string
	}{
		"same":                              {`1`, `1`, ""},
		"numbers are equal however written": {`1.50`, `15e-1`, ""},
		"digits beyond a float":             {`9007199254740993`, `9007199254740992`, "u: inputs.a: different"},
		"a huge exponent":                   {`1e999999999`, `1`, "u: inputs.a: different"},
		"null is not nothing":               {`{"x":null}`, `{}`, "u: inputs.a.x: only in the source"},
		"more":                              {`{}`, `{"x":1}`, "u: inputs.a.x: only in the target"},
		"lists":                             {`[1,2]`, `[2,1]`, "u: inputs.a[0]: different;u: inputs.a[1]: different"},
		"list and object":                   {`[]`, `{}`, "u: inputs.a: different"},
		"text and number":                   {`"1"`, `1`, "u: inputs.a: different"},
		"secrets are equal by value":        {`{` + secretFields + `,"plaintext":"{\"a\":1,\"b\":2}"}`, `{` + secretFields + `,"plaintext":"{ \"b\":2.0,\"a\":1}"}`, ""},
		"other secrets":                     {`{` + secretFields + `,"plaintext":"{\"k\":1}"}`, `{` + secretFields + `,"plaintext":"{\"k\":2}"}`, "u: inputs.a: different secret"},
		"a secret that nobody decrypted":    {`{` + secretFields + `,"ciphertext":"x"}`, `{` + secretFields + `,"ciphertext":"x"}`, "u: inputs.a: different secret"},
		"secret and not":                    {`{` + secretFields + `,"plaintext":"1"}`, `{"plaintext":"1"}`, "u: inputs.a: secret on one side only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for i, d := range compare(stateOf(t, one, "2024-01-01T00:00:00Z", c.a), stateOf(t, one, "2025-01-01T00:00:00Z", c.b)) {
				if i > 0 {
					got += ";"
				}
				got += d.String()
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestCompareResources(t *testing.T) {
	t.Parallel()
	const state = `{"version":3,"deployment":{"resources":[%s],"pending_operations":[%s]}}`
	plain := stateOf(t, state, `{"urn":"a"},{"urn":"b","parent":"a"}`, ``)
	require.Empty(t, compare(plain, stateOf(t, state, `{"urn":"a","protect":false,"dependencies":[],"propertyDependencies":{"x":null}},{"urn":"b","parent":"a","outputs":{}}`, ``)),
		"fields that say nothing")
	require.Equal(t, []Difference{{URN: "a", Path: "resource", What: "at another place in the order"}},
		compare(plain, stateOf(t, state, `{"urn":"b","parent":"a"},{"urn":"a"}`, ``)))
	require.Equal(t, []Difference{{URN: "b", Path: "resource", What: onlySource}, {URN: "c", Path: "resource", What: onlyTarget}},
		compare(plain, stateOf(t, state, `{"urn":"a"},{"urn":"c","parent":"a"}`, ``)))
	require.Equal(t, []Difference{{URN: "c creating", Path: "pending operation", What: onlyTarget}},
		compare(plain, stateOf(t, state, `{"urn":"a"},{"urn":"b","parent":"a"}`, `{"type":"creating","resource":{"urn":"c"}}`)))
}

// What the CLI does not understand stays: only secrets are taken from its answer.
func TestReveal(t *testing.T) {
	t.Parallel()
	stored := stateOf(t, `{"version":4,"deployment":{"resources":[{"urn":"a","unknown":[9007199254740993],"outputs":{"p":[{%s,"ciphertext":"c"}]}}]}}`, secretFields)
	shown := stateOf(t, `{"version":3,"deployment":{"resources":[{"urn":"a","outputs":{"p":[{%s,"plaintext":"\"v\""}]}}]}}`, secretFields)
	require.NoError(t, reveal(stored.doc, shown.doc, "state"))
	text, err := encode(stored.doc)
	require.NoError(t, err)
	require.JSONEq(t, `{"version":4,"deployment":{"resources":[{"urn":"a","unknown":[9007199254740993],"outputs":{"p":[{`+secretFields+`,"plaintext":"\"v\""}]}}]}}`, string(text))
	require.Contains(t, string(text), "9007199254740993")

	stored = stateOf(t, `{"version":3,"deployment":{"resources":[{"outputs":{"p":{%s,"ciphertext":"c"}}}]}}`, secretFields)
	require.ErrorContains(t, reveal(stored.doc, object{}, "state"), "state.deployment.resources[0].outputs.p")
}

func FuzzCompare(f *testing.F) {
	f.Add(`{"version":3,"deployment":{"resources":[{"urn":"u","inputs":{"a":1}}]}}`)
	f.Add(`{"deployment":{"resources":[{` + secretFields + `,"plaintext":"{"}],"pending_operations":[1,null]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseState([]byte(text))
		if err != nil {
			return
		}
		encrypted := false
		eachSecret(s.doc, func(o object) {
			_, readable := o["plaintext"].(string)
			encrypted = encrypted || !readable
		})
		if found := compare(s, s); !encrypted && len(found) > 0 {
			t.Fatalf("a state differs from itself: %v", found)
		}
	})
}
