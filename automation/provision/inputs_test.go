package provision_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

func TestCheckInputs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of       provision.Blueprint
		inputs   string
		want     string
		pointers []string
	}{
		"none":                    {bucket(), ``, "", []string{"/inputs/name"}},
		"an empty object":         {bucket(), `{}`, "", []string{"/inputs/name"}},
		"no object":               {bucket(), `[]`, "", []string{"/inputs"}},
		"null":                    {bucket(), `null`, "", []string{"/inputs"}},
		"no JSON":                 {bucket(), `{"name":`, "", []string{"/inputs"}},
		"two documents":           {bucket(), `{"name":"a"}{}`, "", []string{"/inputs"}},
		"the last of two":         {bucket(), `{"name":"a","name":"b"}`, `{"name":"b"}`, nil},
		"everything":              {bucket(), `{"size":0,"owner":"nobody","colour":"red"}`, "", []string{"/inputs/name", "/inputs/size", "/inputs/owner", "/inputs/colour"}},
		"a number as it is":       {bucket(), `{"name":"a","size":9007199254740993}`, `{"name":"a","size":9007199254740993}`, nil},
		"a key with a slash":      {bucket(), `{"name":"a","a/b~c":1}`, "", []string{"/inputs/a~1b~0c"}},
		"defaults":                {box(), `{"password":"hunter22"}`, `{"password":"hunter22","size":7}`, nil},
		"beyond the schema":       {box(), `{"password":"hunter22","size":13}`, "", []string{"/inputs/size"}},
		"in a list":               {box(), `{"password":"hunter22","users":[{},{"pin":"x"},{"nick":"y"}]}`, "", []string{"/inputs/users/1/pin", "/inputs/users/2/nick"}},
		"a mark of the service's": {bucket(), `{"name":{"$sealed":"x"}}`, "", []string{"/inputs/name", "/inputs/name"}},
		"too large":               {bucket(), `{"name":"` + strings.Repeat("a", 300<<10) + `"}`, "", []string{"/inputs"}},
		"a schema nobody can read": {
			provision.Blueprint{Schema: json.RawMessage(`{"type":"shape"}`)}, `{}`, "", []string{"/blueprint"},
		},
		"no schema": {provision.Blueprint{}, `{"a":1}`, `{"a":1}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, findings := provision.CheckInputs(c.of, []byte(c.inputs))
			var pointers []string
			for _, f := range findings {
				pointers = append(pointers, f.Pointer)
			}
			require.ElementsMatch(t, c.pointers, pointers, "%v", findings)
			if c.want != "" {
				require.JSONEq(t, c.want, string(got))
				require.Equal(t, strings.Contains(c.want, "9007199254740993"), strings.Contains(string(got), "9007199254740993"))
			}
		})
	}
}

// FuzzCheckInputs: whatever comes, there is an answer, and it does not quote what
// is secret.
func FuzzCheckInputs(f *testing.F) {
	for _, seed := range []string{
		`{"password":"hunter22"}`, `{"password":"a b","users":[{"pin":1e9}]}`, `{"users":{"pin":{"$sealed":"","$fingerprint":""}}}`, `[[[[`, `{"password":"\u0000"}`,
	} {
		f.Add(seed)
	}
	const secret = "quite secret words"
	f.Fuzz(func(t *testing.T, inputs string) {
		inputs = strings.ReplaceAll(inputs, "a b", secret)
		complete, findings := provision.CheckInputs(box(), []byte(inputs))
		if len(findings) == 0 && !json.Valid(complete) {
			t.Fatalf("%q became %q", inputs, complete)
		}
		var v struct{ Password any }
		if err := json.Unmarshal([]byte(inputs), &v); err != nil || v.Password != secret {
			return
		}
		for _, one := range findings {
			if strings.Contains(one.Message, secret) && !strings.Contains(one.Pointer, secret) {
				t.Fatalf("%+v quotes a secret", one)
			}
		}
	})
}
