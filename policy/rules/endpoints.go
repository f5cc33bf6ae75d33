package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// endpoints holds the rules of "VPC endpoints for AWS services".
var endpoints = []rule.Rule{
	{
		Name:     "vpc-required-endpoints-present",
		Summary:  "A VPC with workloads has endpoints for the AWS services of the stack: gateways always, interfaces where no NAT gateway stands in for them.",
		Guide:    []guide.ID{guide.ArchitectureInTransitEndpoints, guide.DiagramECSS3},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("EC2.55", "EC2.56", "EC2.57"), nist("SC-7", "AC-4"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    []string{"ec2/vpc"},
		Params: []rule.Param{
			{
				Name: "alsoWithNat", Kind: rule.Boolean, Default: false,
				Description: "Demand the interface endpoints also in a VPC with a NAT gateway.",
			},
			{
				Name: "services", Kind: rule.Strings, Default: []string{},
				Description: "More services that need an endpoint, by the last part of the service's name: sts, ecr.api.",
			},
		},
		CheckStack: requiredEndpoints,
		Fix:        `ec2.NewVpcEndpoint with ec2.VpcEndpointArgs{VpcId: vpc.ID(), ServiceName: pulumi.String("com.amazonaws.<region>.<service>")}`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html",
	},
	{
		Name:     "vpc-endpoint-policy-restrictive",
		Summary:  "An endpoint's policy lets only our own principals, or only our own resources, through.",
		Guide:    []guide.ID{guide.PracticesAuthorizationResourcePolicies, guide.ArchitectureInTransitEndpoints},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-3", "AC-6")),
		Types:      []string{"ec2/vpcEndpoint"},
		CheckStack: endpointPolicyRestrictive,
		Fix:        `ec2.VpcEndpointArgs{Policy: …} whose statements have the Condition {"StringEquals": {"aws:PrincipalOrgID": "o-…"}}`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
	},
	{
		Name:     "vpc-interface-endpoint-private-dns",
		Summary:  "An interface endpoint of an AWS service takes over the service's name, so that every client uses it.",
		Guide:    []guide.ID{guide.ArchitectureInTransitEndpoints},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"ec2/vpcEndpoint"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return ofInterface(r, r.Get("privateDnsEnabled").True("clients go on to the service's public addresses"))
		},
		Fix:       `ec2.VpcEndpointArgs{PrivateDnsEnabled: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html",
		Remediate: rule.SetTo("privateDnsEnabled", true),
	},
	{
		Name:     "vpc-interface-endpoint-multi-az",
		Summary:  "An interface endpoint has an address in two zones or more.",
		Guide:    []guide.ID{guide.ArchitectureInTransitEndpoints},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("CP-10")),
		Types:      []string{"ec2/vpcEndpoint"},
		CheckStack: endpointInTwoZones,
		Fix:        `ec2.VpcEndpointArgs{SubnetIds: pulumi.StringArray{a.ID(), b.ID()}}`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
	},
	{
		Name:     "vpc-dns-enabled-for-endpoints",
		Summary:  "A VPC with interface endpoints resolves DNS names and gives hostnames, without which private names of endpoints do not work.",
		Guide:    []guide.ID{guide.ArchitectureInTransitEndpoints},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("CM-6")),
		Types:    []string{"ec2/vpc"},
		CheckStack: func(s *rule.Stack, vpc *rule.Resource, _ rule.Params) rule.Verdict {
			endpoints := s.Pointing(vpc, "vpcId", "ec2/vpcEndpoint")
			if !slices.ContainsFunc(endpoints, isInterface) {
				if slices.ContainsFunc(endpoints, func(e *rule.Resource) bool { return e.Get("vpcEndpointType").Unknown() }) {
					return rule.Unsure("vpcEndpointType of an endpoint is unknown")
				}
				return rule.Skip()
			}
			out := vpc.Get("enableDnsHostnames").True("private names of endpoints do not resolve")
			if support := vpc.Get("enableDnsSupport"); support.Present() { // on by default
				out = rule.All(out, support.True("nothing resolves in the VPC"))
			}
			return out
		},
		Fix: `ec2.VpcArgs{EnableDnsSupport: pulumi.Bool(true), EnableDnsHostnames: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html",
	},
}

func isInterface(r *rule.Resource) bool {
	kind, _ := r.Get("vpcEndpointType").Str()
	return kind == "Interface"
}

// ofInterface is the verdict where the endpoint is an interface endpoint of an
// AWS service; a private service, of us or of a vendor, often has no name.
func ofInterface(r *rule.Resource, v rule.Verdict) rule.Verdict {
	kind, service := r.Get("vpcEndpointType"), r.Get("serviceName")
	name, _ := service.Str()
	switch {
	case kind.Unknown() && v.Outcome != rule.Passed:
		return rule.Unsure("vpcEndpointType is unknown")
	case !kind.Unknown() && !isInterface(r), strings.Contains(name, ".vpce-svc-"):
		return rule.Skip()
	case service.Unknown() && v.Outcome == rule.Failed:
		return rule.Unsure("serviceName is unknown")
	default:
		return v
	}
}

// served says which endpoints the resources of a stack call for. Gateways cost
// nothing; interfaces cost by the hour, and a NAT gateway can stand in for them.
var served = []struct {
	typ      string
	services []string
	gateway  bool
}{
	{"s3/bucket", []string{"s3"}, true},
	{"dynamodb/table", []string{"dynamodb"}, true},
	{"ecs/service", []string{"ecr.api", "ecr.dkr", "logs"}, false},
	{"kms/key", []string{"kms"}, false},
	{"secretsmanager/secret", []string{"secretsmanager"}, false},
	{"sns/topic", []string{"sns"}, false},
	{"sqs/queue", []string{"sqs"}, false},
	{"ssm/parameter", []string{"ssm"}, false},
}

func requiredEndpoints(s *rule.Stack, vpc *rule.Resource, p rule.Params) rule.Verdict {
	if !hasWorkloads(s, vpc) {
		return rule.Skip()
	}
	all := p.Bool("alsoWithNat") || len(s.Of("ec2/natGateway")) == 0
	need := slices.Clone(p.Strs("services"))
	for _, row := range served {
		if (row.gateway || all) && len(s.Of(row.typ)) > 0 {
			need = append(need, row.services...)
		}
	}
	slices.Sort(need)
	present := s.Pointing(vpc, "vpcId", "ec2/vpcEndpoint")
	var absent []string
	for _, service := range slices.Compact(need) {
		if !slices.ContainsFunc(present, func(e *rule.Resource) bool { return serves(e, service) }) {
			absent = append(absent, service)
		}
	}
	switch {
	case len(absent) == 0:
		return rule.Pass()
	case slices.ContainsFunc(present, func(e *rule.Resource) bool { return e.Get("serviceName").Unknown() }):
		return rule.Unsure("the service of an endpoint is unknown")
	default:
		return missing(s, "vpcId", "ec2/vpcEndpoint", "ec2/vpc", "the VPC has no endpoint for "+strings.Join(absent, ", "))
	}
}

func hasWorkloads(s *rule.Stack, vpc *rule.Resource) bool {
	for _, subnet := range s.Pointing(vpc, "vpcId", "ec2/subnet") {
		if residents, _ := s.Residents(subnet); len(residents) > 0 {
			return true
		}
	}
	return false
}

// serves says that the endpoint is of the service, with or without FIPS.
func serves(endpoint *rule.Resource, service string) bool {
	name, _ := endpoint.Get("serviceName").Str()
	return strings.HasSuffix(name, "."+service) || strings.HasSuffix(name, "."+service+"-fips")
}

// ours are the condition keys that bind what goes through an endpoint to our
// own resources; Statement.Narrowed knows those of principals.
var ours = []string{"aws:resourceorgid", "aws:resourceorgpaths", "aws:resourceaccount", "s3:resourceaccount"}

func endpointPolicyRestrictive(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	kind, service := r.Get("vpcEndpointType"), r.Get("serviceName")
	name, _ := service.Str()
	if k, _ := kind.Str(); k == "GatewayLoadBalancer" || strings.Contains(name, ".vpce-svc-") {
		return rule.Skip() // such endpoints have no policy
	}
	out := rule.Skip()
	for _, split := range s.Pointing(r, "vpcEndpointId", "ec2/vpcEndpointPolicy") {
		out = rule.All(out, statementsOurs(split))
	}
	if out.Outcome == rule.NotApplicable {
		out = statementsOurs(r)
	}
	switch {
	case out.Outcome != rule.NotApplicable:
		return out
	case kind.Unknown() || service.Unknown():
		return rule.Unsure("which service the endpoint is of is unknown")
	default:
		return missing(s, "vpcEndpointId", "ec2/vpcEndpointPolicy", "ec2/vpcEndpoint", "policy is not set: whoever has keys of any account can use the endpoint")
	}
}

func statementsOurs(r *rule.Resource) rule.Verdict {
	doc, v := r.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		if st.Allows() && st.AnyPrincipal() && st.AnyResource() && !st.Narrowed() && !st.Requires(ours...) {
			return rule.Fail("%s of policy lets every principal through to every resource", st.Label())
		}
		return rule.Pass()
	})
}

func endpointInTwoZones(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	addresses := slices.Concat(r.Each("subnetIds"), r.Each("subnetConfigurations.subnetId"))
	for _, split := range s.Pointing(r, "vpcEndpointId", "ec2/vpcEndpointSubnetAssociation") {
		addresses = append(addresses, split.Each("subnetId")...)
	}
	v := rule.Pass()
	switch {
	case len(addresses) > 1: // AWS takes one subnet of a zone
	case r.Get("subnetIds").Unknown() || r.Get("subnetConfigurations").Unknown():
		v = rule.Unsure("the subnets are unknown")
	case s.Loose("vpcEndpointId", "ec2/vpcEndpointSubnetAssociation", "ec2/vpcEndpoint"):
		v = rule.Unsure("a subnet is associated with an unknown endpoint")
	default:
		v = rule.Fail("the endpoint has %d subnet(s), and fails with that zone", len(addresses))
	}
	return ofInterface(r, v)
}
