package rules

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

const maxHops = 2

// instanceMetadata holds the rule about what instances hand out.
var instanceMetadata = []rule.Rule{{
	Name:     "ec2-imdsv2-required",
	Summary:  "An instance hands out its credentials only to those who ask with a token, over no more than two hops.",
	Guide:    []guide.ID{guide.OverviewIdentityLeastPrivilege, guide.OperationsGuardDutyUnauthorizedAccess},
	Severity: rule.High, Level: rule.Mandatory,
	Controls:  mapped(fsbp("EC2.8", "EC2.170"), cis("5.7"), nist("AC-3", "AC-6"), pci("8.2.8")),
	Types:     []string{"ec2/instance", "ec2/launchTemplate"},
	Check:     tokensRequired,
	Fix:       `ec2.InstanceArgs{MetadataOptions: &ec2.InstanceMetadataOptionsArgs{HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1)}}`,
	URL:       "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-existing-instances.html",
	Remediate: requireTokens,
}}

func tokensRequired(r *rule.Resource, _ rule.Params) rule.Verdict {
	options := r.Get("metadataOptions")
	if endpoint, _ := options.Get("httpEndpoint").Str(); endpoint == "disabled" {
		return rule.Pass()
	}
	if options.Empty() && !r.Get("launchTemplate").Empty() {
		return rule.Unsure("the launch template says it")
	}
	out := oneOf(options.Get("httpTokens"), []string{"required"}, "a request that the instance is tricked into gets its credentials")
	hops := options.Get("httpPutResponseHopLimit")
	if n, known := hops.Int(); known && n > maxHops {
		out = rule.All(out, rule.Fail("%s is %d: the token leaves the instance and its containers", hops.Path(), n))
	} else if hops.Unknown() {
		out = rule.All(out, rule.Unsure("%s is unknown", hops.Path()))
	}
	return unless(out, options.Get("httpEndpoint"))
}

func requireTokens(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	inputs, ok := rule.SetTo("metadataOptions.httpTokens", "required")(r, p)
	if n, known := r.Get("metadataOptions.httpPutResponseHopLimit").Int(); ok && known && n > maxHops {
		repaired := *r
		repaired.Inputs = inputs
		return rule.SetTo("metadataOptions.httpPutResponseHopLimit", maxHops)(&repaired, p)
	}
	return inputs, ok
}
