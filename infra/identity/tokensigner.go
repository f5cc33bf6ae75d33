package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// TokenSignerComponent signs tokens of the application's own.
var TokenSignerComponent = guide.Component{
	Token:  "redoubt:identity:TokenSigner",
	Serves: []guide.ID{guide.PracticesAuthenticationJWT},
}

// TokenAlgorithm is how tokens are signed: "ES256" in a JWT's header.
const TokenAlgorithm = "ECDSA_SHA_256"

// TokenSignerArgs describes the signing keys. KMS does not rotate asymmetric
// keys, so that a rotation is three updates, days apart: add an epoch, and
// verifiers learn its key; make it Signing; once the old one's last token has
// expired, leave it out.
type TokenSignerArgs struct {
	Scope Scope
	// Prefix starts the aliases.
	Prefix string
	// Epochs are the keys that verifiers accept, for example "2026-q1". Each is
	// a token's kid.
	Epochs []string
	// Signing is the epoch that signs, one of Epochs.
	Signing string
	// DeletionWindowInDays is how long the key of an epoch that is left out can
	// be brought back, 7 to 30.
	DeletionWindowInDays int
	Tags                 map[string]string
}

// TokenSigner is a P-256 key for each epoch, whose private half never leaves
// KMS, and an alias that points at the one that signs. Signers know the alias
// alone: a rotation changes nothing in their configuration.
type TokenSigner struct {
	pulumi.ResourceState

	// Keys are by epoch.
	Keys map[string]*kms.Key
	// AliasName is the signing key's, "alias/…", known at preview.
	AliasName string
}

// NewTokenSigner makes the keys and aliases. The error joins every finding.
func NewTokenSigner(ctx *pulumi.Context, name string, args *TokenSignerArgs, opts ...pulumi.ResourceOption) (*TokenSigner, error) {
	policy, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("token signer %q: %w", name, err)
	}
	c := &TokenSigner{Keys: map[string]*kms.Key{}, AliasName: signingAlias(args.Prefix)}
	if err := ctx.RegisterComponentResource(TokenSignerComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("token signer %q: register: %w", name, err)
	}
	for _, epoch := range args.Epochs {
		if err := c.add(ctx, name, epoch, policy, args); err != nil {
			return nil, fmt.Errorf("token signer %q: %s: %w", name, epoch, err)
		}
	}
	_, err = kms.NewAlias(ctx, name+"-signing", &kms.AliasArgs{
		Name: pulumi.String(c.AliasName), TargetKeyId: c.Keys[args.Signing].KeyId,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("token signer %q: signing alias: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"alias": pulumi.String(c.AliasName)})
}

// add makes an epoch's key and its own alias, by which verifiers get the
// public half.
func (c *TokenSigner) add(ctx *pulumi.Context, name, epoch, policy string, args *TokenSignerArgs) error {
	key, err := kms.NewKey(ctx, name+"-"+epoch, &kms.KeyArgs{
		Description:           pulumi.String("Signs tokens of " + args.Prefix + " in " + epoch),
		KeyUsage:              pulumi.String("SIGN_VERIFY"),
		CustomerMasterKeySpec: pulumi.String("ECC_NIST_P256"),
		DeletionWindowInDays:  pulumi.Int(args.DeletionWindowInDays),
		Policy:                pulumi.String(policy),
		Tags:                  tagged(args.Tags, args.Prefix+"-token-"+epoch),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.Keys[epoch] = key
	_, err = kms.NewAlias(ctx, name+"-"+epoch, &kms.AliasArgs{
		Name: pulumi.String(epochAlias(args.Prefix, epoch)), TargetKeyId: key.KeyId,
	}, pulumi.Parent(c))
	return err
}

func signingAlias(prefix string) string { return "alias/" + prefix + "-token-signing" }

func epochAlias(prefix, epoch string) string { return "alias/" + prefix + "-token-" + epoch }

// SigningPolicy lets a role sign tokens with whatever key the alias points at,
// and with none of the others.
func SigningPolicy(scope Scope, prefix string) Document {
	return Document{{
		Sid: "SignTokens", Effect: Allow,
		Actions: []string{"kms:Sign"}, Resources: []string{scope.ARN("kms", "key/*")},
		Conditions: []Condition{
			{"StringEquals", "kms:RequestAlias", []string{signingAlias(prefix)}},
			{"StringEquals", "kms:SigningAlgorithm", []string{TokenAlgorithm}},
		},
	}}
}

// VerifyingPolicy lets a role read the public keys of every epoch, to publish
// them as a JWKS.
func VerifyingPolicy(scope Scope, prefix string) Document {
	return Document{{
		Sid: "ReadTokenKeys", Effect: Allow,
		Actions: []string{"kms:DescribeKey", "kms:GetPublicKey"}, Resources: []string{scope.ARN("kms", "key/*")},
		Conditions: []Condition{{"ForAnyValue:StringLike", "kms:ResourceAliases", []string{epochAlias(prefix, "*")}}},
	}}
}

var epochForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

func (args *TokenSignerArgs) render() (string, error) {
	if args == nil {
		return "", errors.New("args: nil (pass &identity.TokenSignerArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	f.within("deletionWindowInDays", args.DeletionWindowInDays, 7, 30, "the guide says 30")
	f.each("epochs", args.Epochs, epochForm, "lower-case letters, digits and inner hyphens, for example 2026-q1")
	if slices.Contains(args.Epochs, "signing") {
		f.add("epochs", `"signing" is the alias of the key that signs`, "name the epoch after its time")
	}
	if !slices.Contains(args.Epochs, args.Signing) {
		f.add("signing", fmt.Sprintf("%q is not one of the epochs", args.Signing), "verifiers would not know its key; add it to epochs first")
	}
	// IAM decides, as for data's keys: SigningPolicy and VerifyingPolicy.
	text, err := Document{{
		Sid: "EnableIAMPermissions", Effect: Allow,
		Principals: Principals{AWS: []string{args.Scope.Root()}},
		Actions:    []string{"kms:*"}, Resources: []string{"*"},
	}}.JSON(KeyPolicy)
	f.wrap("policy", err)
	return text, f.err()
}
