package identity

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// UserPoolComponent is where the application's users sign in.
var UserPoolComponent = guide.Component{
	Token: "redoubt:identity:UserPool",
	Serves: []guide.ID{
		guide.OverviewIdentityMFA,
		guide.PracticesAuthenticationMFA,
		guide.PracticesAuthorizationRoleBasedAccess,
		guide.PracticesAuthorizationContextBasedRules,
	},
}

// UserPoolArgs describes a pool.
type UserPoolArgs struct {
	// Prefix starts the pool's name, for example "redoubt-prod".
	Prefix string
	// SelfSignUp lets people make their own users; otherwise administrators
	// invite them.
	SelfSignUp bool
	// RelyingPartyID is the domain that passkeys are for, for example
	// "auth.example.org"; empty for no passkeys. It is the sign-in domain if that
	// is ours, and part of every passkey: changing it makes them useless. As long
	// as the provider cannot set Cognito's FactorConfiguration, a passkey is one
	// factor: people may register it, and sign in with their authenticator.
	// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_WebAuthnConfigurationType.html
	RelyingPartyID string
	// Threats is what the pool does about risky sign-ins; empty means ThreatsOff.
	Threats ThreatProtection
	// BlockedRanges and TrustedRanges are CIDR blocks for threat protection:
	// never let in, and never judged.
	BlockedRanges, TrustedRanges []string
	// Mail sends invitations and alerts from an identity in SES; nil sends them
	// from Cognito's own address, 50 a day.
	Mail *Mail
	// Domain is where the sign-in pages are; nil for none.
	Domain *UserPoolDomain
	// Groups are roles of the application by name, which tokens carry as
	// cognito:groups.
	Groups map[string]UserGroup
	// APIs are what access tokens are for: scopes by resource server.
	APIs map[string]APIScopes
	// WebACLArn is the web ACL in front of the pool's pages and API; nil for none.
	WebACLArn pulumi.StringInput
	// Protect keeps the pool from being deleted, by AWS and by Pulumi: nobody's
	// password or second factor can be brought back.
	Protect bool
	Tags    map[string]string
}

// Mail is an SES identity to send from.
type Mail struct {
	// IdentityARN is a verified identity's.
	IdentityARN string
	// From is the address, for example "Redoubt <no-reply@example.org>".
	From string
}

// UserPool is a Cognito user pool in which everybody has a second factor: an
// authenticator app. SMS is off; it can be taken over with the phone number.
type UserPool struct {
	pulumi.ResourceState

	Pool *cognito.UserPool
	Arn  pulumi.StringOutput
	// PoolID is "<region>_<id>".
	PoolID pulumi.StringOutput
	// Issuer is what tokens name as iss; its keys, which Cognito rotates, are at
	// Issuer + "/.well-known/jwks.json".
	Issuer pulumi.StringOutput
	// Domain is nil without one, Servers are the APIs by identifier.
	Domain  *cognito.UserPoolDomain
	Servers map[string]*cognito.ResourceServer
	apis    map[string]APIScopes
	threats ThreatProtection
}

// NewUserPool makes the pool. The error joins every finding in args.
func NewUserPool(ctx *pulumi.Context, name string, args *UserPoolArgs, opts ...pulumi.ResourceOption) (*UserPool, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("user pool %q: %w", name, err)
	}
	c := &UserPool{Servers: map[string]*cognito.ResourceServer{}, apis: args.APIs, threats: args.Threats}
	if err := ctx.RegisterComponentResource(UserPoolComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("user pool %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *UserPoolArgs) error{
		c.buildPool, c.buildThreats, c.buildDomain, c.buildGroups, c.buildAPIs, c.buildWebACL,
	} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("user pool %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "poolId": c.PoolID, "issuer": c.Issuer})
}

func (c *UserPool) buildPool(ctx *pulumi.Context, name string, args *UserPoolArgs) error {
	in := &cognito.UserPoolArgs{
		Name:                          pulumi.String(args.Prefix + "-users"),
		UserPoolTier:                  pulumi.String(args.Threats.tier()),
		MfaConfiguration:              pulumi.String("ON"),
		SoftwareTokenMfaConfiguration: &cognito.UserPoolSoftwareTokenMfaConfigurationArgs{Enabled: pulumi.Bool(true)},
		PasswordPolicy: &cognito.UserPoolPasswordPolicyArgs{
			MinimumLength:                 pulumi.Int(passwordLength),
			PasswordHistorySize:           pulumi.Int(passwordHistory),
			RequireLowercase:              pulumi.Bool(true),
			RequireNumbers:                pulumi.Bool(true),
			RequireSymbols:                pulumi.Bool(true),
			RequireUppercase:              pulumi.Bool(true),
			TemporaryPasswordValidityDays: pulumi.Int(1),
		},
		// Both are fixed at creation: an address names one user whatever its case.
		UsernameAttributes:     pulumi.ToStringArray([]string{"email"}),
		UsernameConfiguration:  &cognito.UserPoolUsernameConfigurationArgs{CaseSensitive: pulumi.Bool(false)},
		AutoVerifiedAttributes: pulumi.ToStringArray([]string{"email"}),
		// Until the new address is verified, the old one stays in force.
		UserAttributeUpdateSettings: &cognito.UserPoolUserAttributeUpdateSettingsArgs{
			AttributesRequireVerificationBeforeUpdates: pulumi.ToStringArray([]string{"email"}),
		},
		AccountRecoverySetting: &cognito.UserPoolAccountRecoverySettingArgs{
			RecoveryMechanisms: cognito.UserPoolAccountRecoverySettingRecoveryMechanismArray{
				&cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs{Name: pulumi.String("verified_email"), Priority: pulumi.Int(1)},
			},
		},
		AdminCreateUserConfig: &cognito.UserPoolAdminCreateUserConfigArgs{AllowAdminCreateUserOnly: pulumi.Bool(!args.SelfSignUp)},
		DeletionProtection:    pulumi.String("INACTIVE"),
		UserPoolAddOns:        args.Threats.addOns(),
		Tags:                  tagged(args.Tags, args.Prefix+"-users"),
	}
	if args.Protect {
		in.DeletionProtection = pulumi.String("ACTIVE")
	}
	if args.RelyingPartyID != "" {
		in.WebAuthnConfiguration = &cognito.UserPoolWebAuthnConfigurationArgs{
			RelyingPartyId: pulumi.String(args.RelyingPartyID), UserVerification: pulumi.String("required"),
		}
		in.SignInPolicy = &cognito.UserPoolSignInPolicyArgs{
			AllowedFirstAuthFactors: pulumi.ToStringArray([]string{"PASSWORD", "WEB_AUTHN"}),
		}
	}
	if args.Mail != nil {
		in.EmailConfiguration = &cognito.UserPoolEmailConfigurationArgs{
			EmailSendingAccount: pulumi.String("DEVELOPER"),
			FromEmailAddress:    pulumi.String(args.Mail.From), SourceArn: pulumi.String(args.Mail.IdentityARN),
		}
	}
	var err error
	c.Pool, err = cognito.NewUserPool(ctx, name+"-pool", in, managed(c, args.Protect)...)
	if err != nil {
		return err
	}
	c.Arn, c.PoolID = c.Pool.Arn, c.Pool.ID().ToStringOutput()
	c.Issuer = pulumi.Sprintf("https://%s", c.Pool.Endpoint)
	return nil
}

func (c *UserPool) buildWebACL(ctx *pulumi.Context, name string, args *UserPoolArgs) error {
	if args.WebACLArn == nil {
		return nil
	}
	_, err := wafv2.NewWebAclAssociation(ctx, name+"-web-acl", &wafv2.WebAclAssociationArgs{
		ResourceArn: c.Arn, WebAclArn: args.WebACLArn,
	}, pulumi.Parent(c))
	return err
}

func (args *UserPoolArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.UserPoolArgs{…})")
	}
	f := &findings{}
	f.prefix(args.Prefix)
	args.checkThreats(f)
	if args.RelyingPartyID != "" && !hostForm.MatchString(args.RelyingPartyID) {
		f.add("relyingPartyId", fmt.Sprintf("%q is no domain", args.RelyingPartyID), "the application's host, without https://")
	}
	if d := args.Domain; d != nil && d.CertificateArn != nil && args.RelyingPartyID != "" && args.RelyingPartyID != d.Name {
		f.add("relyingPartyId", fmt.Sprintf("%q is not the sign-in domain %q, for which Cognito takes passkeys only", args.RelyingPartyID, d.Name), "make them the same")
	}
	if m := args.Mail; m != nil {
		if !identityARN.MatchString(m.IdentityARN) {
			f.add("mail.identityArn", fmt.Sprintf("%q is no SES identity", m.IdentityARN), "arn:<partition>:ses:<region>:<account>:identity/<address or domain>")
		}
		if m.From == "" {
			f.add("mail.from", "missing", "the address that people see")
		}
	}
	args.checkDomain(f)
	args.checkGroups(f)
	args.checkAPIs(f)
	return f.err()
}
