package identity_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const (
	poolType   = "aws:cognito/userPool:UserPool"
	clientType = "aws:cognito/userPoolClient:UserPoolClient"
	riskType   = "aws:cognito/riskConfiguration:RiskConfiguration"
)

func poolArgs() *identity.UserPoolArgs {
	return &identity.UserPoolArgs{
		Prefix: "redoubt-prod",
		APIs:   map[string]identity.APIScopes{"orders": {"read": "Read orders", "write": "Change orders"}},
		Groups: map[string]identity.UserGroup{
			"operators": {Description: "Run the service", Precedence: 1},
			"readers":   {Description: "Read everything", Precedence: 2, RoleArn: pulumi.String("arn:aws:iam::123456789012:role/readers")},
		},
	}
}

func pool(args *identity.UserPoolArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := identity.NewUserPool(ctx, "users", args)
		return err
	}
}

func TestUserPoolAsksEverybodyForMFA(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, pool(poolArgs()))
	p := g.Only(poolType)
	for input, want := range map[string]any{
		"name": "redoubt-prod-users", "mfaConfiguration": "ON", "softwareTokenMfaConfiguration.enabled": true,
		"passwordPolicy.minimumLength": 14.0, "passwordPolicy.passwordHistorySize": 24.0,
		"userPoolTier": "ESSENTIALS", "deletionProtection": "INACTIVE",
		"adminCreateUserConfig.allowAdminCreateUserOnly": true, "usernameConfiguration.caseSensitive": false,
		"accountRecoverySetting.recoveryMechanisms[0].name": "verified_email",
	} {
		require.Equal(t, want, p.Input(input), input)
	}
	for _, unset := range []string{"smsConfiguration", "userPoolAddOns", "webAuthnConfiguration", "signInPolicy", "emailConfiguration"} {
		require.False(t, p.Has(unset), unset)
	}
	require.Empty(t, g.ByType(riskType))
	require.False(t, p.Protect)

	readers := g.One("aws:cognito/userGroup:UserGroup", "users-group-readers")
	require.Equal(t, "arn:aws:iam::123456789012:role/readers", readers.Input("roleArn"))
	require.EqualValues(t, 2, readers.Input("precedence"))
	require.False(t, g.One("aws:cognito/userGroup:UserGroup", "users-group-operators").Has("roleArn"))
	server := g.Only("aws:cognito/resourceServer:ResourceServer")
	require.Equal(t, []any{
		map[string]any{"scopeName": "read", "scopeDescription": "Read orders"},
		map[string]any{"scopeName": "write", "scopeDescription": "Change orders"},
	}, server.Input("scopes"))
}

func TestUserPoolNamesItsIssuer(t *testing.T) {
	t.Parallel()
	issuers := make(chan string, 1)
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		c, err := identity.NewUserPool(ctx, "users", poolArgs())
		if err != nil {
			return err
		}
		c.Issuer.ApplyT(func(issuer string) string { issuers <- issuer; return issuer })
		return nil
	})
	require.Equal(t, "https://cognito-idp.eu-central-1.amazonaws.com/"+g.Only(poolType).ID, <-issuers)
}

func TestUserPoolAnswersThreats(t *testing.T) {
	t.Parallel()
	args := poolArgs()
	args.Threats, args.BlockedRanges, args.TrustedRanges = identity.ThreatsEnforced, []string{"203.0.113.0/24"}, []string{"198.51.100.0/24"}
	args.Mail = &identity.Mail{IdentityARN: "arn:aws:ses:eu-central-1:123456789012:identity/redoubt.dev", From: "no-reply@redoubt.dev"}
	args.Protect, args.SelfSignUp, args.RelyingPartyID = true, true, "app.redoubt.dev"
	args.WebACLArn = pulumi.String("arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/redoubt/1")
	g := graphtest.Run(t, pool(args))
	p := g.Only(poolType)
	for input, want := range map[string]any{
		"userPoolTier": "PLUS", "userPoolAddOns.advancedSecurityMode": "ENFORCED",
		"userPoolAddOns.advancedSecurityAdditionalFlows.customAuthMode": "ENFORCED",
		"deletionProtection":                             "ACTIVE",
		"adminCreateUserConfig.allowAdminCreateUserOnly": false,
		"webAuthnConfiguration.relyingPartyId":           "app.redoubt.dev",
		"webAuthnConfiguration.userVerification":         "required",
		"signInPolicy.allowedFirstAuthFactors[1]":        "WEB_AUTHN",
		"emailConfiguration.emailSendingAccount":         "DEVELOPER",
	} {
		require.Equal(t, want, p.Input(input), input)
	}
	require.True(t, p.Protect && p.RetainOnDelete)
	risk := g.Only(riskType)
	for input, want := range map[string]any{
		"compromisedCredentialsRiskConfiguration.actions.eventAction":       "BLOCK",
		"accountTakeoverRiskConfiguration.actions.lowAction.eventAction":    "MFA_IF_CONFIGURED",
		"accountTakeoverRiskConfiguration.actions.mediumAction.eventAction": "MFA_REQUIRED",
		"accountTakeoverRiskConfiguration.actions.highAction.eventAction":   "BLOCK",
		"riskExceptionConfiguration.blockedIpRangeLists[0]":                 "203.0.113.0/24",
		"riskExceptionConfiguration.skippedIpRangeLists[0]":                 "198.51.100.0/24",
	} {
		require.Equal(t, want, risk.Input(input), input)
	}
	acl := g.Only("aws:wafv2/webAclAssociation:WebAclAssociation")
	require.Same(t, p, g.Refers(acl.Input("resourceArn")))
}

func TestUserPoolAuditsThreatsWithoutMail(t *testing.T) {
	t.Parallel()
	args := poolArgs()
	args.Threats = identity.ThreatsAudited
	g := graphtest.Run(t, pool(args))
	require.Equal(t, "AUDIT", g.Only(poolType).Input("userPoolAddOns.advancedSecurityMode"))
	require.False(t, g.Only(riskType).Has("accountTakeoverRiskConfiguration"), "the provider wants a sender with it")
}

func TestUserPoolDomainIsOursOrAWSs(t *testing.T) {
	t.Parallel()
	args := poolArgs()
	args.Domain = &identity.UserPoolDomain{Name: "redoubt-prod-123456789012"}
	domain := graphtest.Run(t, pool(args)).Only("aws:cognito/userPoolDomain:UserPoolDomain")
	require.Equal(t, "redoubt-prod-123456789012", domain.Input("domain"))
	require.EqualValues(t, 1, domain.Input("managedLoginVersion"))
	require.False(t, domain.Has("certificateArn"))

	args = poolArgs()
	args.Domain = &identity.UserPoolDomain{Name: "auth.redoubt.dev", CertificateArn: pulumi.String("arn:aws:acm:us-east-1:123456789012:certificate/1")}
	domain = graphtest.Run(t, pool(args)).Only("aws:cognito/userPoolDomain:UserPoolDomain")
	require.Equal(t, "arn:aws:acm:us-east-1:123456789012:certificate/1", domain.Input("certificateArn"))
}

func TestUserPoolFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*identity.UserPoolArgs)
		want   []string
	}{
		"threats": {func(a *identity.UserPoolArgs) { a.Threats = "sometimes" }, []string{`threats: "sometimes"`}},
		"ranges without threats": {
			func(a *identity.UserPoolArgs) { a.BlockedRanges = []string{"203.0.113.0/24"} },
			[]string{"blockedRanges: ranges mean nothing"},
		},
		"ranges": {func(a *identity.UserPoolArgs) {
			a.Threats, a.BlockedRanges, a.TrustedRanges = identity.ThreatsAudited, []string{"office"}, []string{"0.0.0.0/0"}
		}, []string{`blockedRanges[0]: "office"`, "trustedRanges[0]: 0.0.0.0/0 is the whole internet"}},
		"passkeys": {func(a *identity.UserPoolArgs) { a.RelyingPartyID = "https://app.redoubt.dev" }, []string{"relyingPartyId:"}},
		"passkeys elsewhere": {func(a *identity.UserPoolArgs) {
			a.RelyingPartyID = "app.redoubt.dev"
			a.Domain = &identity.UserPoolDomain{Name: "auth.redoubt.dev", CertificateArn: pulumi.String("arn")}
		}, []string{`relyingPartyId: "app.redoubt.dev" is not the sign-in domain "auth.redoubt.dev"`}},
		"mail": {func(a *identity.UserPoolArgs) { a.Mail = &identity.Mail{IdentityARN: "me"} }, []string{"mail.identityArn:", "mail.from:"}},
		"host without certificate": {
			func(a *identity.UserPoolArgs) { a.Domain = &identity.UserPoolDomain{Name: "auth.redoubt.dev"} },
			[]string{"domain.certificateArn: missing"},
		},
		"reserved word": {func(a *identity.UserPoolArgs) { a.Domain = &identity.UserPoolDomain{Name: "my-aws-login"} }, []string{`"aws" in it`}},
		"certificate without host": {func(a *identity.UserPoolArgs) {
			a.Domain = &identity.UserPoolDomain{Name: "login", CertificateArn: pulumi.String("arn")}
		}, []string{`domain.name: "login" is no host`}},
		"groups": {func(a *identity.UserPoolArgs) {
			a.Groups["no body"] = identity.UserGroup{Precedence: 1}
		}, []string{`groups["no body"]: not a group's name`, `groups["no body"].description`, `groups["operators"].precedence: 1 is that of "no body" too`}},
		"apis": {func(a *identity.UserPoolArgs) {
			a.APIs = map[string]identity.APIScopes{"a b": {}, "c": {"d e": ""}}
		}, []string{`apis["a b"]: not an identifier`, `apis["a b"]: 0 scopes`, `apis["c"]["d e"]`}},
		"prefix": {func(a *identity.UserPoolArgs) { a.Prefix = "" }, []string{"prefix:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := poolArgs()
			c.change(args)
			g, err := graphtest.Build(pool(args))
			require.Empty(t, g.Resources)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
