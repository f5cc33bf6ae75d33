package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/internal/built"
	"redoubt/internal/providertest"
	"redoubt/internal/rehearsal"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// Every repair that a rule offers, made by the real engine in one update of what
// was made without the pack: all is updated in place and satisfies its rule, a second
// preview has nothing to do and nothing to say, what was secret is secret, and what
// was unknown at preview has its value. The provider takes anything, so that the
// examples may be as short as they are.
func TestTheEngineMakesEveryRepair(t *testing.T) {
	t.Parallel()
	broken := examples(t)
	stack := stackOf(t, providertest.Serve(t).Port, func(ctx *pulumi.Context) error {
		unknown, err := secretsAndUnknowns(ctx)
		if err != nil {
			return err
		}
		for name, e := range broken {
			if err := register(ctx, e.Type, name, object(e.Properties, unknown)); err != nil {
				return err
			}
		}
		return nil
	})
	now := repair(t, stack, len(broken)+2)
	for name, e := range broken {
		r := e.rule
		require.NotNil(t, now[name], name)
		verdict := r.Check(&rule.Resource{
			URN:  resource.NewURN("dev", "repairs", "", tokens.Type(e.Type), name),
			Type: rule.Canonical(e.Type), Token: e.Type, Name: name, Inputs: now[name],
		}, e.params)
		require.Equal(t, rule.Passed, verdict.Outcome, "%s: %s", name, verdict.Reason())
	}
	require.Equal(t, resource.MakeSecret(resource.NewBoolProperty(true)), now["careful"]["enableKeyRotation"], "a repaired secret is one")
	require.Equal(t, resource.MakeSecret(resource.NewStringProperty("quiet")), now["careful"]["description"])
	require.Equal(t, "id-dev/careful", now["late"]["description"].StringValue())
	require.True(t, now["late"]["enableKeyRotation"].BoolValue())
}

// In an account that knows what AWS can change in place, repairs replace nothing.
func TestRepairsReplaceNothing(t *testing.T) {
	t.Parallel()
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	server, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	stack := stackOf(t, server.Port(), func(ctx *pulumi.Context) error {
		if _, err := secretsAndUnknowns(ctx); err != nil {
			return err
		}
		for _, e := range []struct {
			token, name string
			properties  pulumi.Map
		}{
			{"aws:kms/key:Key", "lost-soon", pulumi.Map{"enableKeyRotation": pulumi.Bool(true), "deletionWindowInDays": pulumi.Int(7), "rotationPeriodInDays": pulumi.Int(2560)}},
			{"aws:ecs/cluster:Cluster", "unseen", pulumi.Map{}},
			{"aws:guardduty/detector:Detector", "slow", pulumi.Map{"enable": pulumi.Bool(true), "findingPublishingFrequency": pulumi.String("SIX_HOURS")}},
			{"aws:iam/accountPasswordPolicy:AccountPasswordPolicy", "few-letters", pulumi.Map{"minimumPasswordLength": pulumi.Int(8)}},
			{"aws:cognito/userPool:UserPool", "short", pulumi.Map{"passwordPolicy": pulumi.Map{"minimumLength": pulumi.Int(8)}}},
			{"aws:secretsmanager/secret:Secret", "lost-at-once", pulumi.Map{"recoveryWindowInDays": pulumi.Int(7)}},
		} {
			if err := register(ctx, e.token, e.name, e.properties); err != nil {
				return err
			}
		}
		return nil
	})
	now := repair(t, stack, 7)
	require.True(t, now["careful"]["enableKeyRotation"].IsSecret())
	require.Equal(t, 30.0, now["lost-soon"]["deletionWindowInDays"].NumberValue())
	require.Equal(t, "FIFTEEN_MINUTES", now["slow"]["findingPublishingFrequency"].StringValue())
}

// repair makes the stack without the pack, and updates it with: so many resources in
// place. It returns their inputs by name, when there is nothing more to do.
func repair(t *testing.T, stack auto.Stack, resources int) map[string]resource.PropertyMap {
	t.Helper()
	pack, err := built.Pack()
	require.NoError(t, err)
	config := levels(t)
	_, err = stack.Up(t.Context())
	require.NoError(t, err)
	up, err := stack.Up(t.Context(), optup.PolicyPacks(pack), optup.PolicyPackConfigs(config))
	require.NoError(t, err)
	for op, n := range *up.Summary.ResourceChanges {
		require.True(t, op == string(apitype.OpSame) || op == string(apitype.OpUpdate), "%d %s: %s", n, op, up.StdOut)
	}
	require.Equal(t, resources, (*up.Summary.ResourceChanges)[string(apitype.OpUpdate)], up.StdOut)
	require.NotContains(t, up.StdOut, "[mandatory]")

	again, err := stack.Preview(t.Context(), optpreview.PolicyPacks(pack), optpreview.PolicyPackConfigs(config))
	require.NoError(t, err)
	for op, n := range again.ChangeSummary {
		require.True(t, op == apitype.OpSame || n == 0, "%d %s: %s", n, op, again.StdOut)
	}
	require.NotContains(t, again.StdOut, "[mandatory]")
	return inputs(t, stack)
}

// inputs are those of the state, secrets marked.
func inputs(t *testing.T, stack auto.Stack) map[string]resource.PropertyMap {
	t.Helper()
	state, err := stack.Export(t.Context())
	require.NoError(t, err)
	var deployment apitype.DeploymentV3
	require.NoError(t, json.Unmarshal(state.Deployment, &deployment))
	out := map[string]resource.PropertyMap{}
	for _, r := range deployment.Resources {
		out[r.URN.Name()] = resource.NewPropertyMapFromMap(r.Inputs)
		for key, v := range out[r.URN.Name()] {
			out[r.URN.Name()][key] = marked(t, v)
		}
	}
	return out
}

// marked reads secrets as an exported state has them.
func marked(t *testing.T, v resource.PropertyValue) resource.PropertyValue {
	t.Helper()
	if !v.IsObject() || !v.ObjectValue()["plaintext"].IsString() {
		return v
	}
	var plain any
	require.NoError(t, json.Unmarshal([]byte(v.ObjectValue()["plaintext"].StringValue()), &plain))
	return resource.MakeSecret(resource.NewPropertyValue(plain))
}

func register(ctx *pulumi.Context, token, name string, properties pulumi.Map) error {
	var made pulumi.CustomResourceState
	return ctx.RegisterResource(token, name, properties, &made)
}

// secretsAndUnknowns makes a key with secrets, one of them to repair, and a key
// whose description nobody knows before the first is made.
// It returns a value that is unknown at preview.
func secretsAndUnknowns(ctx *pulumi.Context) (pulumi.Input, error) {
	var careful pulumi.CustomResourceState
	err := ctx.RegisterResource("aws:kms/key:Key", "careful", pulumi.Map{
		"description": pulumi.ToSecret(pulumi.String("quiet")), "enableKeyRotation": pulumi.ToSecret(pulumi.Bool(false)),
	}, &careful)
	if err != nil {
		return nil, err
	}
	return careful.ID(), register(ctx, "aws:kms/key:Key", "late", pulumi.Map{"description": careful.ID(), "enableKeyRotation": pulumi.Bool(false)})
}

// example is a failing resource of a rule.
type example struct {
	fixture.Resource
	rule   rule.Rule
	params rule.Params
	config map[string]any
}

// examples are a failing resource of each rule with a repair: the
// first of its fixtures.
func examples(t *testing.T) map[string]example {
	t.Helper()
	files, err := fixture.Load(filepath.Join("rules", "testdata"))
	require.NoError(t, err)
	out := map[string]example{}
	for _, r := range rules.All() {
		i := slices.IndexFunc(files, func(f fixture.File) bool { return f.Rule == r.Name })
		if r.Remediate == nil || i < 0 {
			continue
		}
		for _, c := range files[i].Cases {
			j := slices.IndexFunc(c.Resources, func(e fixture.Resource) bool { return judges(r, e) && (c.Subject == "" || e.Name == c.Subject) })
			if c.Want == "fail" && !c.Unrepairable && j >= 0 {
				params, err := rule.Decode(r.Params, c.Config)
				require.NoError(t, err)
				out[r.Name] = example{c.Resources[j], r, params, c.Config}
				break
			}
		}
		require.Contains(t, out, r.Name, "a repair has an example")
	}
	return out
}

func judges(r rule.Rule, e fixture.Resource) bool {
	return slices.ContainsFunc(r.Types, func(t string) bool { return rule.Canonical(t) == rule.Canonical(e.Type) })
}

// object is a fixture's properties as a program has them; unknown is what is
// another resource's there.
func object(properties map[string]any, unknown pulumi.Input) pulumi.Map {
	out := pulumi.Map{}
	for key, v := range properties {
		out[key] = value(v, unknown)
	}
	return out
}

func value(v any, unknown pulumi.Input) pulumi.Input {
	switch v := v.(type) {
	case string:
		return pulumi.String(v)
	case bool:
		return pulumi.Bool(v)
	case int:
		return pulumi.Int(v)
	case []any:
		out := pulumi.Array{}
		for _, e := range v {
			out = append(out, value(e, unknown))
		}
		return out
	case map[string]any:
		if secret, ok := v["$secret"]; ok {
			return pulumi.ToSecret(value(secret, unknown))
		}
		if v["$ref"] != nil || v["$unknown"] != nil {
			return unknown
		}
		if document, ok := v["$json"]; ok {
			text, err := json.Marshal(document)
			if err != nil {
				panic(err) // what YAML holds, JSON can hold
			}
			return pulumi.String(text)
		}
		return object(v, unknown)
	default:
		panic(fmt.Sprintf("%T in a fixture", v))
	}
}

// levels is the pack's configuration with the repairs on and all else off.
func levels(t *testing.T) string {
	t.Helper()
	config := map[string]any{"all": "disabled"}
	for name, e := range examples(t) {
		settings := map[string]any{"enforcementLevel": "remediate"}
		maps.Copy(settings, e.config)
		config[name] = settings
	}
	text, err := json.Marshal(config)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// stackOf is a stack of the program on the provider at a port.
func stackOf(t *testing.T, port int, program pulumi.RunFunc) auto.Stack {
	t.Helper()
	cli, err := engine.FindCLI()
	require.NoError(t, err)
	stack, err := auto.UpsertStackInlineSource(t.Context(), "organization/repairs/dev", "repairs", program,
		auto.Pulumi(&engine.Command{CLI: cli, Env: engine.Inherit{}.Environment(), Folder: t.TempDir()}),
		auto.EnvVars(map[string]string{
			"PULUMI_BACKEND_URL": "file://" + t.TempDir(), "PULUMI_HOME": t.TempDir(), "PULUMI_CONFIG_PASSPHRASE": "rehearsal",
			"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("aws:%d", port),
		}))
	require.NoError(t, err)
	require.NoError(t, stack.SetConfig(t.Context(), "aws:region", auto.ConfigValue{Value: "eu-west-1"}))
	return stack
}
