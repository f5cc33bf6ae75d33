package identity

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/singleton"
)

// PasswordPolicyComponent is the account's rules for IAM users' passwords and
// for session tokens.
var PasswordPolicyComponent = guide.Component{
	Token:  "redoubt:identity:PasswordPolicy",
	Serves: []guide.ID{guide.PracticesAuthenticationSessionManagement},
}

// The values of CIS AWS Foundations (length 14, no reuse of 24) and of the
// design (90 days).
const (
	passwordLength  = 14
	passwordHistory = 24
	passwordDays    = 90
)

// PasswordPolicyArgs says which of the account's two settings the stack owns.
// There is one of each per account, so only one stack may manage it.
type PasswordPolicyArgs struct {
	// Policy is IAM's password policy.
	Policy singleton.Singleton
	// Tokens is the version of the tokens that the global STS endpoint issues.
	Tokens singleton.Singleton
	// Protect keeps both when the stack is destroyed.
	Protect bool
}

// PasswordPolicy holds IAM users to long passwords, and sessions to tokens
// that are valid in every region. Adopt and Off leave the account as it is.
type PasswordPolicy struct {
	pulumi.ResourceState

	// Policy and Tokens are nil unless managed.
	Policy *iam.AccountPasswordPolicy
	Tokens *iam.SecurityTokenServicePreferences
}

// NewPasswordPolicy makes what is managed.
func NewPasswordPolicy(ctx *pulumi.Context, name string, args *PasswordPolicyArgs, opts ...pulumi.ResourceOption) (*PasswordPolicy, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("password policy %q: %w", name, err)
	}
	c := &PasswordPolicy{}
	if err := ctx.RegisterComponentResource(PasswordPolicyComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("password policy %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("password policy %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

func (c *PasswordPolicy) build(ctx *pulumi.Context, name string, args *PasswordPolicyArgs) error {
	var err error
	if args.Policy.Managed() {
		c.Policy, err = iam.NewAccountPasswordPolicy(ctx, name+"-policy", &iam.AccountPasswordPolicyArgs{
			AllowUsersToChangePassword: pulumi.Bool(true),
			// A hard expiry locks the last administrator out with everyone else.
			HardExpiry:                 pulumi.Bool(false),
			MaxPasswordAge:             pulumi.Int(passwordDays),
			MinimumPasswordLength:      pulumi.Int(passwordLength),
			PasswordReusePrevention:    pulumi.Int(passwordHistory),
			RequireLowercaseCharacters: pulumi.Bool(true),
			RequireNumbers:             pulumi.Bool(true),
			RequireSymbols:             pulumi.Bool(true),
			RequireUppercaseCharacters: pulumi.Bool(true),
		}, managed(c, args.Protect)...)
		if err != nil {
			return err
		}
	}
	if args.Tokens.Managed() {
		// Version 1 tokens of the global endpoint are refused in opt-in regions.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
		c.Tokens, err = iam.NewSecurityTokenServicePreferences(ctx, name+"-tokens", &iam.SecurityTokenServicePreferencesArgs{
			GlobalEndpointTokenVersion: pulumi.String("v2Token"),
		}, managed(c, args.Protect)...)
	}
	return err
}

func (args *PasswordPolicyArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.PasswordPolicyArgs{…})")
	}
	f := &findings{}
	f.wrap("policy", args.Policy.Validate())
	f.wrap("tokens", args.Tokens.Validate())
	return f.err()
}
