package network_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	aclWAFType     = "aws:wafv2/webAcl:WebAcl"
	ipSetType      = "aws:wafv2/ipSet:IpSet"
	wafLogType     = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
	wafAssocType   = "aws:wafv2/webAclAssociation:WebAclAssociation"
	logPolicyType  = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
	logGroupType   = "aws:cloudwatch/logGroup:LogGroup"
	commonRuleSet  = "AWSManagedRulesCommonRuleSet"
	anonymousRules = "AWSManagedRulesAnonymousIpList"
)

func aclArgs(change ...func(*network.WebAclArgs)) *network.WebAclArgs {
	args := &network.WebAclArgs{
		Prefix: "redoubt-dev", Scope: scope, Mode: network.WAFBlock, RateLimit: 2000,
		LogKeyArn: logsKey, LogRetentionInDays: 30, Tags: ownerTags,
	}
	for _, f := range change {
		f(args)
	}
	return args
}

func aclGraph(t *testing.T, args *network.WebAclArgs, opts ...graphtest.Option) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := network.NewWebAcl(ctx, "waf", args)
		return err
	}, opts...)
}

// wafRule returns the rule with that name, as plain data.
func wafRule(t *testing.T, g *graphtest.Graph, name string) map[string]any {
	t.Helper()
	rules, _ := g.Only(aclWAFType).Input("rules").([]any)
	for _, r := range rules {
		if rule, _ := r.(map[string]any); rule["name"] == name {
			return rule
		}
	}
	require.Fail(t, "no rule "+name)
	return nil
}

func TestWebAclKeepsTheGuidesLiterals(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs())
	acl := g.Only(aclWAFType)
	require.Equal(t, "redoubt-dev-waf", acl.Input("name"))
	require.Equal(t, "WAF for application protection", acl.Input("description"))
	require.Equal(t, "REGIONAL", acl.Input("scope"))
	require.Equal(t, map[string]any{"allow": map[string]any{}}, acl.Input("defaultAction"))
	require.Equal(t, map[string]any{
		"cloudwatchMetricsEnabled": true, "metricName": "redoubt-dev-waf", "sampledRequestsEnabled": true,
	}, acl.Input("visibilityConfig"))
	require.Equal(t, map[string]any{
		"name":           commonRuleSet,
		"priority":       float64(1),
		"overrideAction": map[string]any{"none": map[string]any{}},
		"statement": map[string]any{"managedRuleGroupStatement": map[string]any{
			"name": commonRuleSet, "vendorName": "AWS",
		}},
		"visibilityConfig": map[string]any{
			"cloudwatchMetricsEnabled": true, "metricName": "CommonRuleMetric", "sampledRequestsEnabled": true,
		},
	}, wafRule(t, g, commonRuleSet))
}

func TestWebAclEvaluatesInOrder(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs(func(a *network.WebAclArgs) {
		a.BlockedCountries, a.LoginPath, a.LoginRateLimit = []string{"KP"}, "/Login", 100
	}))
	var got []string
	rules, _ := g.Only(aclWAFType).Input("rules").([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		got = append(got, fmt.Sprint(rule["priority"], " ", rule["name"]))
	}
	require.Equal(t, []string{
		"0 BlockedAddresses",
		"1 AWSManagedRulesCommonRuleSet",
		"2 AWSManagedRulesKnownBadInputsRuleSet",
		"3 AWSManagedRulesSQLiRuleSet",
		"4 AWSManagedRulesAmazonIpReputationList",
		"5 AWSManagedRulesAnonymousIpList",
		"6 RateLimit",
		"7 BlockedCountries",
		"8 LoginRateLimit",
	}, got)
	acl := g.Only(aclWAFType)
	require.EqualValues(t, 2000, acl.Input("rules[6].statement.rateBasedStatement.limit"))
	require.EqualValues(t, 300, acl.Input("rules[6].statement.rateBasedStatement.evaluationWindowSec"))
	require.EqualValues(t, 429, acl.Input("rules[6].action.block.customResponse.responseCode"))
	require.Equal(t, []any{"KP"}, acl.Input("rules[7].statement.geoMatchStatement.countryCodes"))
	require.EqualValues(t, 100, acl.Input("rules[8].statement.rateBasedStatement.limit"))
	require.Equal(t, "/login", acl.Input("rules[8].statement.rateBasedStatement.scopeDownStatement.byteMatchStatement.searchString"))
}

func TestWebAclModes(t *testing.T) {
	t.Parallel()
	count, none := map[string]any{"count": map[string]any{}}, map[string]any{"none": map[string]any{}}
	for _, tc := range []struct {
		mode   network.WAFMode
		common map[string]any
		action string
	}{
		{network.WAFBlock, none, "block"},
		{network.WAFCount, count, "count"},
	} {
		t.Run(string(tc.mode), func(t *testing.T) {
			t.Parallel()
			g := aclGraph(t, aclArgs(func(a *network.WebAclArgs) { a.Mode, a.BlockedCountries = tc.mode, []string{"KP"} }))
			require.Equal(t, tc.common, wafRule(t, g, commonRuleSet)["overrideAction"])
			require.Equal(t, count, wafRule(t, g, anonymousRules)["overrideAction"], "honest users come by VPN too")
			require.Contains(t, wafRule(t, g, "RateLimit")["action"], tc.action)
			require.Contains(t, wafRule(t, g, "BlockedCountries")["action"], tc.action)
			require.Contains(t, wafRule(t, g, "BlockedAddresses")["action"], "block", "what incident response blocks stays blocked")
		})
	}
}

func TestWebAclCountsSingleRules(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs(func(a *network.WebAclArgs) {
		a.CountedRules = map[string][]string{commonRuleSet: {"SizeRestrictions_BODY"}}
	}))
	require.Equal(t, []any{map[string]any{
		"name": "SizeRestrictions_BODY", "actionToUse": map[string]any{"count": map[string]any{}},
	}}, g.Only(aclWAFType).Input("rules[1].statement.managedRuleGroupStatement.ruleActionOverrides"))
}

func TestIncidentResponseOwnsTheBlockedAddresses(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs())
	set := g.Only(ipSetType)
	require.Equal(t, []string{"addresses"}, set.IgnoreChanges)
	require.Equal(t, []any{}, set.Input("addresses"))
	require.Same(t, set, g.Refers(g.Only(aclWAFType).Input("rules[0].statement.ipSetReferenceStatement.arn")))
}

func TestWebAclLogsWithoutCredentials(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs())
	group, logging := g.Only(logGroupType), g.Only(wafLogType)
	require.Equal(t, "aws-waf-logs-redoubt-dev", group.Input("name"), "WAF takes no other name")
	require.Equal(t, string(logsKey), group.Input("kmsKeyId"))
	require.Same(t, group, g.Refers(logging.Input("logDestinationConfigs[0]")))
	require.Same(t, g.Only(aclWAFType), g.Refers(logging.Input("resourceArn")))
	require.True(t, g.Depends(logging, g.Only(logPolicyType)))
	for i, header := range []string{"authorization", "cookie", "x-api-key"} {
		require.Equal(t, header, logging.Input(fmt.Sprintf("redactedFields[%d].singleHeader.name", i)))
		require.Equal(t, header, g.Only(aclWAFType).Input(fmt.Sprintf("dataProtectionConfig.dataProtections[0].field.fieldKeys[%d]", i)))
	}
	require.Equal(t, "DROP", logging.Input("loggingFilter.defaultBehavior"))
	for i, action := range []string{"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"} {
		require.Equal(t, action, logging.Input(fmt.Sprintf("loggingFilter.filters[0].conditions[%d].actionCondition.action", i)))
	}
}

func TestWebAclLogPolicyIsDecidableAtPreview(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs(), graphtest.Preview())
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"DeliverLogs","Effect":"Allow",
		"Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["logs:CreateLogStream","logs:PutLogEvents"],
		"Resource":"arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-redoubt-dev:*",
		"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},
			"ArnLike":{"aws:SourceArn":"arn:aws:logs:eu-central-1:123456789012:*"}}}]}`,
		g.Only(logPolicyType).Input("policyDocument").(string))
}

func TestWebAclReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args *network.WebAclArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &network.WebAclArgs{}, []string{"prefix:", "mode:", "rateLimit: 0", "logKeyArn:", "logRetentionInDays:"}},
		{"a country by name", aclArgs(func(a *network.WebAclArgs) { a.BlockedCountries = []string{"Utopia"} }), []string{`blockedCountries[0]: "Utopia"`}},
		{"a group that is not there", aclArgs(func(a *network.WebAclArgs) { a.CountedRules = map[string][]string{"Other": nil} }), []string{`countedRules["Other"]`}},
		{"a login without its limit", aclArgs(func(a *network.WebAclArgs) { a.LoginPath = "login" }), []string{"loginPath:", "loginRateLimit: 0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := network.NewWebAcl(ctx, "waf", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
