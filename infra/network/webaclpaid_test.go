package network_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
)

const (
	botRules      = "AWSManagedRulesBotControlRuleSet"
	takeoverRules = "AWSManagedRulesATPRuleSet"
	paidConfig    = ".statement.managedRuleGroupStatement.managedRuleGroupConfigs[0]"
)

func TestPaidGroupsAreNobodysDefault(t *testing.T) {
	t.Parallel()
	rules, _ := aclGraph(t, aclArgs()).Only(aclWAFType).Input("rules").([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		require.NotContains(t, []string{botRules, takeoverRules}, rule["name"])
	}
}

func TestBotControl(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		bots network.BotControl
		want map[string]any
	}{
		{"bots that say so", network.BotControl{}, map[string]any{"inspectionLevel": "COMMON", "enableMachineLearning": false}},
		{"all bots", network.BotControl{Targeted: true}, map[string]any{"inspectionLevel": "TARGETED", "enableMachineLearning": true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			acl := aclGraph(t, aclArgs(func(a *network.WebAclArgs) { a.BotControl = &tc.bots })).Only(aclWAFType)
			require.Equal(t, botRules, acl.Input("rules[7].name"))
			require.EqualValues(t, 10, acl.Input("rules[7].priority"), "what costs by the request comes after the rest")
			require.Equal(t, tc.want, acl.Input("rules[7]"+paidConfig+".awsManagedRulesBotControlRuleSet"))
			require.False(t, acl.Has("rules[7].statement.managedRuleGroupStatement.scopeDownStatement"))
		})
	}
	acl := aclGraph(t, aclArgs(func(a *network.WebAclArgs) { a.BotControl = &network.BotControl{Path: "/API"} })).Only(aclWAFType)
	require.Equal(t, "/api", acl.Input("rules[7].statement.managedRuleGroupStatement.scopeDownStatement.byteMatchStatement.searchString"))
}

func TestAccountTakeover(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		takeover network.AccountTakeover
		payload  string
	}{
		{"a form", network.AccountTakeover{UsernameField: "user", PasswordField: "pass"}, "FORM_ENCODED"},
		{"JSON", network.AccountTakeover{JSON: true, UsernameField: "/user", PasswordField: "/pass"}, "JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			acl := aclGraph(t, aclArgs(func(a *network.WebAclArgs) {
				a.AccountTakeover, a.LoginPath, a.LoginRateLimit = &tc.takeover, "/login", 100
			})).Only(aclWAFType)
			require.Equal(t, takeoverRules, acl.Input("rules[8].name"))
			require.Equal(t, map[string]any{
				"loginPath": "/login",
				"requestInspection": map[string]any{
					"payloadType":   tc.payload,
					"usernameField": map[string]any{"identifier": tc.takeover.UsernameField},
					"passwordField": map[string]any{"identifier": tc.takeover.PasswordField},
				},
			}, acl.Input("rules[8]"+paidConfig+".awsManagedRulesAtpRuleSet"))
		})
	}
}

func TestPaidRulesCanOnlyCount(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs(func(a *network.WebAclArgs) {
		a.BotControl, a.CountedRules = &network.BotControl{}, map[string][]string{botRules: {"CategoryMonitoring"}}
	}))
	require.Equal(t, "CategoryMonitoring", g.Only(aclWAFType).Input("rules[7].statement.managedRuleGroupStatement.ruleActionOverrides[0].name"))
	requireAclFindings(t, func(a *network.WebAclArgs) { a.CountedRules = map[string][]string{botRules: {"CategoryMonitoring"}} },
		`countedRules["`+botRules+`"]: is no rule group of this web ACL`)
}

func TestPaidGroupsReportEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*network.WebAclArgs)
		want   []string
	}{
		{"a path", func(a *network.WebAclArgs) { a.BotControl = &network.BotControl{Path: "api"} }, []string{`botControl.path: "api"`}},
		{
			"nothing to look at", func(a *network.WebAclArgs) { a.AccountTakeover = &network.AccountTakeover{} },
			[]string{"loginPath: missing", "accountTakeover.usernameField: missing", "accountTakeover.passwordField: missing"},
		},
		{"no pointer", func(a *network.WebAclArgs) {
			a.LoginPath, a.LoginRateLimit = "/login", 100
			a.AccountTakeover = &network.AccountTakeover{JSON: true, UsernameField: "user", PasswordField: "/pass"}
		}, []string{`accountTakeover.usernameField: "user" is no JSON pointer`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			requireAclFindings(t, tc.change, tc.want...)
		})
	}
}
