package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
)

const (
	docsGroupNames = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"
	docsGroupRules = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html"
	docsAclRules   = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html"
)

// descriptions of groups and rules are refused with other characters.
var groupText = regexp.MustCompile(`^[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*$`)

// securityGroupKinds are security groups, network ACLs and their rules.
var securityGroupKinds = []kind{
	{
		token: "aws:ec2/securityGroup:SecurityGroup", noun: "EC2 Security Group", service: "EC2", action: "SecurityGroup",
		id: "sg-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:security-group/{id}",
		defaults: props{"description": "Managed by Pulumi", "revokeRulesOnDelete": false},
		computed: props{"ownerId": "{account}", "vpcId": "vpc-{hex17:default}"},
		replaces: []string{"vpcId", "description"},
		refs: slices.Concat(refer(toVpc, "vpcId"),
			refer(toSecurityGroup, "ingress[*].securityGroups[*]", "egress[*].securityGroups[*]"),
			refer(toPrefixList, "ingress[*].prefixListIds[*]", "egress[*].prefixListIds[*]")),
		unique: []unique{{
			key: "{vpcId}/{name}", code: "InvalidGroup.Duplicate",
			message: "The security group '{name}' already exists for VPC '{vpcId}'",
		}},
		limits: []limit{
			{path: "name", longest: 255, pattern: regexp.MustCompile(`^([^s]|s[^g]|sg[^-]|sg$|s$)`), meaning: "it must not start with sg-", source: docsGroupNames},
			{path: "description", longest: 255, pattern: groupText, meaning: "only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*", source: docsGroupNames},
		},
		blocks: []block{
			{by: networkUsers, code: "DependencyViolation", message: "resource {id} has a dependent object"},
			{by: []string{"aws:ec2/securityGroup:SecurityGroup"}, code: "DependencyViolation", message: "resource {id} has a dependent object"},
		},
		refuses: []refusal{{
			name: "group-named-by-rules", at: []operation{opDelete}, code: "DependencyViolation", source: docsEC2Errors, because: namedByRules,
		}},
	},
	groupRule("Ingress", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
	groupRule("Egress", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"),
	{
		token: "aws:ec2/networkAcl:NetworkAcl", noun: "EC2 Network ACL", service: "EC2", action: "NetworkAcl",
		id: "acl-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:network-acl/{id}",
		computed: props{"ownerId": "{account}"}, replaces: []string{"vpcId"},
		refs: append(refer(toVpc, "vpcId"), refer(toSubnet, "subnetIds[*]")...),
	},
	{
		token: "aws:ec2/networkAclRule:NetworkAclRule", noun: "EC2 Network ACL Rule", service: "EC2", action: "NetworkAclEntry",
		id:       "nacl-{digits10:id}",
		defaults: props{"egress": false},
		replaces: []string{"networkAclId", "ruleNumber", "egress", "protocol", "ruleAction", "cidrBlock", "ipv6CidrBlock", "fromPort", "toPort", "icmpType", "icmpCode"},
		refs:     refer(toNetworkAcl, "networkAclId"),
		unique: []unique{{
			key: "{networkAclId}/{egress}/{ruleNumber}", code: "NetworkAclEntryAlreadyExists",
			message: "The network acl entry identified by {ruleNumber} already exists.",
		}},
		limits: []limit{
			{path: "ruleNumber", least: 1, most: 32766, source: docsAclRules},
			{path: "ruleAction", oneOf: []string{"allow", "deny"}, source: docsAclRules},
			{path: "fromPort", least: 0, most: 65535, source: docsAclRules},
			{path: "toPort", least: 0, most: 65535, source: docsAclRules},
			{path: "cidrBlock", cidr: true, source: docsAclRules},
		},
	},
}

// ruleKey is what makes two rules of a group the same to AWS.
const ruleKey = "{securityGroupId}/{ipProtocol}/{fromPort}-{toPort}/{cidrIpv4}{cidrIpv6}{prefixListId}{referencedSecurityGroupId}"

func groupRule(direction, token string) kind {
	return kind{
		token: token, noun: "VPC Security Group " + direction + " Rule", service: "EC2", action: "SecurityGroup" + direction,
		call: "AuthorizeSecurityGroup" + direction,
		id:   "sgr-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}",
		computed: props{"securityGroupRuleId": "{id}"},
		replaces: []string{"securityGroupId"},
		refs: slices.Concat(refer(toSecurityGroup, "securityGroupId", "referencedSecurityGroupId"),
			refer(toPrefixList, "prefixListId")),
		unique: []unique{{
			key: ruleKey, code: "InvalidPermission.Duplicate",
			message: "the specified rule \"peer: {cidrIpv4|cidrIpv6|prefixListId|referencedSecurityGroupId}, protocol {ipProtocol}, from port: {fromPort}, to port: {toPort}\" already exists",
		}},
		limits: []limit{
			{path: "cidrIpv4", cidr: true, source: docsGroupRules},
			{path: "cidrIpv6", cidr: true, source: docsGroupRules},
			{path: "fromPort", least: -1, most: 65535, source: docsGroupRules},
			{path: "toPort", least: -1, most: 65535, source: docsGroupRules},
			{path: "description", longest: 255, pattern: groupText, meaning: "only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*", source: docsGroupRules},
		},
		refuses: []refusal{
			{name: "rule-one-peer", code: "InvalidParameterCombination", source: docsGroupRules, because: notOnePeer},
			{name: "rule-port-order", code: "InvalidParameterValue", source: docsGroupRules, because: portsUpsideDown},
			{name: "rules-per-group", at: []operation{opCreate}, code: "RulesPerSecurityGroupLimitExceeded", source: docsVpcQuotas, because: tooManyRules},
		},
	}
}

var rulePeers = []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"}

func notOnePeer(c *call) string {
	n := 0
	for _, p := range rulePeers {
		if has(c.in, p) {
			n++
		}
	}
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("a rule needs exactly one of %v, not %d of them", rulePeers, n)
}

func portsUpsideDown(c *call) string {
	from, ok1 := c.number("fromPort")
	to, ok2 := c.number("toPort")
	switch {
	case c.text("ipProtocol") == "-1" && (ok1 && from != -1 || ok2 && to != -1):
		return "the protocol -1 means all ports; leave fromPort and toPort out"
	case (c.text("ipProtocol") == "tcp" || c.text("ipProtocol") == "udp") && ok1 && ok2 && from > to:
		return fmt.Sprintf("Invalid port range: %s is behind %s.", number(from), number(to))
	case (c.text("ipProtocol") == "tcp" || c.text("ipProtocol") == "udp") && (!ok1 || !ok2):
		return fmt.Sprintf("Invalid value for portRange: the protocol %s needs fromPort and toPort.", c.text("ipProtocol"))
	}
	return ""
}

func tooManyRules(c *call) string {
	const most = 60
	if n := len(c.users(c.referred("securityGroupId"), c.kind.token)); n >= most {
		return fmt.Sprintf("The maximum number of rules per security group has been reached: the default quota is %d.", most)
	}
	return ""
}

// namedByRules: a group cannot go while rules of other groups name it. Rules of
// its own go with it.
func namedByRules(c *call) string {
	for _, rule := range c.users(c.old, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") {
		if of, _ := text(rule.outputs, "securityGroupId"); of != c.id {
			return fmt.Sprintf("resource %s has a dependent object: the rule %s of %s names it", c.id, rule.id, of)
		}
	}
	return ""
}
