package network

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// A rule that is added to the web ACL and forgotten here would cost unseen.
func TestEveryRuleHasItsCapacity(t *testing.T) {
	t.Parallel()
	args := &WebAclArgs{
		Mode: WAFBlock, BlockedCountries: []string{"KP"}, LoginPath: "/login", MaxBodyBytes: 8192,
		BotControl: &BotControl{}, AccountTakeover: &AccountTakeover{},
	}
	var rules, counted []string
	for _, r := range args.rules(pulumi.String("arn")) {
		rules = append(rules, string(r.(*wafv2.WebAclRuleArgs).Name.(pulumi.String)))
	}
	for _, c := range args.capacities() {
		require.Positive(t, c.wcu, c.rule)
		counted = append(counted, c.rule)
	}
	require.ElementsMatch(t, rules, counted)
}
