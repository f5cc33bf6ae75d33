package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// authentication holds the rules of "Authentication".
var authentication = []rule.Rule{{
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
}}
