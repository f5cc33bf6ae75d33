package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/internal/built"
	"redoubt/policy/analyzer"
	"redoubt/policy/profile"
	"redoubt/policy/rule"
)

// The rules of a framework are those of the catalogue that have one of its controls,
// and a framework stops nothing that the guide does not stop.
func TestEachProfileServesTheCataloguesRules(t *testing.T) {
	t.Parallel()
	frameworks := map[string]rule.Framework{"fsbp": rule.FSBP, "cis-5": rule.CIS, "nist-800-53": rule.NIST, "pci-4": rule.PCI}
	for _, name := range profile.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pack := start(t, profile.Variable+"="+name)
			info, err := pack.GetAnalyzerInfo(t.Context())
			require.NoError(t, err)
			said := map[string]apitype.EnforcementLevel{}
			for _, p := range info.Policies {
				said[p.Name] = p.EnforcementLevel
			}
			for _, r := range options().Rules {
				framework, isFramework := frameworks[name]
				switch {
				case name == profile.Guide:
					require.Equal(t, r.Level, said[r.Name], r.Name)
				case !isFramework:
					require.Equal(t, apitype.Advisory, said[r.Name], r.Name)
				default:
					mapped := strings.Contains(controls(r), " "+string(framework)+" ")
					require.Equal(t, mapped, said[r.Name] != apitype.Disabled, "%s has%s", r.Name, controls(r))
					if said[r.Name] == apitype.Mandatory {
						require.Equal(t, apitype.Mandatory, r.Level, r.Name)
					}
				}
			}
			for _, path := range configurations(t) {
				given, err := analyzer.ParseConfig(read(t, path))
				require.NoError(t, err, path)
				for name, c := range given { // as the engine fills in what the file does not say
					if c.EnforcementLevel == "" {
						c.EnforcementLevel = said[name]
						given[name] = c
					}
				}
				require.NoError(t, pack.Configure(t.Context(), given), path)
			}
		})
	}
}

// controls are the frameworks of a rule in words: " FSBP NIST ".
func controls(r rule.Rule) string {
	text := " "
	for _, c := range r.Controls {
		text += string(c.Framework) + " "
	}
	return text
}

// The real engine stands between a file and the pack: it fills in what the file does
// not say, and the pack must not take that for what somebody said.
func TestProfilesThroughTheEngine(t *testing.T) {
	t.Parallel()
	const (
		listener = "alb-listener-tls13-policy"         // mandatory by itself; FSBP and NIST have a control of it
		rotation = "kms-key-rotation-enabled"          // mandatory by itself; every framework has one
		deletion = "kms-deletion-window-30"            // advisory by itself; FSBP and NIST have one
		alias    = "kms-key-has-alias-and-description" // advisory by itself; NIST has one
	)
	const m, a, off = "mandatory", "advisory", ""
	for name, c := range map[string]struct {
		variable, file string
		want           map[string]string
	}{
		"guide":      {"", "", map[string]string{listener: m, rotation: m, deletion: a, alias: a}},
		"guide said": {"guide", `{"profile": {"name": "guide"}}`, map[string]string{listener: m, rotation: m, deletion: a, alias: a}},
		"variable":   {"cis-5", "", map[string]string{listener: off, rotation: m, deletion: off, alias: off}},
		"file":       {"", `{"profile": {"name": "cis-5"}}`, map[string]string{listener: off, rotation: m, deletion: off, alias: off}},
		"file over variable": {
			"pci-4", `{"profile": {"name": "audit"}}`, map[string]string{listener: a, rotation: a, deletion: a, alias: a},
		},
		"rule over variable, at the pack's own level": {
			"cis-5", `{"` + listener + `": "mandatory", "` + alias + `": "advisory"}`, map[string]string{listener: m, rotation: m, deletion: off, alias: a},
		},
		"levels over file, at the pack's own level": {
			"", `{"profile": {"name": "cis-5", "levels": {"` + listener + `": "mandatory"}}}`, map[string]string{listener: m, rotation: m, deletion: off},
		},
		"rule over file, at another level": {
			"", `{"profile": {"name": "cis-5"}, "` + listener + `": "advisory", "` + rotation + `": "disabled"}`, map[string]string{listener: a, rotation: off},
		},
		"all over both": {"fsbp", `{"profile": {"name": "cis-5"}, "all": "advisory"}`, map[string]string{listener: a, rotation: a, alias: a}},
		"prod.json":     {"", "prod", map[string]string{listener: m, rotation: m, deletion: m, alias: a}},
		"prod.json over a profile": {
			"cis-5", "prod", map[string]string{listener: off, rotation: m, deletion: m, alias: off},
		},
		"strict.json over a profile": {
			"cis-5", "strict", map[string]string{listener: m, rotation: m, deletion: m, alias: m},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			levels, out := analyze(t, c.variable, c.file)
			for rule, want := range c.want {
				require.Equal(t, want, levels[rule], "%s\n%s", rule, out)
			}
		})
	}
}

func TestTheEngineShowsWhichProfilesThereAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ variable, file string }{
		"variable": {"fspb", ""},
		"file":     {"", `{"profile": {"name": "fspb"}}`},
	} {
		_, out := analyze(t, c.variable, c.file)
		require.Contains(t, out, `"fspb" is no profile: did you mean fsbp? (there are guide, fsbp, cis-5, nist-800-53, pci-4, audit)`, name)
	}
}

// state has a key and a listener as they should not be.
const state = `{"version": 3, "deployment": {
	"manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
	"resources": [
		{"urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "custom": false, "type": "pulumi:pulumi:Stack"},
		{"urn": "urn:pulumi:dev::shop::aws:kms/key:Key::app", "custom": true, "id": "k", "type": "aws:kms/key:Key",
			"inputs": {"enableKeyRotation": false, "deletionWindowInDays": 7}, "outputs": {}},
		{"urn": "urn:pulumi:dev::shop::aws:lb/listener:Listener::https", "custom": true, "id": "l", "type": "aws:lb/listener:Listener",
			"inputs": {"protocol": "HTTPS", "certificateArn": "arn", "sslPolicy": "ELBSecurityPolicy-TLS-1-2-2017-01"}, "outputs": {}}
	]}}`

var listed = regexp.MustCompile(`- \[(\w+)\] \[severity: \w+\]\s+(\S+)`)

// analyze runs the pack in the stock CLI's own engine on the state, and returns the
// level of each rule's finding. A file is its text, or one of profiles/ by its name.
func analyze(t *testing.T, variable, file string) (levels map[string]string, out string) {
	t.Helper()
	cli, err := engine.FindCLI()
	require.NoError(t, err)
	pack, err := built.Pack()
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	args := []string{"policy", "analyze", "--non-interactive", "--color", "never", "--policy-pack", pack, "--file", write("state.json", state)}
	switch {
	case strings.HasPrefix(file, "{"):
		args = append(args, "--policy-pack-config", write("policy.json", file))
	case file != "":
		path, err := filepath.Abs(filepath.Join("profiles", file+".json"))
		require.NoError(t, err)
		args = append(args, "--policy-pack-config", path)
	}
	cmd := exec.Command(cli.Executable, args...)
	cmd.Dir = folder
	cmd.Env = []string{
		"HOME=" + folder, "PULUMI_HOME=" + folder, "PULUMI_BACKEND_URL=file://" + folder, "PULUMI_SKIP_UPDATE_CHECK=true",
		"PATH=" + os.Getenv("PATH"), profile.Variable + "=" + variable,
	}
	text, _ := cmd.CombinedOutput() // a mandatory finding fails it
	levels = map[string]string{}
	for _, l := range listed.FindAllStringSubmatch(string(text), -1) {
		levels[l[2]] = l[1]
	}
	return levels, string(text)
}

// What this repository shows is right, to the pack and to the schema.
func TestConfigurationsAreRight(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../docs/policy-config.schema.json")
	require.NoError(t, err)
	pack, err := analyzer.New(options())
	require.NoError(t, err)
	texts := map[string][]byte{}
	for _, path := range configurations(t) {
		texts[path] = read(t, path)
	}
	for _, m := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(read(t, "README.md"), -1) {
		texts["README.md: "+string(m[1])] = m[1]
	}
	require.Equal(t, 4, len(texts), "prod.json, strict.json and two in README.md")
	for name, text := range texts {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err, name)
		require.NoError(t, schema.Validate(value), name)
		_, err = pack.CheckConfig(text)
		require.NoError(t, err, name)
	}
}

// The checked-in schema is the one that the pack prints, for editors.
func TestThePackPrintsTheSchema(t *testing.T) {
	t.Parallel()
	exe, err := built.Pack()
	require.NoError(t, err)
	cmd := exec.Command(exe, "schema")
	cmd.Env = append(os.Environ(), profile.Variable+"=")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, string(read(t, "../docs/policy-config.schema.json")), string(out), "run `make generate`")
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(out, &schema))
	require.Len(t, schema.Properties, len(options().Rules)+5, "the rules, all, environments, exemptions, profile, unknowns")
}

func configurations(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("profiles/*.json")
	require.NoError(t, err)
	require.Len(t, paths, 2)
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}
