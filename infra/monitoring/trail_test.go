package monitoring_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

var (
	manage = singleton.Singleton{Mode: singleton.Manage}
	off    = singleton.Singleton{Mode: singleton.Off}
)

// policyReady stands for a bucket's policy.
type policyReady struct{ pulumi.CustomResourceState }

func newReady(ctx *pulumi.Context) ([]pulumi.Resource, error) {
	r := &policyReady{}
	return []pulumi.Resource{r}, ctx.RegisterResource("test:test:Ready", "ready", pulumi.Map{}, r)
}

func trailArgs(ready []pulumi.Resource) *monitoring.TrailArgs {
	return &monitoring.TrailArgs{
		Prefix: prefix, Scope: scope, Singleton: manage, Bucket: pulumi.String("redoubt-dev-audit"), BucketReady: ready,
		KmsKeyArn: pulumi.String(messagingKey), LogKmsKeyArn: pulumi.String(logsKey), RetentionInDays: 120,
	}
}

func buildTrail(change func(*monitoring.TrailArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		ready, err := newReady(ctx)
		if err != nil {
			return err
		}
		args := trailArgs(ready)
		change(args)
		_, err = monitoring.NewTrail(ctx, "trail", args)
		return err
	}
}

func TestTrailSeesEverythingAndCanBeTrusted(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildTrail(func(a *monitoring.TrailArgs) {
		a.DataBuckets, a.Functions, a.Insights, a.Protect = []string{"redoubt-dev-data"}, true, true, true
	}))
	trail := g.Only("aws:cloudtrail/trail:Trail")
	require.True(t, trail.Protect)
	for _, on := range []string{"enableLogging", "enableLogFileValidation", "isMultiRegionTrail", "includeGlobalServiceEvents"} {
		require.Equal(t, true, trail.Input(on), on)
	}
	require.Equal(t, messagingKey, trail.Input("kmsKeyId"))
	require.Equal(t, "arn:aws:logs:eu-central-1:123456789012:log-group:/redoubt-dev/trail:*", trail.Input("cloudWatchLogsGroupArn"))
	require.Len(t, trail.Input("insightSelectors"), 2)
	require.Len(t, trail.Input("advancedEventSelectors"), 3)
	require.Equal(t, []any{map[string]any{"field": "eventCategory", "equals": []any{"Management"}}},
		trail.Input("advancedEventSelectors[0].fieldSelectors"), "no event source is left out, KMS's least of all")
	require.Equal(t, []any{"arn:aws:s3:::redoubt-dev-data/"}, trail.Input("advancedEventSelectors[1].fieldSelectors[2].startsWiths"))
	require.Equal(t, "aws:iam/role:Role", g.Refers(trail.Input("cloudWatchLogsRoleArn")).Type)
	require.True(t, g.Depends(trail, g.Only("test:test:Ready")), "CloudTrail writes into the bucket when the trail is made")
	require.True(t, g.Depends(trail, g.Only("aws:iam/rolePolicy:RolePolicy")))
}

func TestTrailRecordsManagementEventsAlone(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildTrail(func(*monitoring.TrailArgs) {}), graphtest.Preview())
	trail := g.Only("aws:cloudtrail/trail:Trail")
	require.Len(t, trail.Input("advancedEventSelectors"), 1)
	require.False(t, trail.Has("insightSelectors"))
	require.False(t, trail.Protect)
	var policy any
	require.NoError(t, json.Unmarshal([]byte(g.Only("aws:iam/rolePolicy:RolePolicy").Input("policy").(string)), &policy), "known at preview")
}

func TestTrailIsAdoptedOrLeftOut(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]singleton.Singleton{
		"adopt": {Mode: singleton.Adopt, ID: "organization-trail"}, "off": off,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := graphtest.Run(t, func(ctx *pulumi.Context) error {
				trail, err := monitoring.NewTrail(ctx, "trail", &monitoring.TrailArgs{Prefix: prefix, Scope: scope, Singleton: mode, LogGroup: "org/trail"})
				if err != nil {
					return err
				}
				require.Equal(t, mode.Adopted(), trail.LogGroupName != nil)
				ctx.Export("arn", trail.Arn)
				return nil
			})
			require.Len(t, g.Resources, 1, "the component and nothing else")
		})
	}
}

func TestTrailReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*monitoring.TrailArgs)
		want   []string
	}{
		{
			"empty", func(a *monitoring.TrailArgs) { *a = monitoring.TrailArgs{Singleton: manage} },
			[]string{"prefix:", "scope.region:", "bucket:", "bucketReady:", "kmsKeyArn:", "logKmsKeyArn:", "retentionInDays: 0"},
		},
		{"no mode", func(a *monitoring.TrailArgs) { a.Singleton.Mode = "" }, []string{`singleton: mode ""`}},
		{"adopted without a name", func(a *monitoring.TrailArgs) { a.Singleton.Mode = singleton.Adopt }, []string{`singleton.id: "" is no trail's name`}},
		{"a log group of somebody else", func(a *monitoring.TrailArgs) { a.LogGroup = "x" }, []string{"logGroup: set"}},
		{"a bucket's ARN", func(a *monitoring.TrailArgs) { a.DataBuckets = []string{"arn:aws:s3:::b"} }, []string{"dataBuckets[0]:"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(buildTrail(tc.change))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
