package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/audit"
	"redoubt/policy/report"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// pack is the whole catalogue.
func pack() analyzer.Options {
	return analyzer.Options{
		Name: "redoubt", Version: "1.2.3", Rules: rules.All(),
		Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) },
	}
}

type object = map[string]any

// state is an export with these resources, a line a property, as the CLI writes it.
func state(t *testing.T, resources ...object) []byte {
	t.Helper()
	text, err := json.MarshalIndent(object{"version": 3, "deployment": object{"resources": resources}}, "", "    ")
	require.NoError(t, err)
	return text
}

func urn(typ, name string) string { return "urn:pulumi:prod::shop::" + typ + "::" + name }

func deployed(typ, name string, inputs object, more ...object) object {
	r := object{"urn": urn(typ, name), "custom": true, "type": typ, "id": name, "inputs": inputs, "outputs": inputs}
	for _, m := range more {
		for k, v := range m {
			r[k] = v
		}
	}
	return r
}

func secret(key, value string) object {
	return object{resource.SigKey: resource.SecretSig, key: value}
}

func judge(t *testing.T, text []byte, opts audit.Options) report.Report {
	t.Helper()
	s, err := audit.Read(text)
	require.NoError(t, err)
	if opts.Pack.Name == "" {
		opts.Pack = pack()
	}
	r, err := audit.Run(t.Context(), s, opts)
	require.NoError(t, err)
	return r
}

// about says whether a report has a finding, and an undetermined check.
func about(r report.Report, policy, urn string) (finding *report.Finding, undetermined bool) {
	for i, f := range r.Findings {
		if f.Policy == policy && f.URN == urn {
			finding = &r.Findings[i]
		}
	}
	for _, u := range r.Undetermined {
		undetermined = undetermined || u.Policy == policy && u.URN == urn
	}
	return finding, undetermined
}

const (
	key      = "aws:kms/key:Key"
	rotation = "kms-key-rotation-enabled"
)

func TestRunFindsWhatIsDeployed(t *testing.T) {
	t.Parallel()
	text := state(
		t,
		deployed(key, "good", object{"enableKeyRotation": true}),
		deployed(key, "bad", object{"enableKeyRotation": false}),
		deployed(key, "going", object{"enableKeyRotation": false}, object{"delete": true}),
		deployed(key, "others", object{"enableKeyRotation": false}, object{"external": true}),
	)
	r := judge(t, text, audit.Options{File: "state.json"})
	f, _ := about(r, rotation, urn(key, "bad"))
	require.NotNil(t, f)
	line := strings.Split(string(text), "\n")[f.Line-1]
	require.Contains(t, line, urn(key, "bad"), "the finding points at the resource")
	for _, name := range []string{"good", "going", "others"} {
		f, _ := about(r, rotation, urn(key, name))
		require.Nil(t, f, name)
	}
	require.Equal(t, "shop/prod", r.Subject.Stack)
	require.Equal(t, report.PhaseState, r.Subject.Phase)
	require.Equal(t, 3, r.Summary.Resources)
	require.Equal(t, "acme/shop/prod", judge(t, text, audit.Options{Stack: "acme/shop/prod"}).Subject.Stack)
}

func TestRunTakesAConfiguration(t *testing.T) {
	t.Parallel()
	text := state(t, deployed(key, "bad", object{"enableKeyRotation": false}))
	config, err := analyzer.ParseConfig([]byte(`{"` + rotation + `": "advisory", "exemptions": {"entries": [{
		"rule": "` + rotation + `", "resource": "*::bad", "reason": "why", "owner": "me", "expires": "2026-07-01"}]}}`))
	require.NoError(t, err)
	r := judge(t, text, audit.Options{Config: config})
	f, _ := about(r, rotation, urn(key, "bad"))
	require.Equal(t, rule.Advisory, f.Level)
	require.Equal(t, &report.Exemption{Until: "2026-07-01", Owner: "me", Reason: "why"}, f.Exemption)
	require.NotContains(t, r.Failing(), *f)

	later := pack()
	later.Now = func() time.Time { return time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC) }
	r = judge(t, text, audit.Options{Config: config, Pack: later})
	f, _ = about(r, rotation, urn(key, "bad"))
	require.Nil(t, f.Exemption)
	require.Contains(t, f.Message, "the exemption expired on 2026-07-01 (owner me)")

	config[rotation] = config["all"]
	config["no-such-rule"] = config["all"]
	s, err := audit.Read(text)
	require.NoError(t, err)
	_, err = audit.Run(t.Context(), s, audit.Options{Pack: pack(), Config: config})
	require.ErrorContains(t, err, "no-such-rule: there is no such policy")
}

// The provider is found by the reference of its resources, ignoreChanges and protect
// by the options that a state keeps.
func TestRunHandsOverWhatRulesRead(t *testing.T) {
	t.Parallel()
	var seen *rule.Resource
	spy := rule.Rule{
		Name: "spy", Summary: "s", Severity: rule.Low, Level: rule.Mandatory, Types: []string{"kms/key"}, Fix: "f", URL: "https://example.com",
		CheckStack: func(_ *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict { seen = r; return rule.Pass() },
	}
	const provider = "pulumi:providers:aws"
	text := state(
		t,
		deployed(provider, "eu", object{"region": "eu-west-1"}),
		deployed(key, "k", object{"description": "asked"}, object{
			"outputs": object{"description": "echoed", "arn": "arn:k"}, "provider": urn(provider, "eu") + "::some-id",
			"protect": true, "ignoreChanges": []string{"policy"}, "parent": urn("acme:app:App", "app"),
		}),
	)
	opts := audit.Options{Pack: analyzer.Options{Name: "spy", Version: "1.0.0", Rules: []rule.Rule{spy}}}
	r := judge(t, text, opts)
	require.Equal(t, 1, r.Summary.Passed)
	require.Equal(t, "eu-west-1", seen.Provider["region"].StringValue())
	require.Equal(t, "asked", seen.Inputs["description"].StringValue())
	require.Equal(t, "arn:k", seen.State["arn"].StringValue())
	require.Equal(t, "k", seen.State["id"].StringValue())
	require.True(t, seen.Protect)
	require.Equal(t, []string{"policy"}, seen.IgnoreChanges)
	require.Equal(t, resource.URN(urn("acme:app:App", "app")), seen.Parent)
}

// A secret that cannot be decrypted is judged as one, and is neither right nor wrong.
func TestEncryptedSecretsAreTaintAndUnknown(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"encrypted": secret("ciphertext", "v1:abc"), "masked": "[secret]",
	} {
		text := state(
			t,
			deployed(key, "k", object{"enableKeyRotation": value}),
			deployed("aws:lambda/function:Function", "f", object{"environment": object{"variables": object{"A": value}}}),
		)
		r := judge(t, text, audit.Options{})
		f, undetermined := about(r, rotation, urn(key, "k"))
		require.Nil(t, f, name)
		require.True(t, undetermined, name)
		f, _ = about(r, "secret-taint-into-plaintext-sink", urn("aws:lambda/function:Function", "f"))
		require.NotNil(t, f, "%s: that it is a secret is known", name)
	}
}

// No secret reaches a report, in any form, however it is written in the state and
// whatever a rule says about it.
func TestNoSecretReachesAReport(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-7f3a91"
	inText, err := json.Marshal(object{"password": canary, "deep": []any{canary + "-b"}})
	require.NoError(t, err)
	leak := rule.Rule{
		Name: "leaks", Summary: "s", Severity: rule.High, Level: rule.Mandatory, Types: []string{"kms/key"}, Fix: "f", URL: "https://example.com",
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			text, _ := r.Get("plain.password").Str()
			return rule.Fail("a rule that breaks its word says %s", text)
		},
	}
	opts := pack()
	opts.Rules = append(opts.Rules, leak)
	text := state(
		t,
		deployed(key, "k", object{"plain": secret("plaintext", string(inText)), "policy": secret("plaintext", `"{\"Statement\":\"`+canary+`\"}"`)}),
		deployed("aws:lambda/function:Function", "f", object{"environment": object{"variables": secret("plaintext", `{"PASSWORD":"`+canary+`"}`)}}),
		deployed("aws:rds/cluster:Cluster", "db", object{"masterPassword": secret("plaintext", `"`+canary+`"`), "masterUsername": secret("ciphertext", canary)}),
		deployed("aws:ssm/parameter:Parameter", "p", object{"type": "String", "value": secret("plaintext", `"`+canary+`"`)}),
	)
	r := judge(t, text, audit.Options{Pack: opts})
	f, _ := about(r, "leaks", urn(key, "k"))
	require.Contains(t, f.Message, "says [secret]")
	for _, format := range report.Formats() {
		var out bytes.Buffer
		require.NoError(t, r.Write(&out, report.Format(format)))
		require.NotContains(t, out.String(), "CANARY", format)
	}
}

func TestReadRefusesWhatIsNoState(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":             "it is no state of a stack: it is empty; `pulumi stack export` writes one",
		"hello":        "no JSON at line 1",
		"{\n\"a\":\n,": "no JSON at line 3",
		`[]`:           "the whole is a array, which it cannot be",
		`{}`:           "version or deployment is missing",
		`{"name": 1}`:  "version or deployment is missing",
		`{"version": 4, "terraform_version": "1.9.0", "resources": []}`:                        "it is a state of Terraform",
		`{"version": 3, "checkpoint": {"latest": {}}}`:                                         "it is a backend's own file",
		`{"version": 1, "deployment": {}}`:                                                     "it has version 1 of a state, and versions 3 and 4 can be read",
		`{"version": 5, "deployment": {}}`:                                                     "version 5",
		`{"version": "3", "deployment": {}}`:                                                   "version is a string",
		`{"version": 3, "deployment": {"resources": {}}}`:                                      "resources is a object",
		`{"version": 3, "deployment": {"resources": [{"urn": "a"}, {"urn": "b"}]}}`:            "resource 2 has no valid URN",
		`{"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:a::b::c::d"`:          "no JSON at line 1",
		`{"version": 3, "deployment": {"resources": [{"urn": "x", "inputs": "CANARY-text"}]}}`: "inputs is a string",
	} {
		_, err := audit.Read([]byte(text))
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "CANARY")
		require.NotContains(t, err.Error(), "apitype")
	}
}

func TestAStackWithoutAStateIsEmpty(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"version": 3}`, `{"version": 3, "deployment": null}`, `{"version": 4, "features": [], "deployment": {}}`} {
		r := judge(t, []byte(text), audit.Options{})
		require.Empty(t, r.Findings)
		require.Zero(t, r.Summary.Resources)
	}
}

func TestASecretThatIsNoJSONIsAnErrorWithoutIt(t *testing.T) {
	t.Parallel()
	s, err := audit.Read(state(t, deployed(key, "k", object{"a": object{"b": []any{secret("plaintext", "CANARY")}}})))
	require.NoError(t, err)
	_, err = audit.Run(t.Context(), s, audit.Options{Pack: pack()})
	require.ErrorContains(t, err, urn(key, "k")+": inputs: a: b: [0]: the plain text of a secret is no JSON")
	require.NotContains(t, err.Error(), "CANARY")
}

// 6,000 resources are judged, and progress is told of each.
func TestAHugeState(t *testing.T) {
	t.Parallel()
	many := func(n int) []byte {
		var all []object
		for i := range n {
			all = append(all, deployed(key, fmt.Sprintf("key-%d", i), object{"enableKeyRotation": i%2 == 0}),
				deployed("aws:cloudwatch/logGroup:LogGroup", fmt.Sprintf("log-%d", i), object{"kmsKeyId": fmt.Sprintf("key-%d", i)}),
				deployed("aws:s3/bucketV2:BucketV2", fmt.Sprintf("bucket-%d", i), object{"bucket": fmt.Sprintf("bucket-%d", i)}))
		}
		return state(t, all...)
	}
	last := 0
	r := judge(t, many(2000), audit.Options{Progress: func(done, total int) {
		require.Equal(t, last+1, done)
		require.Equal(t, 6000, total)
		last = done
	}})
	require.Equal(t, 6000, last)
	require.Equal(t, 6000, r.Summary.Resources)
	var rotated int
	for _, f := range r.Findings {
		if f.Policy == rotation {
			rotated++
		}
	}
	require.Equal(t, 1000, rotated)
}

// Whatever is read: an error or a report, never a panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:a::b::aws:kms/key:Key::d", "type": "aws:kms/key:Key", "inputs": {"a": [1, null, {"b": true}]}}]}}`))
	f.Add([]byte(`{"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:a::b::aws:s3/bucket:Bucket::d", "provider": "::", "inputs": {"a": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "{}"}}}]}}`))
	options := pack()
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := audit.Read(text)
		if err != nil {
			return
		}
		_, _ = audit.Run(t.Context(), s, audit.Options{Pack: options})
	})
}
