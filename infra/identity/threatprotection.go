package identity

import (
	"fmt"
	"net/netip"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ThreatProtection is what a user pool does about risky sign-ins. It needs
// Cognito's Plus plan, billed per active user; without it AWS answers
// FeatureUnavailableInTierException (terraform-provider-aws PR#40734).
type ThreatProtection string

// The choices.
const (
	ThreatsOff ThreatProtection = "off"
	// ThreatsAudited are logged and let through: for the first weeks.
	ThreatsAudited ThreatProtection = "audit"
	// ThreatsEnforced are answered by the risk configuration.
	ThreatsEnforced ThreatProtection = "enforced"
)

// threatModes are Cognito's names.
var threatModes = map[ThreatProtection]string{"": "", ThreatsOff: "", ThreatsAudited: "AUDIT", ThreatsEnforced: "ENFORCED"}

// tier is the least plan that has the features in use: the password history
// and passkeys need Essentials.
func (t ThreatProtection) tier() string {
	if threatModes[t] != "" {
		return "PLUS"
	}
	return "ESSENTIALS"
}

func (t ThreatProtection) addOns() cognito.UserPoolUserPoolAddOnsPtrInput {
	mode := threatModes[t]
	if mode == "" {
		return nil
	}
	return &cognito.UserPoolUserPoolAddOnsArgs{
		AdvancedSecurityMode: pulumi.String(mode),
		AdvancedSecurityAdditionalFlows: &cognito.UserPoolUserPoolAddOnsAdvancedSecurityAdditionalFlowsArgs{
			CustomAuthMode: pulumi.String(mode),
		},
	}
}

// buildThreats makes the risk configuration: leaked passwords are refused, and
// the riskier a sign-in looks, the more it takes.
func (c *UserPool) buildThreats(ctx *pulumi.Context, name string, args *UserPoolArgs) error {
	if threatModes[args.Threats] == "" {
		return nil
	}
	in := &cognito.RiskConfigurationArgs{
		UserPoolId: c.PoolID,
		CompromisedCredentialsRiskConfiguration: &cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationArgs{
			Actions:      &cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationActionsArgs{EventAction: pulumi.String("BLOCK")},
			EventFilters: pulumi.ToStringArray([]string{"PASSWORD_CHANGE", "SIGN_IN", "SIGN_UP"}),
		},
	}
	if args.Mail != nil {
		in.AccountTakeoverRiskConfiguration = takeover(args.Mail)
	}
	if len(args.BlockedRanges)+len(args.TrustedRanges) > 0 {
		in.RiskExceptionConfiguration = &cognito.RiskConfigurationRiskExceptionConfigurationArgs{
			BlockedIpRangeLists: pulumi.ToStringArray(args.BlockedRanges),
			SkippedIpRangeLists: pulumi.ToStringArray(args.TrustedRanges),
		}
	}
	_, err := cognito.NewRiskConfiguration(ctx, name+"-risk", in, pulumi.Parent(c))
	return err
}

// takeover answers sign-ins that look like somebody else's. The provider wants
// an SES identity with it, to tell the user.
func takeover(mail *Mail) *cognito.RiskConfigurationAccountTakeoverRiskConfigurationArgs {
	return &cognito.RiskConfigurationAccountTakeoverRiskConfigurationArgs{
		Actions: &cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsArgs{
			LowAction: &cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsLowActionArgs{
				EventAction: pulumi.String("MFA_IF_CONFIGURED"), Notify: pulumi.Bool(false),
			},
			MediumAction: &cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsMediumActionArgs{
				EventAction: pulumi.String("MFA_REQUIRED"), Notify: pulumi.Bool(true),
			},
			HighAction: &cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsHighActionArgs{
				EventAction: pulumi.String("BLOCK"), Notify: pulumi.Bool(true),
			},
		},
		NotifyConfiguration: &cognito.RiskConfigurationAccountTakeoverRiskConfigurationNotifyConfigurationArgs{
			SourceArn: pulumi.String(mail.IdentityARN), From: pulumi.String(mail.From),
		},
	}
}

var identityARN = regexp.MustCompile(`^arn:[^:]+:ses:[a-z0-9-]+:\d{12}:identity/.+$`)

func (args *UserPoolArgs) checkThreats(f *findings) {
	if _, known := threatModes[args.Threats]; !known {
		f.add("threats", fmt.Sprintf("%q is not a choice", args.Threats), "off, audit or enforced")
	}
	if threatModes[args.Threats] == "" && len(args.BlockedRanges)+len(args.TrustedRanges) > 0 {
		f.add("blockedRanges", "ranges mean nothing without threat protection", "set threats, or block addresses in the web ACL")
	}
	for _, list := range []struct {
		field  string
		ranges []string
	}{{"blockedRanges", args.BlockedRanges}, {"trustedRanges", args.TrustedRanges}} {
		for i, cidr := range list.ranges {
			p, err := netip.ParsePrefix(cidr)
			switch {
			case err != nil:
				f.add(fmt.Sprintf("%s[%d]", list.field, i), fmt.Sprintf("%q is no CIDR block", cidr), "for example 203.0.113.0/24")
			case p.Bits() == 0:
				f.add(fmt.Sprintf("%s[%d]", list.field, i), cidr+" is the whole internet", "name the networks")
			}
		}
	}
}
