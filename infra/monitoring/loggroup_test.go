package monitoring_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

const logsKey = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555"

func TestLogGroupIsEncryptedAndExpires(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := monitoring.NewLogGroup(ctx, "redoubt-dev-app", &monitoring.LogGroupArgs{
			Name: "/redoubt-dev/app", KmsKeyArn: pulumi.String(logsKey), RetentionInDays: 30,
			Tags: map[string]string{"owner": "platform"},
		})
		return err
	})
	component := g.Only(monitoring.LogGroupComponent.Token)
	group := g.Only("aws:cloudwatch/logGroup:LogGroup")
	require.Equal(t, component.URN, group.Parent)
	require.Equal(t, "/redoubt-dev/app", group.Input("name"))
	require.Equal(t, logsKey, group.Input("kmsKeyId"))
	require.EqualValues(t, 30, group.Input("retentionInDays"))
	require.Equal(t, map[string]any{"Name": "/redoubt-dev/app", "owner": "platform"}, group.Input("tags"))
}

func TestMaskedLogGroupHidesAndCounts(t *testing.T) {
	t.Parallel()
	build := func(maskIn string) *graphtest.Graph {
		return graphtest.Run(t, func(ctx *pulumi.Context) error {
			_, err := monitoring.NewLogGroup(ctx, "app", &monitoring.LogGroupArgs{
				Name: "/app/dev/app", KmsKeyArn: pulumi.String(logsKey), RetentionInDays: 30, MaskIn: maskIn,
			})
			return err
		})
	}
	const typ = "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy"
	g := build("aws-us-gov")
	policy := g.Only(typ)
	require.Same(t, g.Only("aws:cloudwatch/logGroup:LogGroup"), g.Refers(policy.Input("logGroupName")))
	var doc struct {
		Version   string
		Statement []struct {
			DataIdentifier []string
			Operation      map[string]map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(policy.Input("policyDocument").(string)), &doc))
	require.Equal(t, "2021-06-01", doc.Version)
	require.Len(t, doc.Statement, 2, "AWS takes exactly an Audit and a Deidentify")
	require.Contains(t, doc.Statement[0].Operation, "Audit")
	require.Contains(t, doc.Statement[1].Operation, "Deidentify")
	require.Equal(t, doc.Statement[0].DataIdentifier, doc.Statement[1].DataIdentifier, "AWS refuses two lists that differ")
	require.Contains(t, doc.Statement[1].DataIdentifier, "arn:aws-us-gov:dataprotection::aws:data-identifier/AwsSecretKey")
	require.Empty(t, build("").ByType(typ))
}

func TestLogGroupReportsEveryFinding(t *testing.T) {
	t.Parallel()
	key := pulumi.String(logsKey)
	for _, tc := range []struct {
		name string
		args *monitoring.LogGroupArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &monitoring.LogGroupArgs{}, []string{"name:", "kmsKeyArn:", "retentionInDays:"}},
		{"blank in the name", &monitoring.LogGroupArgs{Name: "/a b", KmsKeyArn: key, RetentionInDays: 1}, []string{"name:"}},
		{"reserved name", &monitoring.LogGroupArgs{Name: "aws/x", KmsKeyArn: key, RetentionInDays: 1}, []string{"which AWS reserves"}},
		{"never expires", &monitoring.LogGroupArgs{Name: "/a", KmsKeyArn: key}, []string{"retentionInDays: 0"}},
		{"a period that AWS does not know", &monitoring.LogGroupArgs{Name: "/a", KmsKeyArn: key, RetentionInDays: 31}, []string{"retentionInDays: 31"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := monitoring.NewLogGroup(ctx, "logs", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestRetentionDaysAscend(t *testing.T) {
	t.Parallel()
	require.IsIncreasing(t, monitoring.RetentionDays)
}
