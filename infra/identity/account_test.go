package identity_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

var (
	manage = singleton.Singleton{Mode: singleton.Manage}
	adopt  = singleton.Singleton{Mode: singleton.Adopt}
	off    = singleton.Singleton{Mode: singleton.Off}
)

func TestPasswordPolicyIsManagedOrLeftAlone(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := identity.NewPasswordPolicy(ctx, "passwords", &identity.PasswordPolicyArgs{Policy: manage, Tokens: manage, Protect: true})
		return err
	})
	policy := g.Only("aws:iam/accountPasswordPolicy:AccountPasswordPolicy")
	for input, want := range map[string]int{"minimumPasswordLength": 14, "passwordReusePrevention": 24, "maxPasswordAge": 90} {
		require.EqualValues(t, want, policy.Input(input), input)
	}
	for _, input := range []string{"requireLowercaseCharacters", "requireNumbers", "requireSymbols", "requireUppercaseCharacters", "allowUsersToChangePassword"} {
		require.Equal(t, true, policy.Input(input), input)
	}
	require.Equal(t, false, policy.Input("hardExpiry"))
	require.True(t, policy.Protect && policy.RetainOnDelete)
	require.Equal(t, "v2Token", g.Only("aws:iam/securityTokenServicePreferences:SecurityTokenServicePreferences").Input("globalEndpointTokenVersion"))

	for _, mode := range []singleton.Singleton{adopt, off} {
		g = graphtest.Run(t, func(ctx *pulumi.Context) error {
			c, err := identity.NewPasswordPolicy(ctx, "passwords", &identity.PasswordPolicyArgs{Policy: mode, Tokens: mode})
			if err == nil {
				require.Nil(t, c.Policy)
				require.Nil(t, c.Tokens)
			}
			return err
		})
		require.Len(t, g.Resources, 1, "the component alone: %s leaves the account as it is", mode.Mode)
	}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := identity.NewPasswordPolicy(ctx, "passwords", &identity.PasswordPolicyArgs{Policy: singleton.Singleton{Mode: "own"}})
		return err
	})
	require.ErrorContains(t, err, `policy: mode "own"`)
	require.ErrorContains(t, err, `tokens: mode ""`)
}

func TestAccountGuardsCloseTheAccount(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		c, err := identity.NewAccountGuards(ctx, "guards", &identity.AccountGuardsArgs{
			Mode: manage, EBSKeyArn: pulumi.String("arn:aws:kms:eu-central-1:123456789012:key/volumes"), Protect: true,
		})
		if err == nil {
			require.Len(t, c.Guards, 7)
		}
		return err
	})
	for typ, inputs := range map[string]map[string]any{
		"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock":    {"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true},
		"aws:ebs/encryptionByDefault:EncryptionByDefault":             {"enabled": true},
		"aws:ebs/defaultKmsKey:DefaultKmsKey":                         {"keyArn": "arn:aws:kms:eu-central-1:123456789012:key/volumes"},
		"aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess": {"state": "block-all-sharing"},
		"aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess":       {"state": "block-new-sharing"},
		"aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults":   {"httpTokens": "required", "httpPutResponseHopLimit": 2.0},
		"aws:ec2/serialConsoleAccess:SerialConsoleAccess":             {"enabled": false},
	} {
		guard := g.Only(typ)
		require.True(t, guard.Protect, typ)
		for input, want := range inputs {
			require.Equal(t, want, guard.Input(input), "%s.%s", typ, input)
		}
	}
}

func TestAccountGuardsLeaveExceptionsAlone(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := identity.NewAccountGuards(ctx, "guards", &identity.AccountGuardsArgs{
			Mode: manage, Modes: map[identity.Guard]singleton.Singleton{identity.GuardS3PublicAccess: adopt, identity.GuardSerialConsole: off},
		})
		return err
	})
	require.Empty(t, g.ByType("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"))
	require.Empty(t, g.ByType("aws:ec2/serialConsoleAccess:SerialConsoleAccess"))
	require.Empty(t, g.ByType("aws:ebs/defaultKmsKey:DefaultKmsKey"), "AWS's key without one of ours")
	require.Len(t, g.Children(g.Only(identity.AccountGuardsComponent.Token)), 4)

	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := identity.NewAccountGuards(ctx, "guards", &identity.AccountGuardsArgs{
			Mode: off, Modes: map[identity.Guard]singleton.Singleton{"moat": manage, identity.GuardEBSKey: manage},
		})
		return err
	})
	require.ErrorContains(t, err, `modes["moat"]: no guard has that name`)
	require.ErrorContains(t, err, "ebsKeyArn: missing")
}

func analyzersArgs() *identity.AnalyzersArgs {
	return &identity.AnalyzersArgs{Scope: scope, Prefix: "redoubt", External: manage, Unused: manage}
}

func TestAnalyzersFindExternalAndUnusedAccess(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		args := analyzersArgs()
		args.Archive = map[string][]identity.ArchiveFilter{"soc": {
			{Criterion: "principal.AWS", Contains: []string{"888888888888"}},
			{Criterion: "resourceType", Equals: []string{"AWS::IAM::Role"}},
			{Criterion: "isPublic", Differs: []string{"true"}},
		}}
		c, err := identity.NewAnalyzers(ctx, "analyzers", args)
		if err == nil {
			require.Equal(t, "arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/redoubt-unused-access", c.UnusedArn)
		}
		return err
	}, graphtest.Preview())
	const typ = "aws:accessanalyzer/analyzer:Analyzer"
	require.Equal(t, "ACCOUNT", g.One(typ, "analyzers-external").Input("type"))
	unused := g.One(typ, "analyzers-unused")
	require.Equal(t, "ACCOUNT_UNUSED_ACCESS", unused.Input("type"))
	require.EqualValues(t, 90, unused.Input("configuration.unusedAccess.unusedAccessAge"))
	rule := g.Only("aws:accessanalyzer/archiveRule:ArchiveRule")
	require.Equal(t, "soc", rule.Input("ruleName"))
	require.Equal(t, []any{"888888888888"}, rule.Input("filters[0].contains"))
	require.Equal(t, []any{"AWS::IAM::Role"}, rule.Input("filters[1].eqs"))
	require.Equal(t, []any{"true"}, rule.Input("filters[2].neqs"))
}

func TestAnalyzersAdoptAndLeaveOut(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		args := analyzersArgs()
		args.External, args.Unused = singleton.Singleton{Mode: singleton.Adopt, ID: "ConsoleAnalyzer-1"}, off
		c, err := identity.NewAnalyzers(ctx, "analyzers", args)
		if err == nil {
			require.Equal(t, "arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/ConsoleAnalyzer-1", c.ExternalArn)
			require.Empty(t, c.UnusedArn)
		}
		return err
	})
	require.Len(t, g.Resources, 1, "the component alone")

	g = graphtest.Run(t, func(ctx *pulumi.Context) error {
		args := analyzersArgs()
		args.Organization, args.UnusedAccessDays = true, 30
		_, err := identity.NewAnalyzers(ctx, "analyzers", args)
		return err
	})
	unused := g.One("aws:accessanalyzer/analyzer:Analyzer", "analyzers-unused")
	require.Equal(t, "ORGANIZATION_UNUSED_ACCESS", unused.Input("type"))
	require.EqualValues(t, 30, unused.Input("configuration.unusedAccess.unusedAccessAge"))

	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		args := analyzersArgs()
		args.External, args.UnusedAccessDays = adopt, 400
		args.Archive = map[string][]identity.ArchiveFilter{"all": nil, "both": {{Criterion: "id", Equals: []string{"a"}, Differs: []string{"b"}}}}
		_, err := identity.NewAnalyzers(ctx, "analyzers", args)
		return err
	})
	for _, want := range []string{
		`external: id ""`, "unusedAccessDays: 400", "archive: the external analyzer is not",
		`archive["all"]: a rule without filters`, `archive["both"][0]: not one criterion`,
	} {
		require.ErrorContains(t, err, want)
	}
}
