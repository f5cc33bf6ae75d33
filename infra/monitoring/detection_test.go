package monitoring_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

func TestSecurityHubHasTheStandardsThatWereAskedFor(t *testing.T) {
	t.Parallel()
	build := func(mode singleton.Singleton) *graphtest.Graph {
		return graphtest.Run(t, func(ctx *pulumi.Context) error {
			_, err := monitoring.NewSecurityHub(ctx, "hub", &monitoring.SecurityHubArgs{Scope: scope, Singleton: mode, Standards: []string{"fsbp", "cis"}, Protect: true})
			return err
		})
	}
	g := build(manage)
	hub := g.Only("aws:securityhub/account:Account")
	require.True(t, hub.Protect)
	require.Equal(t, false, hub.Input("enableDefaultStandards"), "to change it later replaces the hub")
	require.Equal(t, "SECURITY_CONTROL", hub.Input("controlFindingGenerator"))
	cis := g.One("aws:securityhub/standardsSubscription:StandardsSubscription", "hub-cis")
	require.Equal(t, "arn:aws:securityhub:eu-central-1::standards/cis-aws-foundations-benchmark/v/3.0.0", cis.Input("standardsArn"))
	require.True(t, g.Depends(cis, hub))
	for _, mode := range []singleton.Singleton{off, {Mode: singleton.Adopt}} {
		require.Len(t, build(mode).Resources, 1, "the component and nothing else")
	}
}

func TestScannersAreSwitchedOn(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := monitoring.NewScanners(ctx, "scan", &monitoring.ScannersArgs{Scope: scope, Inspector: manage, Macie: manage, Inspected: []string{"ECR", "LAMBDA"}})
		return err
	})
	require.Equal(t, []any{"ECR", "LAMBDA"}, g.Only("aws:inspector2/enabler:Enabler").Input("resourceTypes"))
	require.Equal(t, []any{graphtest.AccountID}, g.Only("aws:inspector2/enabler:Enabler").Input("accountIds"))
	require.Equal(t, "ENABLED", g.Only("aws:macie2/account:Account").Input("status"))
	none := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := monitoring.NewScanners(ctx, "scan", &monitoring.ScannersArgs{Scope: scope, Inspector: singleton.Singleton{Mode: singleton.Adopt}, Macie: off})
		return err
	})
	require.Len(t, none.Resources, 1)
}

func TestHubAndScannersReportEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewSecurityHub(ctx, "hub", &monitoring.SecurityHubArgs{Standards: []string{"fsbp", "iso", "fsbp"}})
		return err
	})
	for _, want := range []string{"scope.region:", "singleton:", `standards[1]: "iso"`, `standards[2]: "fsbp" twice`} {
		require.ErrorContains(t, err, want)
	}
	for want, args := range map[string]*monitoring.ScannersArgs{
		"inspected: empty":                   {Scope: scope, Inspector: manage, Macie: off},
		`inspected[0]: "DISKS"`:              {Scope: scope, Inspector: manage, Macie: off, Inspected: []string{"DISKS"}},
		"inspected: LAMBDA_CODE without":     {Scope: scope, Inspector: manage, Macie: off, Inspected: []string{"LAMBDA_CODE"}},
		`inspector: mode "" is not a choice`: {Scope: scope, Macie: off},
		"scope.accountId:":                   {Scope: identity.Scope{}, Inspector: off, Macie: off},
		"args: missing":                      nil,
	} {
		_, err := graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := monitoring.NewScanners(ctx, "scan", args)
			return err
		})
		require.ErrorContains(t, err, want)
	}
}
