package monitoring_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

func buildDetector(change func(*monitoring.DetectorArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		ready, err := newReady(ctx)
		if err != nil {
			return err
		}
		args := &monitoring.DetectorArgs{
			Prefix: prefix, Scope: scope, Singleton: manage, Features: []monitoring.Feature{monitoring.S3DataEvents, monitoring.LambdaNetworkLogs},
			Export: &monitoring.FindingsExport{BucketArn: pulumi.String("arn:aws:s3:::redoubt-dev-audit"), KmsKeyArn: pulumi.String(messagingKey), Ready: ready},
		}
		change(args)
		_, err = monitoring.NewDetector(ctx, "threats", args)
		return err
	}
}

func TestDetectorHasTheFeaturesThatWereAskedFor(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildDetector(func(a *monitoring.DetectorArgs) { a.Protect = true }))
	detector := g.Only("aws:guardduty/detector:Detector")
	require.True(t, detector.Protect)
	require.Equal(t, "FIFTEEN_MINUTES", detector.Input("findingPublishingFrequency"))
	status := map[any]any{}
	for _, f := range g.ByType("aws:guardduty/detectorFeature:DetectorFeature") {
		require.Equal(t, detector.ID, f.Input("detectorId"))
		status[f.Input("name")] = f.Input("status")
	}
	require.Equal(t, map[any]any{
		"S3_DATA_EVENTS": "ENABLED", "LAMBDA_NETWORK_LOGS": "ENABLED", "EBS_MALWARE_PROTECTION": "DISABLED",
		"RDS_LOGIN_EVENTS": "DISABLED", "EKS_AUDIT_LOGS": "DISABLED", "RUNTIME_MONITORING": "DISABLED",
	}, status)
	export := g.Only("aws:guardduty/publishingDestination:PublishingDestination")
	require.Equal(t, messagingKey, export.Input("kmsKeyArn"))
	require.True(t, g.Depends(export, g.Only("test:test:Ready")))
}

func TestRuntimeMonitoringManagesItsAgents(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildDetector(func(a *monitoring.DetectorArgs) {
		a.Features, a.Export = []monitoring.Feature{monitoring.RuntimeMonitoring}, nil
	}))
	runtime := g.One("aws:guardduty/detectorFeature:DetectorFeature", "threats-RUNTIME_MONITORING")
	require.Len(t, runtime.Input("additionalConfigurations"), 3)
	require.Equal(t, "ENABLED", runtime.Input("additionalConfigurations[1].status"))
	require.Empty(t, g.ByType("aws:guardduty/publishingDestination:PublishingDestination"))
}

// detectors answers the look-up of the region's detector.
type detectors struct {
	id   string
	made []string
}

func (d *detectors) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.Custom {
		d.made = append(d.made, args.TypeToken)
	}
	return args.Name, args.Inputs, nil
}

func (d *detectors) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{"id": resource.NewProperty(d.id)}, nil
}

func TestDetectorIsAdopted(t *testing.T) {
	t.Parallel()
	const there, named = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	for id, want := range map[string]string{"": there, named: named} {
		mocks := &detectors{id: there}
		got := make(chan string, 1)
		err := pulumi.RunErr(func(ctx *pulumi.Context) error {
			d, err := monitoring.NewDetector(ctx, "threats", &monitoring.DetectorArgs{
				Prefix: prefix, Scope: scope, Singleton: singleton.Singleton{Mode: singleton.Adopt, ID: id},
			})
			if err != nil {
				return err
			}
			d.ID.ApplyT(func(id string) string { got <- id; return id })
			return nil
		}, pulumi.WithMocks("redoubt", "test", mocks))
		require.NoError(t, err)
		require.Equal(t, want, <-got)
		require.Empty(t, mocks.made, "an adopted detector is not changed")
	}
}

func TestDetectorSaysWhatToDoIfThereIsNone(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(buildDetector(func(a *monitoring.DetectorArgs) { a.Singleton.Mode = singleton.Adopt }))
	require.ErrorContains(t, err, "switch GuardDuty on, or use mode manage")
}

func TestDetectorOff(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildDetector(func(a *monitoring.DetectorArgs) { a.Singleton = off }))
	require.Empty(t, g.ByType("aws:guardduty/detector:Detector"))
	require.Empty(t, g.ByType("aws:guardduty/detectorFeature:DetectorFeature"))
}

func TestDetectorReportsEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(buildDetector(func(a *monitoring.DetectorArgs) {
		*a = monitoring.DetectorArgs{
			Singleton: singleton.Singleton{Mode: singleton.Adopt, ID: "d-1"}, Features: []monitoring.Feature{"S3_LOGS"}, Export: &monitoring.FindingsExport{},
		}
	}))
	for _, want := range []string{"prefix:", `singleton.id: "d-1"`, `features[0]: "S3_LOGS"`, "export.bucketArn:", "export.kmsKeyArn:", "export.ready:"} {
		require.ErrorContains(t, err, want)
	}
}

func TestMalwareScanTagsObjects(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := monitoring.NewMalwareScan(ctx, "uploads", &monitoring.MalwareScanArgs{
			Prefix: prefix, Scope: scope, Bucket: "redoubt-dev-data", KeyAlias: "alias/redoubt-dev-app", Prefixes: []string{"app/"},
		})
		return err
	}, graphtest.Preview())
	plan := g.Only("aws:guardduty/malwareProtectionPlan:MalwareProtectionPlan")
	require.Equal(t, "redoubt-dev-data", plan.Input("protectedResource.s3Bucket.bucketName"))
	require.Equal(t, "ENABLED", plan.Input("actions[0].taggings[0].status"))
	policy := g.Only("aws:iam/rolePolicy:RolePolicy")
	require.Contains(t, policy.Input("policy"), "arn:aws:s3:::redoubt-dev-data/malware-protection-resource-validation-object")
	require.True(t, g.Depends(plan, policy), "GuardDuty tries the role when the plan is made")
}

func TestMalwareScanReportsEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewMalwareScan(ctx, "uploads", &monitoring.MalwareScanArgs{Prefixes: make([]string, 6)})
		return err
	})
	for _, want := range []string{"prefix:", "bucket:", "keyAlias:", "prefixes: 6"} {
		require.ErrorContains(t, err, want)
	}
}
