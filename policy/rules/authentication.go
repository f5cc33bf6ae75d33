package rules

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// authentication holds the rules of "Authentication" about who signs in.
var authentication = []rule.Rule{
	{
		Name:     "cognito-mfa-required",
		Summary:  "A user pool asks every user for a second factor, and not by text message alone.",
		Guide:    []guide.ID{guide.PracticesAuthenticationMFA, guide.OverviewIdentityMFA},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("IA-2(1)")),
		Types:    []string{"cognito/userPool"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := oneOf(r.Get("mfaConfiguration"), []string{"ON"}, "a password alone is enough")
			if v := r.Get("softwareTokenMfaConfiguration.enabled"); v.Present() || r.Get("webAuthnConfiguration").Absent() {
				out = rule.All(out, v.True("text messages are the only second factor, and they can be intercepted"))
			}
			return out
		},
		Fix: `cognito.UserPoolArgs{MfaConfiguration: pulumi.String("ON"), SoftwareTokenMfaConfiguration: ` +
			`&cognito.UserPoolSoftwareTokenMfaConfigurationArgs{Enabled: pulumi.Bool(true)}}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html",
	},
	{
		Name:     "cognito-password-policy",
		Summary:  "A user pool's passwords are long, of every kind of character, and not used again.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("Cognito.3"), nist("IA-5(1)")),
		Types:    []string{"cognito/userPool"},
		Params: []rule.Param{
			{
				Name: "minLength", Kind: rule.Integer, Default: 14, Min: 8, Max: 99,
				Description: "The shortest password that a user pool may accept.",
			},
			{
				Name: "minHistory", Kind: rule.Integer, Default: 1, Min: 0, Max: 24,
				Description: "How many earlier passwords a user pool must refuse; the plan Lite cannot.",
			},
		},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return rule.All(passwordLength(r, p), passwordCharacters(r, p), passwordHistory(r, p))
		},
		Fix: `cognito.UserPoolPasswordPolicyArgs{MinimumLength: pulumi.Int(14), PasswordHistorySize: pulumi.Int(24), RequireLowercase: pulumi.Bool(true), ` +
			`RequireNumbers: pulumi.Bool(true), RequireSymbols: pulumi.Bool(true), RequireUppercase: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html",
		Remediate: rule.InTurn(
			rule.Where(passwordLength, rule.SetWith("passwordPolicy.minimumLength", func(p rule.Params) any { return p.Int("minLength") })),
			rule.Where(passwordHistory, rule.SetWith("passwordPolicy.passwordHistorySize", func(p rule.Params) any { return p.Int("minHistory") })),
			rule.Where(passwordCharacters, requireCharacters),
		),
	},
	{
		Name:     "cognito-threat-protection",
		Summary:  "A user pool answers risky sign-ins, and refuses passwords that are known to have leaked.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth, guide.PracticesAuthorizationContextBasedRules},
		Severity: rule.Medium,
		// The plan Plus, which it needs, is billed per user.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("Cognito.1"), nist("SI-4", "IA-5")),
		Types:      []string{"cognito/userPool"},
		CheckStack: threatsAnswered,
		Fix: `cognito.UserPoolArgs{UserPoolTier: pulumi.String("PLUS"), UserPoolAddOns: &cognito.UserPoolUserPoolAddOnsArgs{` +
			`AdvancedSecurityMode: pulumi.String("ENFORCED")}} and cognito.NewRiskConfiguration with cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationActionsArgs{EventAction: pulumi.String("BLOCK")}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-threat-protection.html",
	},
	{
		Name:     "cognito-no-guest-identities",
		Summary:  "An identity pool gives AWS credentials to signed-in users only, by the enhanced flow.",
		Guide:    []guide.ID{guide.PracticesAuthorizationRoleBasedAccess},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("Cognito.2"), nist("AC-3")),
		Types:    []string{"cognito/identityPool"},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return rule.All(noGuests(r, p), noClassicFlow(r, p))
		},
		Fix: `cognito.IdentityPoolArgs{AllowUnauthenticatedIdentities: pulumi.Bool(false), AllowClassicFlow: pulumi.Bool(false)}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/cognito-controls.html#cognito-2",
		Remediate: rule.InTurn(
			rule.Where(noGuests, rule.SetTo("allowUnauthenticatedIdentities", false)),
			rule.Where(noClassicFlow, rule.SetTo("allowClassicFlow", false)),
		),
	},
	{
		Name:     "cognito-waf-and-deletion-protection",
		Summary:  "A user pool stands behind a web ACL and cannot be deleted by mistake.",
		Guide:    []guide.ID{guide.PracticesInputWAF},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-7")),
		Types:    []string{"cognito/userPool"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			behind := rule.Pass()
			if len(s.Pointing(r, "resourceArn", "wafv2/webAclAssociation")) == 0 {
				behind = missing(s, "resourceArn", "wafv2/webAclAssociation", "cognito/userPool", "no web ACL is associated with the user pool")
			}
			return rule.All(behind, oneOf(r.Get("deletionProtection"), []string{"ACTIVE"}, "passwords and second factors cannot be brought back"))
		},
		Fix: `cognito.UserPoolArgs{DeletionProtection: pulumi.String("ACTIVE")} and wafv2.WebAclAssociationArgs{ResourceArn: pool.Arn, WebAclArn: acl.Arn}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-waf.html",
	},
}

func passwordLength(r *rule.Resource, p rule.Params) rule.Verdict {
	return atLeast(r.Get("passwordPolicy.minimumLength"), p.Int("minLength"), "short passwords are guessed")
}

func passwordHistory(r *rule.Resource, p rule.Params) rule.Verdict {
	if tier, _ := r.Get("userPoolTier").Str(); tier == "LITE" || p.Int("minHistory") == 0 {
		return rule.Skip()
	}
	return unless(atLeast(r.Get("passwordPolicy.passwordHistorySize"), p.Int("minHistory"), "an old password may come back"), r.Get("userPoolTier"))
}

// passwordClasses are the kinds of characters.
var passwordClasses = []string{"requireLowercase", "requireUppercase", "requireNumbers", "requireSymbols"}

func passwordCharacters(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, class := range passwordClasses {
		out = rule.All(out, r.Get("passwordPolicy."+class).True("passwords of few kinds of characters are guessed"))
	}
	return out
}

func requireCharacters(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	var repairs []rule.Repair
	for _, class := range passwordClasses {
		repairs = append(repairs, rule.SetTo("passwordPolicy."+class, true))
	}
	return rule.InTurn(repairs...)(r, p)
}

func noGuests(r *rule.Resource, _ rule.Params) rule.Verdict {
	return r.Get("allowUnauthenticatedIdentities").False("anybody gets AWS credentials")
}

func noClassicFlow(r *rule.Resource, _ rule.Params) rule.Verdict {
	return r.Get("allowClassicFlow").False("a user may choose the role, without the session policy that bounds the enhanced flow")
}

func threatsAnswered(s *rule.Stack, pool *rule.Resource, _ rule.Params) rule.Verdict {
	out := oneOf(pool.Get("userPoolAddOns.advancedSecurityMode"), []string{"ENFORCED"}, "a risky sign-in is let through")
	if out.Outcome == rule.Failed {
		return out
	}
	if tier := pool.Get("userPoolTier"); tier.Present() {
		out = rule.All(out, oneOf(tier, []string{"PLUS"}, "AWS refuses threat protection outside the plan Plus"))
	}
	configs := s.Pointing(pool, "userPoolId", "cognito/riskConfiguration")
	if len(configs) == 0 {
		return rule.All(out, missing(s, "userPoolId", "cognito/riskConfiguration", "cognito/userPool",
			"no risk configuration says what becomes of a leaked password"))
	}
	for _, c := range configs {
		out = rule.All(out, oneOf(c.Get("compromisedCredentialsRiskConfiguration.actions.eventAction"), []string{"BLOCK"}, "a leaked password is let in"))
	}
	return out
}
