package rules

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// secretCare holds the rules about how often secrets change, who reaches them
// and how they end.
var secretCare = []rule.Rule{
	{
		Name:     "secret-rotation-interval",
		Summary:  "A secret rotates at least every 90 days.",
		Guide:    []guide.ID{guide.PracticesKMSSecretsRotation, guide.OverviewDataSecrets},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("SecretsManager.4"), nist("IA-5(1)")),
		Types:    []string{"secretsmanager/secretRotation"},
		Params: []rule.Param{{
			Name: "maxDays", Kind: rule.Integer, Default: 90, Min: 1, Max: 1000,
			Description: "The longest time between two rotations that passes, in days.",
		}},
		Check: rotatesOften,
		Fix: `secretsmanager.SecretRotationArgs{RotationRules: &secretsmanager.SecretRotationRotationRulesArgs{` +
			`AutomaticallyAfterDays: pulumi.Int(30)}}`,
		URL:       "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html",
		Remediate: rotateMoreOften,
	},
	{
		Name:     "secret-policy-blocks-public",
		Summary:  "The policy of a secret lets nobody in whom it does not name or bind, and Secrets Manager checks that.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.OverviewDataSecrets},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:  mapped(nist("AC-3")),
		Types:     []string{"secretsmanager/secretPolicy", "secretsmanager/secret"},
		Check:     secretPolicyNotPublic,
		Fix:       `secretsmanager.SecretPolicyArgs{BlockPublicPolicy: pulumi.Bool(true), Policy: …} with named principals`,
		URL:       "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html",
		Remediate: blockPublicPolicy,
	},
	{
		Name:     "secret-recovery-window",
		Summary:  "A deleted secret can be brought back for some days.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Low,
		// A development stack that comes again in a day wants its secrets' names back.
		Level:    rule.Advisory,
		Controls: mapped(nist("CP-9")),
		Types:    []string{"secretsmanager/secret"},
		Params: []rule.Param{{
			Name: "minDays", Kind: rule.Integer, Default: 7, Min: 7, Max: 30,
			Description: "The shortest recovery window that passes, in days.",
		}},
		Check:     recoverable,
		Fix:       `secretsmanager.SecretArgs{RecoveryWindowInDays: pulumi.Int(30)}`,
		URL:       "https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
		Remediate: rule.SetWith("recoveryWindowInDays", func(p rule.Params) any { return p.Int("minDays") }),
	},
}

const afterDays = "rotationRules.automaticallyAfterDays"

func rotatesOften(r *rule.Resource, p rule.Params) rule.Verdict {
	days, schedule, most := r.Get(afterDays), r.Get("rotationRules.scheduleExpression"), p.Int("maxDays")
	if !schedule.Empty() {
		text, known := schedule.Str()
		if !known {
			return rule.Unsure("%s is unknown", schedule.Path())
		}
		return scheduleWithin(text, most, schedule)
	}
	n, known := days.Int()
	switch {
	case days.Unknown():
		return rule.Unsure("%s is unknown", days.Path())
	case !known || n == 0:
		return rule.Fail("rotationRules sets neither automaticallyAfterDays nor scheduleExpression: the secret does not rotate by itself")
	case n > most:
		return rule.Fail("%s is %s, more than %d days", days.Path(), days.Show(), most)
	default:
		return rule.Pass()
	}
}

// rotateMoreOften repairs a number of days only: a schedule has its hour for a
// reason that a repair does not know.
func rotateMoreOften(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	if !r.Get("rotationRules.scheduleExpression").Empty() {
		return nil, false
	}
	return rule.SetWith(afterDays, func(p rule.Params) any { return p.Int("maxDays") })(r, p)
}

func secretPolicyNotPublic(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := documentNotPublic(r, "policy")
	if r.Is("secretsmanager/secretPolicy") {
		out = rule.All(out, r.Get("blockPublicPolicy").True("Secrets Manager accepts a policy that lets everybody in"))
	}
	return out
}

// blockPublicPolicy leaves a policy alone that is public already: with the block
// on, AWS would refuse it.
func blockPublicPolicy(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	if !r.Is("secretsmanager/secretPolicy") || documentNotPublic(r, "policy").Outcome == rule.Failed {
		return nil, false
	}
	return rule.SetTo("blockPublicPolicy", true)(r, p)
}

func recoverable(r *rule.Resource, p rule.Params) rule.Verdict {
	v, least := r.Get("recoveryWindowInDays"), p.Int("minDays")
	days, known := v.Int()
	switch {
	case v.Absent(): // the provider's default is 30 days
		return rule.Pass()
	case !known:
		return rule.Unsure("%s is unknown", v.Path())
	case days == 0:
		return rule.Fail("%s is %s: a deletion is final at once", v.Path(), v.Show())
	case days < least:
		return rule.Fail("%s is %s, less than %d days", v.Path(), v.Show(), least)
	default:
		return rule.Pass()
	}
}
