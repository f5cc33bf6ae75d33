package stack_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/stack"
	"redoubt/internal/graphtest"
)

// changed is the graph of a committed stack with some keys replaced.
func changed(t *testing.T, name string, changes settings) *graphtest.Graph {
	t.Helper()
	values, _ := committed(t, name)
	maps.Copy(values, changes)
	c, err := stack.Load(values, slices.Collect(maps.Keys(values)))
	require.NoError(t, err)
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := stack.Deploy(ctx, c)
		return err
	}, detectorThere)
}

// What a stack has only if it is asked for reaches the resources that it is
// about.
func TestOptionsReachTheirResources(t *testing.T) {
	t.Parallel()
	template := filepath.Join(t.TempDir(), "pack.yaml")
	require.NoError(t, os.WriteFile(template, []byte("Resources: {}"), 0o600))
	for name, tc := range map[string]struct {
		stack   string
		changes settings
		check   func(t *testing.T, g *graphtest.Graph)
	}{
		"a database proxy": {"dev", settings{"redoubt:database": `{"proxy":true}`}, func(t *testing.T, g *graphtest.Graph) {
			proxy := g.Only("aws:rds/proxy:Proxy")
			require.Equal(t, true, proxy.Input("requireTls"))
			require.Equal(t, "REQUIRED", proxy.Input("auths[0].iamAuth"))
			require.Equal(t, "redoubt-dev-db-proxy", g.Refers(proxy.Input("vpcSecurityGroupIds[0]")).Name)
			require.Len(t, g.ByType("aws:secretsmanager/secretRotation:SecretRotation"), 3, "the master's, the application's, the proxy's")
			require.NotEmpty(t, g.ByType("aws:rds/proxyTarget:ProxyTarget"))
		}},
		"ranges by name": {
			"dev",
			settings{"redoubt:edge": `{"allowedCidrs":[],"cloudFront":true,"allowedLists":[{"name":"office","entries":[{"cidr":"203.0.113.0/24","description":"the office in Berlin"}]}]}`},
			func(t *testing.T, g *graphtest.Graph) {
				list := g.Only("aws:ec2/managedPrefixList:ManagedPrefixList")
				require.Equal(t, "203.0.113.0/24", list.Input("entries[0].cidr"))
				office := g.One("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "redoubt-dev-alb-in-list-443-office")
				require.Same(t, list, g.Refers(office.Input("prefixListId")))
				require.True(t, g.One("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "redoubt-dev-alb-in-list-443-cloudfront").Has("prefixListId"))
			},
		},
		"paid rule groups": {
			"dev",
			settings{"redoubt:edge": `{"loginPath":"/login","loginRateLimit":100,"botControl":{"targeted":true,"path":"/shop"},"accountTakeover":{"json":true,"usernameField":"/user","passwordField":"/password"},"countedRules":{"AWSManagedRulesCommonRuleSet":["SizeRestrictions_BODY"]}}`},
			func(t *testing.T, g *graphtest.Graph) {
				rules := namesOf(g.Only("aws:wafv2/webAcl:WebAcl").Input("rules"))
				require.Contains(t, rules, "AWSManagedRulesBotControlRuleSet")
				require.Contains(t, rules, "AWSManagedRulesATPRuleSet")
			},
		},
		"a conformance pack": {"prod", settings{"redoubt:detection": `{"conformancePack":"` + filepath.ToSlash(template) + `"}`}, func(t *testing.T, g *graphtest.Graph) {
			require.Equal(t, "Resources: {}", g.Only("aws:cfg/conformancePack:ConformancePack").Input("templateBody"))
		}},
		"a pipeline": {"dev", settings{"redoubt:identity": `{"deployRole":{"forge":"github","provider":{"mode":"manage"},"subjects":["repo:acme/shop:environment:dev"]}}`}, func(t *testing.T, g *graphtest.Graph) {
			require.Equal(t, "https://token.actions.githubusercontent.com", g.Only("aws:iam/openIdConnectProvider:OpenIdConnectProvider").Input("url"))
			require.Contains(t, g.One("aws:iam/role:Role", "redoubt-dev-deploy-role-role").Input("assumeRolePolicy"), "repo:acme/shop:environment:dev")
		}},
		"tokens of the application's own": {"dev", settings{"redoubt:identity": `{"tokenSigner":{"epochs":["2026-q1","2026-q2"],"signing":"2026-q1"}}`}, func(t *testing.T, g *graphtest.Graph) {
			require.Equal(t, "SIGN_VERIFY", g.One("aws:kms/key:Key", "redoubt-dev-tokens-2026-q1").Input("keyUsage"))
		}},
		"a Slack channel": {"dev", settings{"redoubt:alerting": `{"slack":{"teamId":"T0123456789","channelId":"C0123456789","levels":["high"]}}`}, func(t *testing.T, g *graphtest.Graph) {
			require.Equal(t, "C0123456789", g.Only("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration").Input("slackChannelId"))
		}},
		"a vault that nobody unlocks": {
			"prod",
			settings{"redoubt:backup": `{"lock":"compliance","changeableForDays":3,"coldAfterDays":60,"acknowledgeCompliance":"nobody-can-remove-this-lock"}`},
			func(t *testing.T, g *graphtest.Graph) {
				for _, lock := range g.ByType("aws:backup/vaultLockConfiguration:VaultLockConfiguration") {
					require.EqualValues(t, 3, lock.Input("changeableForDays"))
				}
				require.EqualValues(t, 60, g.Only("aws:backup/plan:Plan").Input("rules[3].lifecycle.coldStorageAfter"))
			},
		},
		"audit objects that nobody deletes": {
			"prod",
			settings{"redoubt:storage": `{"auditLock":"compliance","acknowledgeCompliance":"nobody-can-remove-this-lock"}`},
			func(t *testing.T, g *graphtest.Graph) {
				lock := g.One("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", "redoubt-prod-audit-lock")
				require.Equal(t, "COMPLIANCE", lock.Input("rule.defaultRetention.mode"))
			},
		},
		"data events of other stacks' buckets": {"dev", settings{"redoubt:audit": `{"dataBuckets":["other-stack-data"]}`}, func(t *testing.T, g *graphtest.Graph) {
			require.Contains(t, fmt.Sprint(g.Only("aws:cloudtrail/trail:Trail").Input("advancedEventSelectors")), "other-stack-data")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.check(t, changed(t, tc.stack, tc.changes))
		})
	}
}

func namesOf(rules any) []string {
	var out []string
	for _, r := range rules.([]any) {
		out = append(out, r.(map[string]any)["name"].(string))
	}
	return out
}

// An account's stack and a workload's make together what a stack of layer all
// makes, and nothing that an account has one of twice.
func TestLayersMakeThingsOnce(t *testing.T) {
	t.Parallel()
	account := changed(t, "account", nil)
	workload := changed(t, "prod", settings{"redoubt:layer": "workload", "redoubt:identity": `{}`, "redoubt:contacts": `{}`})
	for _, once := range []string{
		"aws:cloudtrail/trail:Trail", "aws:guardduty/detector:Detector", "aws:cfg/recorder:Recorder", "aws:securityhub/account:Account",
		"aws:macie2/account:Account", "aws:inspector2/enabler:Enabler", "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
		"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "aws:apigateway/account:Account", "aws:iam/serviceLinkedRole:ServiceLinkedRole",
		"aws:costexplorer/anomalyMonitor:AnomalyMonitor", "aws:account/alternativeContact:AlternativeContact",
	} {
		require.NotEmpty(t, account.ByType(once), once)
		require.Empty(t, workload.ByType(once), once)
	}
	for _, there := range []string{"aws:ec2/vpc:Vpc", "aws:ecs/service:Service", "aws:rds/cluster:Cluster", "aws:sfn/stateMachine:StateMachine"} {
		require.NotEmpty(t, workload.ByType(there), there)
	}
	require.Empty(t, account.ByType("aws:ec2/vpc:Vpc"))
	account.Golden(filepath.Join("testdata", "account.json"))
}
