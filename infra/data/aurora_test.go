package data_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const clusterType = "aws:rds/cluster:Cluster"

func auroraArgs() *data.AuroraArgs {
	return &data.AuroraArgs{
		Scope: scope, Identifier: "redoubt-prod", EngineVersion: "16.6", DatabaseName: "app",
		MinACU: 0.5, MaxACU: 4, Instances: 2,
		SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-aurora"}),
		KmsKeyArn:        pulumi.String(keyARN), LogKmsKeyArn: pulumi.String(keyARN),
		LogRetentionInDays: 30, BackupRetentionDays: 35, SecretRotationDays: 30,
		DeletionProtection: true, MonitoringRoleName: "redoubt-prod-rds-monitoring", Protect: true,
	}
}

func aurora(change func(*data.AuroraArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		args := auroraArgs()
		change(args)
		_, err := data.NewAurora(ctx, "db", args)
		return err
	}
}

func TestAuroraCluster(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, aurora(func(*data.AuroraArgs) {}))
	cluster := g.Only(clusterType)
	for field, want := range map[string]any{
		"clusterIdentifier":                            "redoubt-prod",
		"engine":                                       "aurora-postgresql",
		"engineVersion":                                "16.6",
		"storageEncrypted":                             true,
		"kmsKeyId":                                     keyARN,
		"manageMasterUserPassword":                     true,
		"masterUserSecretKmsKeyId":                     keyARN,
		"iamDatabaseAuthenticationEnabled":             true,
		"deletionProtection":                           true,
		"skipFinalSnapshot":                            false,
		"finalSnapshotIdentifier":                      "redoubt-prod-final",
		"copyTagsToSnapshot":                           true,
		"backupRetentionPeriod":                        35.0,
		"serverlessv2ScalingConfiguration.minCapacity": 0.5,
		"serverlessv2ScalingConfiguration.maxCapacity": 4.0,
		"enabledCloudwatchLogsExports[0]":              "postgresql",
	} {
		require.Equal(t, want, cluster.Input(field), field)
	}
	require.False(t, cluster.Has("masterPassword"), "no password in the state")
	require.False(t, cluster.Has("availabilityZones"), "RDS adds zones, which would show a replacement")
	require.True(t, cluster.Protect)

	group := g.Only("aws:cloudwatch/logGroup:LogGroup")
	require.Equal(t, "/aws/rds/cluster/redoubt-prod/postgresql", group.Input("name"))
	require.True(t, g.Depends(cluster, group), "RDS would make the group unencrypted")
}

func TestAuroraInstances(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, aurora(func(*data.AuroraArgs) {}))
	instances := g.ByType("aws:rds/clusterInstance:ClusterInstance")
	require.Len(t, instances, 2)
	for i, instance := range instances {
		for field, want := range map[string]any{
			"instanceClass":               "db.serverless",
			"publiclyAccessible":          false,
			"caCertIdentifier":            "rds-ca-rsa2048-g1",
			"autoMinorVersionUpgrade":     true,
			"performanceInsightsEnabled":  true,
			"performanceInsightsKmsKeyId": keyARN,
			"monitoringInterval":          60.0,
			"promotionTier":               float64(i),
		} {
			require.Equal(t, want, instance.Input(field), field)
		}
		require.True(t, instance.Protect, "the cluster's deletion protection does not cover instances")
	}
	role := g.Only("aws:iam/role:Role")
	var trust identity.Document
	require.NoError(t, json.Unmarshal([]byte(role.Input("assumeRolePolicy").(string)), &trust))
	require.Equal(t, []string{"monitoring.rds.amazonaws.com"}, trust[0].Principals.Service)
	require.True(t, slices.ContainsFunc(trust[0].Conditions, func(c identity.Condition) bool {
		return c.Key == "aws:SourceArn" && c.Values[0] == "arn:aws:rds:eu-central-1:123456789012:db:redoubt-prod-*"
	}))
}

func TestAuroraParametersForceTLSAndAudit(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, aurora(func(*data.AuroraArgs) {}))
	group := g.Only("aws:rds/clusterParameterGroup:ClusterParameterGroup")
	require.Equal(t, "aurora-postgresql16", group.Input("family"))
	got := map[string]any{}
	for _, p := range group.Input("parameters").([]any) {
		parameter := p.(map[string]any)
		got[parameter["name"].(string)] = parameter["value"]
	}
	require.Equal(t, "1", got["rds.force_ssl"])
	require.Equal(t, "TLSv1.2", got["ssl_min_protocol_version"])
	require.Contains(t, got["shared_preload_libraries"], "pgaudit")
	require.Equal(t, "ddl,role,write", got["pgaudit.log"])
}

func TestAuroraSecretRotation(t *testing.T) {
	t.Parallel()
	const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1-AbCdEf"
	with := graphtest.Outputs(clusterType, resource.NewPropertyMapFromMap(map[string]any{
		"masterUserSecrets": []any{map[string]any{"secretArn": secret}},
	}))
	rotation := graphtest.Run(t, aurora(func(*data.AuroraArgs) {}), with).Only("aws:secretsmanager/secretRotation:SecretRotation")
	require.Equal(t, secret, rotation.Input("secretId"))
	require.EqualValues(t, 30, rotation.Input("rotationRules.automaticallyAfterDays"))
	require.False(t, rotation.Has("rotationLambdaArn"), "RDS rotates its secret itself")
}

// The SDK's own Index(0) panics on the empty list that an imported cluster has.
func TestAuroraWithoutSecretsDoesNotPanic(t *testing.T) {
	t.Parallel()
	without := graphtest.Outputs(clusterType, resource.PropertyMap{"masterUserSecrets": resource.NewProperty([]resource.PropertyValue{})})
	rotation := graphtest.Run(t, aurora(func(*data.AuroraArgs) {}), without).Only("aws:secretsmanager/secretRotation:SecretRotation")
	require.Equal(t, "", rotation.Input("secretId"))

	preview := graphtest.Run(t, aurora(func(*data.AuroraArgs) {}), graphtest.Preview()).Only("aws:secretsmanager/secretRotation:SecretRotation")
	require.Equal(t, graphtest.Unknown, preview.Input("secretId"))
}

func TestAuroraForDevelopmentHasNoSnapshotName(t *testing.T) {
	t.Parallel()
	cluster := graphtest.Run(t, aurora(func(args *data.AuroraArgs) {
		args.DeletionProtection, args.SkipFinalSnapshot, args.Protect, args.Instances = false, true, false, 1
	})).Only(clusterType)
	require.Equal(t, true, cluster.Input("skipFinalSnapshot"))
	require.False(t, cluster.Has("finalSnapshotIdentifier"))
	require.False(t, cluster.Protect)
}

func TestAuroraArgsFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*data.AuroraArgs){
		"identifier: ":                     func(a *data.AuroraArgs) { a.Identifier = "Prod--1" },
		"engineVersion: ":                  func(a *data.AuroraArgs) { a.EngineVersion = "16" },
		"databaseName: ":                   func(a *data.AuroraArgs) { a.DatabaseName = "1app" },
		"minACU: 0.7":                      func(a *data.AuroraArgs) { a.MinACU = 0.7 },
		"maxACU: 300":                      func(a *data.AuroraArgs) { a.MaxACU = 300 },
		"at least minACU 8":                func(a *data.AuroraArgs) { a.MinACU = 8 },
		"instances: 16":                    func(a *data.AuroraArgs) { a.Instances = 16 },
		"subnetIds: nil":                   func(a *data.AuroraArgs) { a.SubnetIDs = nil },
		"securityGroupIds: nil":            func(a *data.AuroraArgs) { a.SecurityGroupIDs = nil },
		"kmsKeyArn: nil":                   func(a *data.AuroraArgs) { a.KmsKeyArn = nil },
		"logKmsKeyArn: nil":                func(a *data.AuroraArgs) { a.LogKmsKeyArn = nil },
		"backupRetentionDays: 0 (1 to 35)": func(a *data.AuroraArgs) { a.BackupRetentionDays = 0 },
		"secretRotationDays: 0":            func(a *data.AuroraArgs) { a.SecretRotationDays = 0 },
		"monitoringRoleName: empty":        func(a *data.AuroraArgs) { a.MonitoringRoleName = "" },
		"logRetentionInDays: 13":           func(a *data.AuroraArgs) { a.LogRetentionInDays = 13 },
		"skipFinalSnapshot: set":           func(a *data.AuroraArgs) { a.SkipFinalSnapshot = true },
		"instanceClass: \"large\"":         func(a *data.AuroraArgs) { a.InstanceClass = "large" },
		"activityStreamKeyArn: set":        func(a *data.AuroraArgs) { a.ActivityStreamKeyArn = pulumi.String(keyARN) },
		"finalSnapshotSuffix: \"-2\"":      func(a *data.AuroraArgs) { a.FinalSnapshotSuffix = "-2" },
		"finalSnapshotSuffix: set":         func(a *data.AuroraArgs) { a.FinalSnapshotSuffix, a.SkipFinalSnapshot = "2", true },
		"backupTier: \"Daily\"":            func(a *data.AuroraArgs) { a.BackupTier = "Daily" },
		"continuousBackup: set without":    func(a *data.AuroraArgs) { a.ContinuousBackup = true },
		"scope.region: empty":              func(a *data.AuroraArgs) { a.Scope.Region = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(aurora(change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(clusterType))
		})
	}
}
