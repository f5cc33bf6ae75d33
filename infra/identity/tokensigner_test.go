package identity_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

func signer(args *identity.TokenSignerArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := identity.NewTokenSigner(ctx, "tokens", args)
		return err
	}
}

func signerArgs() *identity.TokenSignerArgs {
	return &identity.TokenSignerArgs{
		Scope: scope, Prefix: "redoubt-prod", Epochs: []string{"2026-q1", "2026-q2"}, Signing: "2026-q1", DeletionWindowInDays: 30,
	}
}

// A rotation is three updates. In each, what signs is what verifiers know.
func TestTokenSignerRotatesInThreeSteps(t *testing.T) {
	t.Parallel()
	args := signerArgs()
	for _, step := range []struct {
		epochs  []string
		signing string
	}{
		{[]string{"2026-q1", "2026-q2"}, "2026-q1"},
		{[]string{"2026-q1", "2026-q2"}, "2026-q2"},
		{[]string{"2026-q2"}, "2026-q2"},
	} {
		args.Epochs, args.Signing = step.epochs, step.signing
		g := graphtest.Run(t, signer(args))
		require.Len(t, g.ByType("aws:kms/key:Key"), len(step.epochs))
		alias := g.One("aws:kms/alias:Alias", "tokens-signing")
		require.Equal(t, "alias/redoubt-prod-token-signing", alias.Input("name"))
		require.Equal(t, "tokens-"+step.signing, g.Refers(alias.Input("targetKeyId")).Name)
		for _, epoch := range step.epochs {
			require.Equal(t, "alias/redoubt-prod-token-"+epoch, g.One("aws:kms/alias:Alias", "tokens-"+epoch).Input("name"))
		}
	}
}

func TestTokenSignerKeysOnlySign(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, signer(signerArgs()), graphtest.Preview())
	for _, key := range g.ByType("aws:kms/key:Key") {
		require.Equal(t, "SIGN_VERIFY", key.Input("keyUsage"))
		require.Equal(t, "ECC_NIST_P256", key.Input("customerMasterKeySpec"))
		require.False(t, key.Has("enableKeyRotation"), "KMS refuses it for asymmetric keys")
		require.EqualValues(t, 30, key.Input("deletionWindowInDays"))
		require.Equal(t, []string{scope.Root()}, document(t, key, "policy")[0].Principals.AWS)
	}
	for name, doc := range map[string]identity.Document{
		"sign":   identity.SigningPolicy(scope, "redoubt-prod"),
		"verify": identity.VerifyingPolicy(scope, "redoubt-prod"),
	} {
		_, err := doc.IdentityPolicy()
		require.NoError(t, err, name)
	}
	sign := identity.SigningPolicy(scope, "redoubt-prod")[0]
	require.Equal(t, []string{"kms:Sign"}, sign.Actions)
	require.Contains(t, sign.Conditions, identity.Condition{
		Test: "StringEquals", Key: "kms:RequestAlias", Values: []string{"alias/redoubt-prod-token-signing"},
	}, "the old and the coming key are out of reach")
}

func TestTokenSignerFindings(t *testing.T) {
	t.Parallel()
	args := signerArgs()
	args.Epochs, args.Signing, args.DeletionWindowInDays = []string{"Q1", "2026-q2", "2026-q2", "signing"}, "2026-q3", 1
	g, err := graphtest.Build(signer(args))
	require.Empty(t, g.Resources)
	for _, want := range []string{
		`epochs[0]: "Q1"`, `epochs[2]: "2026-q2" twice`, `epochs: "signing"`, `signing: "2026-q3" is not one of the epochs`, "deletionWindowInDays: 1",
	} {
		require.ErrorContains(t, err, want)
	}
}
