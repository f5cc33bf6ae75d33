package analyzer

import (
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"redoubt/guide"
	"redoubt/policy/rule"
)

var today = time.Date(2026, time.July, 1, 23, 59, 0, 0, time.UTC)

// rotation, explicit and broken are the pack of these tests: a resource rule, a
// join and a rule that panics.
var (
	rotation = rule.Rule{
		Name: "rotates", Summary: "A key rotates.", Guide: []guide.ID{guide.PracticesKMSKeyRotation},
		Severity: rule.High, Level: rule.Mandatory, Types: []string{"kms/key"},
		Controls: append(rule.Controls(rule.FSBP, "KMS.4"), rule.Controls(rule.NIST, "SC-12", "SC-13")...),
		Params:   []rule.Param{{Name: "days", Kind: rule.Integer, Default: 30, Min: 7, Max: 30, Description: "Days."}},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("enableKeyRotation").True("it never changes")
		},
		Remediate: func(r *rule.Resource, _ rule.Params) (resource.PropertyMap, bool) {
			out := r.Inputs.Copy()
			out["enableKeyRotation"] = resource.NewBoolProperty(true)
			return out, true
		},
		Fix: "kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}", URL: "https://docs.aws.amazon.com/kms/",
	}
	explicit = rule.Rule{
		Name: "has-alias", Summary: "A key has an alias.", Guide: []guide.ID{guide.PracticesKMSKeyPolicies},
		Severity: rule.Low, Level: rule.Advisory, Types: []string{"aws:kms/key:Key"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			if len(s.Pointing(r, "targetKeyId", "kms/alias")) > 0 {
				return rule.Pass()
			}
			return rule.Fail("policy is %s and no alias names the key", r.Get("policy").Show())
		},
		Fix: "kms.NewAlias", URL: "https://docs.aws.amazon.com/kms/",
	}
	broken = rule.Rule{
		Name: "broken", Summary: "A rule breaks.", Guide: []guide.ID{guide.PracticesKMSKeyPolicies},
		Severity: rule.Low, Level: rule.Mandatory, Types: []string{"kms/key"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			panic("hunter2 " + r.Name)
		},
		Fix: "nothing", URL: "https://docs.aws.amazon.com/",
	}
)

// brokenJoin is a join that breaks.
var brokenJoin = rule.Rule{
	Name: "broken-join", Summary: "A join breaks.", Severity: rule.Low, Level: rule.Advisory, Types: []string{"kms/key"},
	CheckStack: func(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
		return rule.Fail("%s", s.Of("kms/alias")[3].Name)
	},
	Fix: "nothing", URL: "https://docs.aws.amazon.com/",
}

func newPack(t testing.TB, rules ...rule.Rule) *Analyzer {
	t.Helper()
	a, err := New(Options{Name: "test", Version: "1.2.3", Rules: rules, Now: func() time.Time { return today }})
	require.NoError(t, err)
	return a
}

// dial serves the pack and returns the engine's own client of it.
func dial(t testing.TB, a *Analyzer) (plugin.Analyzer, pulumirpc.AnalyzerClient) {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	srv := grpc.NewServer()
	pulumirpc.RegisterAnalyzerServer(srv, NewServer(a))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:pack",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		srv.Stop()
		require.NoError(t, <-served)
	})
	raw := pulumirpc.NewAnalyzerClient(conn)
	return plugin.NewAnalyzerWithClient("test", raw), raw
}

func key(name string, props resource.PropertyMap) plugin.AnalyzerResource {
	const token = "aws:kms/key:Key"
	return plugin.AnalyzerResource{
		URN: resource.NewURN("dev", "test", "", token, name), Type: token, Name: name, Properties: props,
	}
}

func alias(name string, of resource.URN) plugin.AnalyzerStackResource {
	const token = "aws:kms/alias:Alias"
	return plugin.AnalyzerStackResource{
		AnalyzerResource: plugin.AnalyzerResource{
			URN: resource.NewURN("dev", "test", "", token, name), Type: token, Name: name,
			Properties: resource.PropertyMap{"targetKeyId": resource.MakeComputed(resource.NewStringProperty(""))},
		},
		PropertyDependencies: map[resource.PropertyKey][]resource.URN{"targetKeyId": {of}},
	}
}

func off() resource.PropertyMap {
	return resource.PropertyMap{"enableKeyRotation": resource.NewBoolProperty(false)}
}

func stackOf(list ...plugin.AnalyzerResource) []plugin.AnalyzerStackResource {
	out := make([]plugin.AnalyzerStackResource, len(list))
	for i, r := range list {
		out[i] = plugin.AnalyzerStackResource{AnalyzerResource: r}
	}
	return out
}

func TestFindingSaysEverything(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, rotation))
	res, err := client.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	require.Equal(t, []plugin.AnalyzeDiagnostic{{
		PolicyName: "rotates", PolicyPackName: "test", PolicyPackVersion: "1.2.3", Description: "A key rotates.",
		EnforcementLevel: apitype.Mandatory, URN: key("app", nil).URN, Severity: apitype.PolicySeverityHigh,
		Message: strings.Join([]string{
			"high: rotates on kms/key app: enableKeyRotation is false: it never changes.",
			"  guide: KMS and Secrets: Automatic key rotation",
			"  controls: FSBP KMS.4; NIST SC-12, SC-13",
			"  fix: kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}",
			"  see: https://docs.aws.amazon.com/kms/",
		}, "\n"),
	}}, res.Diagnostics)
}

func TestJoinsSeeInputsNotOutputs(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, explicit))
	echoed := key("app", resource.PropertyMap{"policy": resource.NewStringProperty("from the outputs")})

	_, err := client.Analyze(t.Context(), key("app", resource.PropertyMap{"policy": resource.NewStringProperty("from the inputs")}))
	require.NoError(t, err)
	res, err := client.AnalyzeStack(t.Context(), stackOf(echoed))
	require.NoError(t, err)
	require.Contains(t, res.Diagnostics[0].Message, "from the inputs")

	// `pulumi up --target` and resources that are only read never reach Analyze.
	fresh, _ := dial(t, newPack(t, explicit))
	res, err = fresh.AnalyzeStack(t.Context(), stackOf(echoed))
	require.NoError(t, err)
	require.Contains(t, res.Diagnostics[0].Message, "from the outputs")

	res, err = fresh.AnalyzeStack(t.Context(), append(stackOf(echoed), alias("a", echoed.URN)))
	require.NoError(t, err)
	require.Empty(t, res.Diagnostics)
}

func TestOrderOfResourcesDoesNotShow(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, explicit))
	stack := stackOf(key("c", nil), key("a", nil), key("b", nil), key("d", nil))
	first, err := client.AnalyzeStack(t.Context(), stack)
	require.NoError(t, err)
	require.Len(t, first.Diagnostics, 4)
	for seed := range uint64(10) {
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(stack), func(i, j int) { stack[i], stack[j] = stack[j], stack[i] })
		again, err := client.AnalyzeStack(t.Context(), stack)
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
}

// Fail closed: what a mandatory rule could not judge is not let pass.
func TestABrokenRuleIsAFindingAboutTheRule(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, rotation, broken, brokenJoin))
	require.NoError(t, client.Configure(t.Context(), configs{"broken-join": {EnforcementLevel: apitype.Mandatory}}))
	res, err := client.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	require.Len(t, res.Diagnostics, 2)
	require.Equal(t, "rotates", res.Diagnostics[1].PolicyName)
	stack, err := client.AnalyzeStack(t.Context(), stackOf(key("app", off())))
	require.NoError(t, err)
	require.Len(t, stack.Diagnostics, 1)
	for want, d := range map[string]plugin.AnalyzeDiagnostic{
		"low: broken on kms/key app: the rule broke while judging it (string at analyzer_test.go:":                                                   res.Diagnostics[0],
		"low: broken-join on kms/key app: the rule broke while judging it (runtime error: index out of range [3] with length 0 at analyzer_test.go:": stack.Diagnostics[0],
	} {
		require.Equal(t, apitype.Mandatory, d.EnforcementLevel)
		require.Equal(t, key("app", nil).URN, d.URN)
		require.Contains(t, d.Message, want)
		require.Contains(t, d.Message, "fault of the rule")
		require.NotContains(t, d.Message, "hunter2", "a panic may hold a property's value")
		require.NotContains(t, d.Message, "goroutine")
	}
}

// An advisory rule that breaks stays advice, a disabled one is not asked, and an
// exemption lets the resource pass.
func TestABrokenRuleHasTheLevelOfTheRule(t *testing.T) {
	t.Parallel()
	for level, want := range map[rule.Level]int{rule.Advisory: 1, rule.Disabled: 0} {
		a := newPack(t, broken)
		require.NoError(t, a.Configure(t.Context(), configs{"broken": {EnforcementLevel: level}}))
		res, err := a.Analyze(t.Context(), key("app", off()))
		require.NoError(t, err)
		require.Len(t, res.Diagnostics, want)
		for _, d := range res.Diagnostics {
			require.Equal(t, level, d.EnforcementLevel)
		}
	}
	var seen []Result
	a, err := New(Options{
		Name: "test", Version: "1.2.3", Rules: []rule.Rule{broken}, Now: func() time.Time { return today },
		Observe: func(r Result) { seen = append(seen, r) },
	})
	require.NoError(t, err)
	e := entry("*::app", "2027-01-01")
	e["rule"] = "broken"
	require.NoError(t, a.Configure(t.Context(), exempting(e)))
	res, err := a.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	require.Empty(t, res.Diagnostics)
	require.Len(t, seen, 1)
	require.Equal(t, rule.Failed, seen[0].Verdict.Outcome)
	require.NotNil(t, seen[0].Exemption)
}

func TestUnknownsAreOneLineByDefault(t *testing.T) {
	t.Parallel()
	later := resource.PropertyMap{"enableKeyRotation": resource.MakeComputed(resource.NewStringProperty(""))}
	for mode, want := range map[string]string{
		UnknownsSummary: "2 checks deferred to the update: rotates (2)",
		UnknownsList: "2 checks deferred to the update:\n  rotates on a: enableKeyRotation is unknown\n" +
			"  rotates on b: enableKeyRotation is unknown",
		UnknownsFail: "",
	} {
		client, raw := dial(t, newPack(t, rotation))
		_, err := raw.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{DryRun: true})
		require.NoError(t, err)
		require.NoError(t, client.Configure(t.Context(), map[string]plugin.AnalyzerPolicyConfig{
			"unknowns": {EnforcementLevel: apitype.Advisory, Properties: map[string]any{"mode": mode}},
		}))
		var direct []plugin.AnalyzeDiagnostic
		for _, name := range []string{"b", "a"} {
			res, err := client.Analyze(t.Context(), key(name, later))
			require.NoError(t, err)
			direct = append(direct, res.Diagnostics...)
		}
		res, err := client.AnalyzeStack(t.Context(), stackOf(key("a", later), key("b", later)))
		require.NoError(t, err)
		if mode == UnknownsFail {
			require.Len(t, direct, 2)
			require.Equal(t, apitype.Mandatory, direct[0].EnforcementLevel)
			require.Contains(t, direct[0].Message, "cannot be decided: enableKeyRotation is unknown")
			require.Empty(t, res.Diagnostics)
			continue
		}
		require.Empty(t, direct)
		require.Len(t, res.Diagnostics, 1)
		require.Equal(t, want, res.Diagnostics[0].Message)
		require.Equal(t, apitype.Advisory, res.Diagnostics[0].EnforcementLevel)
	}
}

func TestUnknownsAreForgottenOnceKnown(t *testing.T) {
	t.Parallel()
	client, raw := dial(t, newPack(t, rotation))
	_, err := raw.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{DryRun: false})
	require.NoError(t, err)
	later := resource.PropertyMap{"enableKeyRotation": resource.MakeComputed(resource.NewStringProperty(""))}
	for _, r := range []plugin.AnalyzerResource{key("a", later), key("b", later), key("gone", later)} {
		_, err := client.Analyze(t.Context(), r)
		require.NoError(t, err)
	}
	on := key("a", resource.PropertyMap{"enableKeyRotation": resource.NewBoolProperty(true)})
	_, err = client.Analyze(t.Context(), on)
	require.NoError(t, err)
	res, err := client.AnalyzeStack(t.Context(), stackOf(on, key("b", later)))
	require.NoError(t, err)
	require.Len(t, res.Diagnostics, 1)
	require.Equal(t, "1 check undetermined, because values live outside this stack: rotates (1)", res.Diagnostics[0].Message)
}

func TestRemediateRepairsWhatItCan(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, rotation))
	secret := resource.MakeSecret(resource.NewStringProperty("s"))
	in := key("app", resource.PropertyMap{"enableKeyRotation": resource.NewBoolProperty(false), "description": secret})

	res, err := client.Remediate(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, res.Remediations, "the level is mandatory")

	level := map[string]plugin.AnalyzerPolicyConfig{"rotates": {EnforcementLevel: apitype.Remediate}}
	require.NoError(t, client.Configure(t.Context(), level))
	res, err = client.Remediate(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, res.Remediations, 1)
	require.Empty(t, res.Remediations[0].Diagnostic, "any text there means that nothing was done")
	require.True(t, res.Remediations[0].Properties["enableKeyRotation"].BoolValue())
	require.True(t, res.Remediations[0].Properties["description"].IsSecret())

	res, err = client.Remediate(t.Context(), key("app", res.Remediations[0].Properties))
	require.NoError(t, err)
	require.Empty(t, res.Remediations)
}

func TestInfoNeedsNoConfiguration(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, rotation, explicit))
	info, err := client.GetAnalyzerInfo(t.Context())
	require.NoError(t, err)
	require.Equal(t, "test", info.Name)
	require.True(t, info.SupportsConfig)
	var names []string
	byName := map[string]plugin.AnalyzerPolicyInfo{}
	for _, p := range info.Policies {
		names = append(names, p.Name)
		byName[p.Name] = p
	}
	require.Equal(t, []string{"exemptions", "has-alias", "profile", "rotates", "unknowns"}, names)
	p := byName["rotates"]
	require.Equal(t, plugin.AnalyzerPolicyTypeResource, p.Type)
	require.Equal(t, plugin.AnalyzerPolicyTypeStack, byName["has-alias"].Type)
	require.Equal(t, apitype.PolicySeverityHigh, p.Severity)
	require.Equal(t, float64(30), p.ConfigSchema.Properties["days"]["maximum"])
	require.Contains(t, p.RemediationSteps, "EnableKeyRotation")
	require.Equal(t, []string{"guide:practices.kms.key-rotation", "fsbp:KMS.4", "nist:SC-12", "nist:SC-13"}, p.Tags)
	require.Equal(t, "KMS.4", p.Framework.Reference)

	require.Equal(t, float64(30), info.InitialConfig["rotates"].Properties["days"])
	require.NoError(t, client.Configure(t.Context(), info.InitialConfig), "the pack accepts its own defaults")

	plug, err := client.GetPluginInfo(t.Context())
	require.NoError(t, err)
	require.Equal(t, "1.2.3", plug.Version.String())
}

// A pack has its own opinion of rules that others wrote, and its configuration has
// the last word.
func TestAPackSetsLevels(t *testing.T) {
	t.Parallel()
	a, err := New(Options{
		Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation, explicit},
		Levels: map[string]rule.Level{"rotates": rule.Advisory, "has-alias": rule.Disabled},
	})
	require.NoError(t, err)
	info, err := a.GetAnalyzerInfo(t.Context())
	require.NoError(t, err)
	require.Equal(t, rule.Disabled, info.InitialConfig["has-alias"].EnforcementLevel)
	for want, config := range map[rule.Level]configs{rule.Advisory: nil, rule.Mandatory: {"rotates": {EnforcementLevel: rule.Mandatory}}} {
		require.NoError(t, a.Configure(t.Context(), config))
		res, err := a.Analyze(t.Context(), key("app", off()))
		require.NoError(t, err)
		require.Equal(t, want, res.Diagnostics[0].EnforcementLevel)
	}
	require.Equal(t, rule.Mandatory, rotation.Level, "the rule itself stays as it is")

	_, err = New(Options{
		Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation},
		Levels: map[string]rule.Level{"rotate": rule.Advisory, "rotates": "sometimes"},
	})
	require.ErrorContains(t, err, "Levels: rotate: there is no such policy: did you mean rotates?")
	require.ErrorContains(t, err, `Level "sometimes" is not one of`)
}

func TestNewReportsEveryBadRule(t *testing.T) {
	t.Parallel()
	named := func(n string) rule.Rule { r := rotation; r.Name = n; return r }
	_, err := New(Options{Version: "one", Rules: []rule.Rule{rotation, rotation, named("all"), named("Bad")}})
	for _, want := range []string{
		"Name must be set", `Version "one"`, `rule "rotates": the name is used twice`, `rule "all": the name is reserved`, "kebab-case",
	} {
		require.ErrorContains(t, err, want)
	}
}
