package analyzer

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"redoubt/policy/rule"
)

// files are configuration files: what is wrong with each, nothing where it is right.
// Refused are those that a schema can see.
var files = map[string]struct {
	text    string
	want    []string
	refused bool
}{
	"empty":        {"", nil, false},
	"nothing":      {"{}", nil, false},
	"levels":       {`{"all": "advisory", "rotates": "remediate", "has-alias": {"enforcementLevel": "disabled"}}`, nil, false},
	"settings":     {`{"rotates": {"days": 7}, "unknowns": {"mode": "list"}, "environments": ["aws/dev"]}`, nil, false},
	"profile":      {`{"profile": {"name": "fsbp", "levels": {"has-alias": "advisory"}}, "has-alias": "mandatory"}`, nil, false},
	"exemption":    {`{"exemptions": {"entries": [{"rule": "rotates", "resource": "*::app", "reason": "old", "owner": "ana", "expires": "2027-01-01", "id": "SEC-1"}]}}`, nil, false},
	"not JSON":     {"{\n\"all\": \"advisory\",\n}", []string{"line 3 is no JSON: invalid character '}'"}, false},
	"not a file":   {`["advisory"]`, []string{"must be an object of policies"}, true},
	"wrong type":   {`{"rotates": {"days": "7"}, "has-alias": 5, "unknowns": ["list"]}`, []string{"rotates: days must be a whole number, not 7", "has-alias: must be a level, or an object of settings, not 5", `unknowns: must be a level, or an object of settings, not ["list"]`}, true},
	"unknown key":  {`{"rotates": {"day": 7}, "has-alias": {"days": 7}}`, []string{"rotates: day is not a setting: this policy has days", "has-alias: days is not a setting: this policy has only enforcementLevel"}, true},
	"unknown rule": {`{"rotate": "advisory", "has-allias": {"x": 1}}`, []string{"rotate: there is no such policy: did you mean rotates?", "has-allias: there is no such policy: did you mean has-alias?"}, true},
	"bound":        {`{"rotates": {"days": 5}}`, []string{"rotates: days must be between 7 and 30, not 5"}, true},
	"enum":         {`{"unknowns": {"mode": "loud"}}`, []string{`unknowns: mode must be one of summary, list, fail, not "loud"`}, true},
	"level": {
		`{"all": "", "rotates": "fatal", "has-alias": {"enforcementLevel": "loud"}, "unknowns": {"enforcementLevel": 1}}`,
		[]string{
			`all: the level must be one of advisory, mandatory, remediate, disabled, not ""`, `rotates: the level must be one of`,
			`has-alias: enforcementLevel must be one of`, "unknowns: enforcementLevel must be one of advisory, mandatory, remediate, disabled, not 1",
		},
		true,
	},
	"profile as a level":  {`{"profile": "fsbp"}`, []string{`profile: "fsbp" is no level: the engine takes a profile as {"name": "fsbp"}`}, true},
	"unknown profile":     {`{"profile": {"name": "fsb"}}`, []string{`profile: name "fsb" is no profile: did you mean fsbp?`}, true},
	"level for a setting": {`{"profile": {"levels": {"unknowns": "advisory"}}}`, []string{"profile: levels.unknowns: there is no such policy"}, true},
	"environments":        {`{"environments": [5]}`, []string{"environments: [0] must be the name of an environment, not 5"}, true},
	"exemption's fields": {
		`{"exemptions": {"entries": [{"rule": "rotates", "resource": "app", "owner": " ", "expires": "soon", "why": "x"}]}}`,
		[]string{
			"exemptions: entries[0]: reason must be a text that is not empty", "exemptions: entries[0]: owner must be a text",
			`exemptions: entries[0]: resource "app" can match no URN`, `exemptions: entries[0]: expires "soon" must be a day`,
			"exemptions: entries[0]: why is not a field",
		},
		true,
	},
	"all at once": {
		`{"all": "loud", "rotates": {"days": 99}, "unknowns": {"mode": "loud"}}`,
		[]string{`all: the level must be one of`, "rotates: days must be between", "unknowns: mode must be one of"},
		true,
	},
	// The engine fills in levels, so that the pack cannot see these two.
	"hidden": {
		`{"profile": {"name": "fsbp"}, "has-alias": "advisory", "named": "disabled"}`,
		[]string{
			"has-alias: advisory is also the level without a configuration, so that the engine does not show that the file gives it, and disabled holds: give it in profile.levels, or choose the profile by REDOUBT_POLICY_PROFILE",
			"named: disabled is also the level without a configuration",
		},
		false,
	},
}

func TestCheckConfigReportsEverything(t *testing.T) {
	t.Parallel()
	for name, c := range files {
		counts, err := profiled(t, "").CheckConfig([]byte(c.text))
		if len(c.want) == 0 {
			require.NoError(t, err, name)
			require.NotEmpty(t, counts, name)
			continue
		}
		require.Error(t, err, name)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
		require.Equal(t, len(c.want), strings.Count(err.Error(), "\n"), "%s: nothing but that, and each once:\n%v", name, err)
	}
	counts, err := profiled(t, "fsbp").CheckConfig([]byte(`{"has-alias": "advisory"}`))
	require.NoError(t, err, "what the pack was started with hides nothing")
	require.Equal(t, map[rule.Level]int{rule.Mandatory: 1, rule.Advisory: 2}, counts)
}

// The schema refuses what the pack refuses, and takes what it takes.
func TestSchemaAgreesWithThePack(t *testing.T) {
	t.Parallel()
	text, err := profiled(t, "").Schema()
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("policy.json", document))
	schema, err := compiler.Compile("policy.json")
	require.NoError(t, err)
	for name, c := range files {
		if !json.Valid([]byte(c.text)) {
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(c.text))
		require.NoError(t, err, name)
		require.Equal(t, c.refused, schema.Validate(value) != nil, "%s: %v", name, schema.Validate(value))
	}
}

func TestRunChecksAFile(t *testing.T) {
	t.Parallel()
	opts := Options{Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation, explicit, taste}}
	path := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"profile": {"name": "fsbp"}}`), 0o600))
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitOK, run(opts, []string{"check", path}, &stdout, &stderr), stderr.String())
	require.Equal(t, path+" holds 3 rules to: 1 advisory, 1 mandatory, 1 disabled\n", stdout.String())

	require.NoError(t, os.WriteFile(path, []byte(`{"profile": {"name": "fsb"}, "rotate": "advisory"}`), 0o600))
	stdout.Reset()
	require.Equal(t, exitError, run(opts, []string{"check", path}, &stdout, &stderr))
	require.Empty(t, stdout.String())
	require.Contains(t, stderr.String(), path)
	require.Contains(t, stderr.String(), "did you mean fsbp?")
	require.Contains(t, stderr.String(), "did you mean rotates?")

	stderr.Reset()
	require.Equal(t, exitError, run(opts, []string{"check", path + ".missing"}, io.Discard, &stderr))
	require.Contains(t, stderr.String(), "no such file")
}
