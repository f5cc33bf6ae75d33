package data_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const replicaRegion = "eu-west-1"

var scope = identity.Scope{Partition: graphtest.Partition, Region: graphtest.Region, AccountID: graphtest.AccountID}

// statement returns the statement with that id from a policy known at preview.
func statement(t *testing.T, r *graphtest.Resource, property, sid string) identity.Statement {
	t.Helper()
	text, ok := r.Input(property).(string)
	require.True(t, ok)
	require.NotEqual(t, graphtest.Unknown, text, "%s of %s is decidable at preview", property, r.Name)
	var doc identity.Document
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	i := slices.IndexFunc(doc, func(s identity.Statement) bool { return s.Sid == sid })
	require.GreaterOrEqual(t, i, 0, "statement %q in %s", sid, text)
	return doc[i]
}

func keyArgs() *data.KeyArgs {
	return &data.KeyArgs{
		Scope: scope, Alias: "redoubt-dev-app", Description: data.AppKeyDescription, DeletionWindowInDays: 30,
		Tags: map[string]string{"environment": "dev"},
	}
}

// replicated adds a replica in another region to the key.
func replicated(ctx *pulumi.Context, args *data.KeyArgs) error {
	provider, err := aws.NewProvider(ctx, "replica", &aws.ProviderArgs{Region: pulumi.String(replicaRegion)})
	args.MultiRegion, args.Replica = true, &data.KeyReplica{Region: replicaRegion, Provider: provider}
	return err
}

func TestKeyHasTheGuidesLiterals(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		args := keyArgs()
		args.Users, args.Protect = []data.KeyUser{data.KeyForLogs}, true
		if err := replicated(ctx, args); err != nil {
			return err
		}
		_, err := data.NewKey(ctx, "app", args)
		return err
	}, graphtest.Preview())

	key := g.Only("aws:kms/key:Key")
	require.Equal(t, "Application encryption key", key.Input("description"))
	require.EqualValues(t, 30, key.Input("deletionWindowInDays"))
	require.Equal(t, true, key.Input("enableKeyRotation"))
	require.EqualValues(t, 365, key.Input("rotationPeriodInDays"))
	require.Equal(t, true, key.Input("multiRegion"))
	require.False(t, key.Has("bypassPolicyLockoutSafetyCheck"))
	require.True(t, key.Protect)
	require.True(t, key.RetainOnDelete)
	require.Equal(t, "redoubt-dev-app", key.Input("tags.Name"))

	root := statement(t, key, "policy", "Enable IAM User Permissions")
	require.Equal(t, []string{"arn:aws:iam::123456789012:root"}, root.Principals.AWS)
	require.Equal(t, []string{"kms:*"}, root.Actions)
	require.Empty(t, root.Conditions, "without an organization nothing could match a condition on one")

	require.Equal(t, "alias/redoubt-dev-app", g.One("aws:kms/alias:Alias", "app-alias").Input("name"))

	replica := g.Only("aws:kms/replicaKey:ReplicaKey")
	require.True(t, replica.Protect)
	require.Contains(t, replica.Provider, "replica")
	require.Contains(t, g.One("aws:kms/alias:Alias", "app-replica-alias").Provider, "replica")
	here := statement(t, key, "policy", "Allow CloudWatch Logs")
	there := statement(t, replica, "policy", "Allow CloudWatch Logs")
	require.Equal(t, []string{"logs.eu-central-1.amazonaws.com"}, here.Principals.Service)
	require.Equal(t, []string{"logs.eu-west-1.amazonaws.com"}, there.Principals.Service, "the replica's policy is its region's")
	require.Equal(t, []string{"arn:aws:logs:eu-west-1:123456789012:log-group:*"}, there.Conditions[0].Values)
}

func TestKeyPolicyHoldsToTheOrganization(t *testing.T) {
	t.Parallel()
	build := func(mode data.KeyPolicyMode) *graphtest.Resource {
		return graphtest.Run(t, func(ctx *pulumi.Context) error {
			args := keyArgs()
			args.OrgID, args.Mode = "o-abc1234567", mode
			_, err := data.NewKey(ctx, "app", args)
			return err
		}).Only("aws:kms/key:Key")
	}

	guided := statement(t, build(data.Guide), "policy", "Enable IAM User Permissions")
	require.Equal(t, []identity.Condition{{Test: "StringEquals", Key: "aws:PrincipalOrgID", Values: []string{"o-abc1234567"}}}, guided.Conditions)

	perimeter := build("")
	require.Empty(t, statement(t, perimeter, "policy", "Enable IAM User Permissions").Conditions, "administrators keep a way back")
	deny := statement(t, perimeter, "policy", "Deny Outside Organization")
	require.Equal(t, identity.Deny, deny.Effect)
	require.True(t, deny.Principals.Any)
	require.Equal(t, []identity.Condition{
		{Test: "BoolIfExists", Key: "aws:PrincipalIsAWSService", Values: []string{"false"}},
		{Test: "StringNotEquals", Key: "aws:PrincipalOrgID", Values: []string{"o-abc1234567"}},
	}, deny.Conditions)
}

func TestKeyUsersGetTheirStatements(t *testing.T) {
	t.Parallel()
	users := []data.KeyUser{
		data.KeyForLogs, data.KeyForAlarms, data.KeyForEvents, data.KeyForTopics, data.KeyForBucketEvents,
		data.KeyForCostAlerts, data.KeyForBudgets, data.KeyForBackup, data.KeyForCloudTrail, data.KeyForConfig,
		data.KeyForGuardDuty, data.KeyForLogDelivery, data.KeyForFargate, data.KeyForServiceGrants, data.KeyForDatabaseEvents, data.KeyForDistributions,
	}
	build := func(s identity.Scope) *graphtest.Resource {
		return graphtest.Run(t, func(ctx *pulumi.Context) error {
			args := keyArgs()
			args.Scope, args.Users, args.WorkloadRoles = s, users, []string{"redoubt-dev-api-task"}
			_, err := data.NewKey(ctx, "app", args)
			return err
		}).Only("aws:kms/key:Key")
	}
	key := build(scope)
	for sid, want := range map[string]struct {
		service, action string
		keys            []string
	}{
		"Allow CloudWatch Logs":        {"logs.eu-central-1.amazonaws.com", "kms:Encrypt*", []string{"kms:EncryptionContext:aws:logs:arn"}},
		"Allow CloudWatch Alarms":      {"cloudwatch.amazonaws.com", "kms:GenerateDataKey*", []string{"aws:SourceAccount"}},
		"Allow EventBridge":            {"events.amazonaws.com", "kms:GenerateDataKey*", nil},
		"Allow SNS":                    {"sns.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow S3 Events":              {"s3.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow Cost Anomaly Detection": {"costalerts.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow Budgets":                {"budgets.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow Backup":                 {"backup.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow CloudTrail Encrypt":     {"cloudtrail.amazonaws.com", "kms:GenerateDataKey*", []string{"aws:SourceArn", "kms:EncryptionContext:aws:cloudtrail:arn"}},
		"Allow CloudTrail Decrypt":     {"cloudtrail.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow CloudTrail Describe":    {"cloudtrail.amazonaws.com", "kms:DescribeKey", nil},
		"Allow RDS Events":             {"events.rds.amazonaws.com", "kms:GenerateDataKey*", []string{"aws:SourceAccount"}},
		"Allow Config":                 {"config.amazonaws.com", "kms:Decrypt", []string{"aws:SourceAccount"}},
		"Allow GuardDuty Export":       {"guardduty.amazonaws.com", "kms:GenerateDataKey*", []string{"aws:SourceArn", "aws:SourceAccount"}},
		"Allow Log Delivery":           {"delivery.logs.amazonaws.com", "kms:Encrypt", []string{"aws:SourceArn", "aws:SourceAccount"}},
		"Allow Fargate Storage Keys":   {"fargate.amazonaws.com", "kms:GenerateDataKeyWithoutPlaintext", []string{"kms:EncryptionContext:aws:ecs:clusterAccount"}},
		"Allow Fargate Storage Grants": {"fargate.amazonaws.com", "kms:CreateGrant", []string{"kms:GrantOperations", "kms:EncryptionContext:aws:ecs:clusterAccount"}},
	} {
		s := statement(t, key, "policy", sid)
		require.Equal(t, []string{want.service}, s.Principals.Service, sid)
		require.Contains(t, s.Actions, want.action, sid)
		var keys []string
		for _, c := range s.Conditions {
			keys = append(keys, c.Key)
		}
		require.ElementsMatch(t, want.keys, keys, sid)
	}
	grants := statement(t, key, "policy", "Allow Grants For AWS Resources")
	require.Equal(t, identity.Condition{Test: "Bool", Key: "kms:GrantIsForAWSResource", Values: []string{"true"}}, grants.Conditions[0])

	workload := statement(t, key, "policy", "Allow Workload Through Services")
	require.Equal(t, []string{"arn:aws:iam::123456789012:root"}, workload.Principals.AWS, "KMS refuses roles that do not exist yet")
	require.Contains(t, workload.Conditions, identity.Condition{
		Test: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::123456789012:role/redoubt-dev-api-task"},
	})
	require.False(t, strings.Contains(key.Input("policy").(string), "{"+"region}"), "placeholders are filled")

	optIn := build(scope.In("eu-south-1"))
	require.Equal(t, []string{"guardduty.eu-south-1.amazonaws.com"}, statement(t, optIn, "policy", "Allow GuardDuty Export").Principals.Service)
}

func TestKeyArgsFindings(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := data.NewKey(ctx, "app", &data.KeyArgs{
			Scope: identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "1"}, Alias: "alias/app",
			DeletionWindowInDays: 3, OrgID: "o-1", Mode: "open", Users: []data.KeyUser{"mars", "mars"},
			Replica: &data.KeyReplica{Region: "eu-central-1"},
		})
		return err
	})
	for _, want := range []string{
		"scope.accountId", "description: empty", "deletionWindowInDays: 3", "orgId: ", "mode: ", "users[0]: \"mars\" is not",
		"users[1]: \"mars\" twice", "replica: the key is not multi-region", "replica.region", "replica.provider: nil",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		args := keyArgs()
		args.Alias = "aws/app"
		_, err := data.NewKey(ctx, "app", args)
		return err
	})
	require.ErrorContains(t, err, "not under aws/")
}

func TestKeyRotatesAsOftenAsToldTo(t *testing.T) {
	t.Parallel()
	build := func(days int) (*graphtest.Graph, error) {
		return graphtest.Build(func(ctx *pulumi.Context) error {
			args := keyArgs()
			args.RotationPeriodInDays = days
			_, err := data.NewKey(ctx, "app", args)
			return err
		})
	}
	g, err := build(90)
	require.NoError(t, err)
	require.EqualValues(t, 90, g.ByType("aws:kms/key:Key")[0].Input("rotationPeriodInDays"))
	_, err = build(89)
	require.ErrorContains(t, err, "rotationPeriodInDays: 89")
}

func TestTaskStorageWantsAKeyOfOneRegion(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		args := keyArgs()
		args.MultiRegion, args.Users = true, []data.KeyUser{data.KeyForLogs, data.KeyForFargate}
		_, err := data.NewKey(ctx, "app", args)
		return err
	})
	require.ErrorContains(t, err, `users[1]: "fargate" with multiRegion`)
}

func TestComponentsServeTheGuide(t *testing.T) {
	t.Parallel()
	require.Len(t, data.Components, 8)
	for _, c := range data.Components {
		require.Regexp(t, `^redoubt:data:[A-Z]\w+$`, c.Token)
		require.NotEmpty(t, c.Serves)
		for _, id := range c.Serves {
			_, ok := guide.Lookup(id)
			require.True(t, ok, "%s serves %s, which the guide does not have", c.Token, id)
		}
	}
}
