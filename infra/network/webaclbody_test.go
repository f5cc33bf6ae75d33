package network_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
)

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs(func(a *network.WebAclArgs) { a.MaxBodyBytes = 4096 }))
	rule := wafRule(t, g, "BodySize")
	require.EqualValues(t, 9, rule["priority"])
	require.Equal(t, map[string]any{"sizeConstraintStatement": map[string]any{
		"comparisonOperator": "GT", "size": float64(4096),
		"fieldToMatch":        map[string]any{"body": map[string]any{"oversizeHandling": "MATCH"}},
		"textTransformations": []any{map[string]any{"priority": float64(0), "type": "NONE"}},
	}}, rule["statement"])
	require.Equal(t, map[string]any{"block": map[string]any{"customResponse": map[string]any{"responseCode": float64(413)}}}, rule["action"])
	require.NotContains(t, wafRule(t, g, commonRuleSet)["statement"].(map[string]any)["managedRuleGroupStatement"], "ruleActionOverrides")

	g = aclGraph(t, aclArgs(func(a *network.WebAclArgs) { a.MaxBodyBytes, a.Mode = 4096, network.WAFCount }))
	require.Equal(t, map[string]any{"count": map[string]any{}}, wafRule(t, g, "BodySize")["action"])
}

func TestUploadsAreExcepted(t *testing.T) {
	t.Parallel()
	g := aclGraph(t, aclArgs(func(a *network.WebAclArgs) {
		a.MaxBodyBytes, a.UploadPaths = 8192, []string{"/Upload", "/api/files"}
		a.CountedRules = map[string][]string{commonRuleSet: {"GenericRFI_BODY"}}
	}))
	acl := g.Only(aclWAFType)
	body := "rules[7].statement.andStatement.statements"
	require.Equal(t, "BodySize", acl.Input("rules[7].name"))
	require.Len(t, acl.Input(body), 3)
	require.EqualValues(t, 8192, acl.Input(body+"[0].sizeConstraintStatement.size"))
	for i, path := range []string{"/upload", "/api/files"} {
		match := []string{"[1]", "[2]"}[i] + ".notStatement.statements[0].byteMatchStatement"
		require.Equal(t, path, acl.Input(body+match+".searchString"))
		require.Equal(t, "STARTS_WITH", acl.Input(body+match+".positionalConstraint"))
		require.Equal(t, "NORMALIZE_PATH", acl.Input(body+match+".textTransformations[1].type"))
	}
	overrides := "rules[1].statement.managedRuleGroupStatement.ruleActionOverrides"
	require.Equal(t, "GenericRFI_BODY", acl.Input(overrides+"[0].name"))
	require.Equal(t, "SizeRestrictions_BODY", acl.Input(overrides+"[1].name"), "AWS's rule knows no paths")
}

func TestBodyLimitReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*network.WebAclArgs)
		want   []string
	}{
		{"more than WAF sees", func(a *network.WebAclArgs) { a.MaxBodyBytes = 8193 }, []string{"maxBodyBytes: 8193 bytes (1 to 8192"}},
		{"less than nothing", func(a *network.WebAclArgs) { a.MaxBodyBytes = -1 }, []string{"maxBodyBytes: -1"}},
		{"no limit to except from", func(a *network.WebAclArgs) { a.UploadPaths = []string{"/upload"} }, []string{"uploadPaths: there is no limit"}},
		{
			"everything", func(a *network.WebAclArgs) { a.MaxBodyBytes, a.UploadPaths = 8192, []string{"/", "upload"} },
			[]string{`uploadPaths[0]: "/"`, `uploadPaths[1]: "upload"`},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			requireAclFindings(t, tc.change, tc.want...)
		})
	}
}
