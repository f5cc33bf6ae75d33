package monitoring_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/infra/singleton"
	"redoubt/internal/eventpattern"
	"redoubt/internal/graphtest"
)

const configRule = "aws:cfg/rule:Rule"

func buildRecorder(change func(*monitoring.RecorderArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		ready, err := newReady(ctx)
		if err != nil {
			return err
		}
		args := &monitoring.RecorderArgs{
			Prefix: prefix, Scope: scope, Singleton: manage, Bucket: "redoubt-dev-audit", BucketReady: ready,
			KmsKeyArn: pulumi.String(messagingKey), KeyAlias: "alias/redoubt-dev-audit", Rules: monitoring.AllRules,
		}
		change(args)
		_, err = monitoring.NewRecorder(ctx, "config", args)
		return err
	}
}

func TestRecorderRecordsAndJudges(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildRecorder(func(a *monitoring.RecorderArgs) {
		a.Continuous, a.GlobalTypes, a.Protect = true, true, true
		a.Values = map[string]map[string]string{"ACCESS_KEYS_ROTATED": {"maxAccessKeyAge": "30"}}
		a.ConformancePack = "Resources: {}"
	}))
	recorder, channel, status := g.Only("aws:cfg/recorder:Recorder"), g.Only("aws:cfg/deliveryChannel:DeliveryChannel"), g.Only("aws:cfg/recorderStatus:RecorderStatus")
	require.True(t, recorder.Protect)
	require.Equal(t, true, recorder.Input("recordingGroup.allSupported"))
	require.Equal(t, true, recorder.Input("recordingGroup.includeGlobalResourceTypes"))
	require.Equal(t, "CONTINUOUS", recorder.Input("recordingMode.recordingFrequency"))
	require.Equal(t, messagingKey, channel.Input("s3KmsKeyArn"))
	require.True(t, g.Depends(channel, recorder) && g.Depends(status, channel) && g.Depends(channel, g.Only("test:test:Ready")))
	rules := g.ByType(configRule)
	require.Greater(t, len(rules), 30)
	for _, r := range rules {
		require.True(t, g.Depends(r, status), "AWS Config refuses rules while nothing is recorded: %s", r.Name)
		require.Equal(t, "AWS", r.Input("source.owner"))
		require.False(t, r.Has("maximumExecutionFrequency"), "refused on rules that look at changes")
	}
	require.Equal(t, `{"maxAccessKeyAge":"30"}`, g.One(configRule, "config-access-keys-rotated").Input("inputParameters"))
	require.False(t, g.One(configRule, "config-s3-bucket-versioning-enabled").Has("inputParameters"))
	require.Equal(t, `{"maxDaysSinceRotation":"90"}`, g.One(configRule, "config-secretsmanager-secret-periodic-rotation").Input("inputParameters"))
	require.Equal(t, "Resources: {}", g.Only("aws:cfg/conformancePack:ConformancePack").Input("templateBody"))
}

func TestRecorderModesAndRuleSets(t *testing.T) {
	t.Parallel()
	adopt := singleton.Singleton{Mode: singleton.Adopt}
	for _, tc := range []struct {
		name      string
		singleton singleton.Singleton
		rules     monitoring.RuleSet
		recorders int
		some      bool
	}{
		{"manage without rules", manage, monitoring.NoRules, 1, false},
		{"manage, core", manage, monitoring.CoreRules, 1, true},
		{"adopt, core", adopt, monitoring.CoreRules, 0, true},
		{"off", off, monitoring.AllRules, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := graphtest.Run(t, buildRecorder(func(a *monitoring.RecorderArgs) { a.Singleton, a.Rules = tc.singleton, tc.rules }))
			require.Len(t, g.ByType("aws:cfg/recorder:Recorder"), tc.recorders)
			require.Equal(t, tc.some, len(g.ByType(configRule)) > 0)
			require.Less(t, len(g.ByType(configRule)), 30)
		})
	}
}

// A hand-rotated secret that nobody rotates is a hole that only this rule sees,
// so it is in the core; and the alert on it must name the rule as it is named.
func TestOldSecretsAreTold(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildRecorder(func(a *monitoring.RecorderArgs) {
		a.Rules = monitoring.CoreRules
		a.Values = map[string]map[string]string{monitoring.SecretAgeRule: {"maxDaysSinceRotation": "365"}}
	}))
	rule := g.One(configRule, "config-secretsmanager-secret-periodic-rotation")
	require.Equal(t, "SECRETSMANAGER_SECRET_PERIODIC_ROTATION", rule.Input("source.sourceIdentifier"))
	require.Equal(t, `{"maxDaysSinceRotation":"365"}`, rule.Input("inputParameters"))

	text := graphtest.Run(t, buildAlerts()).One(eventRule, "events-secret-age").Input("eventPattern").(string)
	pattern, err := eventpattern.Compile([]byte(text))
	require.NoError(t, err)
	hit, err := pattern.Matches([]byte(`{"source":"aws.config","detail-type":"Config Rules Compliance Change","detail":{"messageType":"ComplianceChangeNotification",` +
		`"configRuleName":"` + rule.Input("name").(string) + `","newEvaluationResult":{"complianceType":"NON_COMPLIANT"}}}`))
	require.NoError(t, err)
	require.True(t, hit)
}

func TestRecorderReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*monitoring.RecorderArgs)
		want   []string
	}{
		{
			"empty", func(a *monitoring.RecorderArgs) { *a = monitoring.RecorderArgs{Singleton: manage} },
			[]string{"prefix:", `rules: "" is no rule set`, "bucket:", "bucketReady:", "kmsKeyArn:", "keyAlias:"},
		},
		{
			"a rule that is not there", func(a *monitoring.RecorderArgs) { a.Values = map[string]map[string]string{"NO_RULE": {"a": "b"}} },
			[]string{`values["NO_RULE"]: no rule`},
		},
		{"a parameter that is not there", func(a *monitoring.RecorderArgs) {
			a.Values = map[string]map[string]string{"ACCESS_KEYS_ROTATED": {"maxAge": "1"}}
		}, []string{`the rule has no parameter "maxAge" (one of [maxAccessKeyAge])`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(buildRecorder(tc.change))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
