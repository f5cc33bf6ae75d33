package network_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// requireAclFindings makes a web ACL with the change and wants these findings.
func requireAclFindings(t *testing.T, change func(*network.WebAclArgs), want ...string) {
	t.Helper()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewWebAcl(ctx, "waf", aclArgs(change))
		return err
	})
	for _, text := range want {
		require.ErrorContains(t, err, text)
	}
}

// everything that the basic price holds, and one path for uploads more.
func everything(a *network.WebAclArgs) {
	a.BlockedCountries, a.LoginPath, a.LoginRateLimit = []string{"KP"}, "/login", 100
	a.BotControl = &network.BotControl{Path: "/api"}
	a.AccountTakeover = &network.AccountTakeover{UsernameField: "user", PasswordField: "pass"}
	a.MaxBodyBytes, a.UploadPaths, a.ShieldResponse = 8192, []string{"/upload"}, true
}

func TestCapacityIsTheSumOfTheRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*network.WebAclArgs)
		want   int
	}{
		{"the guide's and AWS's groups", func(*network.WebAclArgs) {}, 1 + 700 + 200 + 200 + 25 + 50 + 2},
		{"countries", func(a *network.WebAclArgs) { a.BlockedCountries = []string{"KP", "IR"} }, 1178 + 1},
		{"a login", func(a *network.WebAclArgs) { a.LoginPath, a.LoginRateLimit = "/login", 100 }, 1178 + 2 + 2 + 3*10},
		{"bodies", func(a *network.WebAclArgs) { a.MaxBodyBytes = 8192 }, 1178 + 1},
		{"uploads", func(a *network.WebAclArgs) { a.MaxBodyBytes, a.UploadPaths = 8192, []string{"/a", "/b"} }, 1178 + 1 + 2*32},
		{"bots", func(a *network.WebAclArgs) { a.BotControl = &network.BotControl{} }, 1178 + 50},
		{"Shield", func(a *network.WebAclArgs) { a.ShieldResponse = true }, 1178 + 150},
		{"everything", everything, 1178 + 1 + 34 + 82 + 50 + 33 + 150},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, aclArgs(tc.change).Capacity())
		})
	}
}

func TestExtraCapacityIsAskedFor(t *testing.T) {
	t.Parallel()
	requireAclFindings(t, everything,
		"capacity: 1528 units, of 1500 at the basic price", "AWSManagedRulesCommonRuleSet 700", "BodySize 33", "allowExtraCapacity")
	aclGraph(t, aclArgs(everything, func(a *network.WebAclArgs) { a.AllowExtraCapacity = true }))
	requireAclFindings(t, func(a *network.WebAclArgs) {
		everything(a)
		a.AllowExtraCapacity = true
		for i := range 120 {
			a.UploadPaths = append(a.UploadPaths, fmt.Sprintf("/upload/%d", i))
		}
	}, "capacity:", "AWS takes 5000")
}
