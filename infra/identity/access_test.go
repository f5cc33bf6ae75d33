package identity_test

import (
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

var glassAlarm = &identity.BreakGlassAlarm{
	TrailLogGroup: pulumi.String("/redoubt/trail"), TopicArn: pulumi.String("arn:aws:sns:eu-central-1:123456789012:redoubt-high"),
}

const admins = "arn:aws:iam::123456789012:root"

func accessArgs() *identity.AccessArgs {
	return &identity.AccessArgs{
		Scope: scope, Prefix: "redoubt",
		BreakGlass: []string{admins}, Support: []string{admins}, Auditors: []string{"arn:aws:iam::999999999999:role/audit"},
		Alarm: glassAlarm,
		SOC:   &identity.Partner{AccountID: "888888888888", ExternalID: "b7c3-41aa"},
		Tags:  map[string]string{"owner": "security"},
	}
}

func TestAccessAsksPeopleForMFA(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		c, err := identity.NewAccess(ctx, "access", accessArgs())
		if err != nil {
			return err
		}
		require.NotNil(t, c.SOC)
		return nil
	}, graphtest.Preview())

	for suffix, age := range map[string]string{"break-glass": "900", "support": "3600", "auditor": "3600"} {
		role := g.One("aws:iam/role:Role", "access-"+suffix+"-role")
		require.Equal(t, "security-redoubt-"+suffix, role.Input("name"))
		require.EqualValues(t, 3600, role.Input("maxSessionDuration"), "the shortest that IAM takes")
		trust := document(t, role, "assumeRolePolicy")
		require.Equal(t, []identity.Condition{
			{Test: "Bool", Key: "aws:MultiFactorAuthPresent", Values: []string{"true"}},
			{Test: "NumericLessThan", Key: "aws:MultiFactorAuthAge", Values: []string{age}},
		}, trust[0].Conditions, suffix)
		require.Equal(t, "security", role.Input("tags.owner"))
	}
	glass := g.One("aws:iam/role:Role", "access-break-glass-role")
	require.Equal(t, map[string]any{"Name": "security-redoubt-break-glass", "owner": "security", identity.BreakGlassTag: "true"}, glass.Input("tags"))
	require.Equal(t, identity.BreakGlassARN(scope, "redoubt"), "arn:aws:iam::123456789012:role/"+glass.Input("name").(string))
	support, ok := g.One("aws:iam/role:Role", "access-support-role").Input("tags").(map[string]any)
	require.True(t, ok)
	require.NotContains(t, support, identity.BreakGlassTag, "one alarm for one role")

	soc := document(t, g.One("aws:iam/role:Role", "access-soc-role"), "assumeRolePolicy")
	require.Equal(t, []string{"arn:aws:iam::888888888888:root"}, soc[0].Principals.AWS)
	require.Equal(t, []identity.Condition{{Test: "StringEquals", Key: "sts:ExternalId", Values: []string{"b7c3-41aa"}}}, soc[0].Conditions)
}

func TestBreakGlassRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := identity.NewAccess(ctx, "access", accessArgs())
		return err
	}, graphtest.Preview())
	filter, alarm := g.Only("aws:cloudwatch/logMetricFilter:LogMetricFilter"), g.Only("aws:cloudwatch/metricAlarm:MetricAlarm")
	require.Equal(t, "/redoubt/trail", filter.Input("logGroupName"))
	require.Equal(t, `{ ($.eventSource = "sts.amazonaws.com") && ($.eventName = "AssumeRole") && `+
		`($.requestParameters.roleArn = "arn:aws:iam::123456789012:role/security-redoubt-break-glass") }`, filter.Input("pattern"))
	require.Equal(t, filter.Input("metricTransformation.name"), alarm.Input("metricName"))
	require.Equal(t, filter.Input("metricTransformation.namespace"), alarm.Input("namespace"))
	require.EqualValues(t, 1, alarm.Input("threshold"))
	require.Equal(t, "notBreaching", alarm.Input("treatMissingData"))
	require.Equal(t, []any{"arn:aws:sns:eu-central-1:123456789012:redoubt-high"}, alarm.Input("alarmActions"))

	g = graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := identity.NewAccess(ctx, "access", &identity.AccessArgs{Scope: scope, Prefix: "redoubt", Support: []string{admins}})
		return err
	})
	require.Empty(t, g.ByType("aws:cloudwatch/metricAlarm:MetricAlarm"), "no role, no alarm")
}

func TestBreakGlassRepairsAndReadsNoData(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := identity.NewAccess(ctx, "access", &identity.AccessArgs{Scope: scope, Prefix: "redoubt", BreakGlass: []string{admins}, Alarm: glassAlarm})
		return err
	}, graphtest.Preview())
	require.Len(t, g.ByType("aws:iam/role:Role"), 1, "nobody is named for the others")
	doc := document(t, g.Only("aws:iam/rolePolicy:RolePolicy"), "policy")
	require.Equal(t, []string{"arn:aws:iam::123456789012:role/redoubt-*", "arn:aws:iam::123456789012:role/security-redoubt-*"},
		statement(t, doc, "RepairRoles").Resources)
	require.Contains(t, statement(t, doc, "RepairKeys").Actions, "kms:CancelKeyDeletion")
	evidence := statement(t, doc, "KeepEvidence")
	require.Equal(t, identity.Deny, evidence.Effect)
	require.Subset(t, evidence.Actions, []string{"cloudtrail:StopLogging", "s3:DeleteObject", "s3:GetObject"})
}

func TestAccessFindings(t *testing.T) {
	t.Parallel()
	g, err := graphtest.Build(func(ctx *pulumi.Context) error {
		args := accessArgs()
		args.BreakGlass, args.Alarm = []string{"*"}, &identity.BreakGlassAlarm{TopicArn: glassAlarm.TopicArn}
		args.Support = []string{"arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1"}
		args.SOC = &identity.Partner{AccountID: scope.AccountID, ExternalID: "short"}
		_, err := identity.NewAccess(ctx, "access", args)
		return err
	})
	require.Empty(t, g.Resources)
	for _, want := range []string{
		`breakGlass[0]: "*" is no principal`, "support[0]: sessions of IAM Identity Center carry no MFA keys",
		"alarm: missing: nobody would hear", "soc.accountId:", "soc.externalId:",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "short\"", "the external id stays out of messages")
}

func TestDenyWithoutMFALeavesTheWayToOne(t *testing.T) {
	t.Parallel()
	_, err := identity.Document{identity.DenyWithoutMFA()}.JSON(identity.ManagedPolicy)
	require.NoError(t, err)
	require.Contains(t, identity.DenyWithoutMFA().NotActions, "iam:EnableMFADevice")
	require.NotContains(t, identity.DenyWithoutMFA().NotActions, "iam:CreateAccessKey")
	require.Equal(t, "BoolIfExists", identity.DenyWithoutMFA().Conditions[0].Test, "long-term keys carry no MFA key")

	_, err = identity.HumanTrust([]string{admins}, time.Hour).TrustPolicy()
	require.NoError(t, err)
}
