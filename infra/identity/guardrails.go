package identity

import "slices"

// Guardrail is a service control policy of the organization.
type Guardrail string

// The guardrails. Each is one policy of its own, so that it can be rolled out
// by itself.
const (
	// GuardrailFoundation: no leaving, no root user, no way around the security
	// roles and the account's guards.
	GuardrailFoundation Guardrail = "foundation"
	// GuardrailDetection: nobody blinds CloudTrail, GuardDuty, Config or Security Hub.
	GuardrailDetection Guardrail = "detection"
	// GuardrailRegions: only the allowed regions.
	GuardrailRegions Guardrail = "regions"
	// GuardrailInstances: instances answer metadata requests with tokens only.
	GuardrailInstances Guardrail = "instances"
)

// guardrail is a row of the table of service control policies.
type guardrail struct {
	name        Guardrail
	description string
	policy      func(*OrganizationArgs) Document
}

var guardrails = []guardrail{
	{GuardrailFoundation, "No leaving the organization, no root user, no changes to security roles and account guards", foundationGuardrail},
	{GuardrailDetection, "No blinding of CloudTrail, GuardDuty, Config, Security Hub and Access Analyzer", detectionGuardrail},
	{GuardrailRegions, "Only the allowed regions, and the services that have none", regionGuardrail},
	{GuardrailInstances, "Instance metadata with tokens only", instanceGuardrail},
}

func foundationGuardrail(args *OrganizationArgs) Document {
	partition := args.Scope.Partition
	anywhere := func(resource string) string { return "arn:" + partition + ":iam::*:" + resource }
	return Document{
		{Sid: "StayInOrganization", Effect: Deny, Actions: []string{"organizations:LeaveOrganization"}, Resources: []string{"*"}},
		{
			Sid: "NoRootUser", Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"},
			Conditions: []Condition{
				{"ArnLike", "aws:PrincipalArn", []string{anywhere("root")}},
				// Central root sessions act as root too, for the few tasks that need it.
				// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-assumedroot
				{"BoolIfExists", "aws:AssumedRoot", []string{"false"}},
			},
		},
		{
			Sid: "KeepSecurityRoles", Effect: Deny,
			Actions: []string{
				"iam:AttachRolePolicy", "iam:CreatePolicyVersion", "iam:CreateRole", "iam:DeletePolicy", "iam:DeletePolicyVersion",
				"iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
				"iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:SetDefaultPolicyVersion", "iam:TagRole", "iam:UntagRole",
				"iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
			},
			Resources:  []string{anywhere("policy/" + SecurityPrefix + "*"), anywhere("role/" + SecurityPrefix + "*")},
			Conditions: []Condition{args.exceptCustodians()},
		},
		{
			Sid: "KeepAccountGuards", Effect: Deny, Actions: publicBlockChanges, Resources: []string{"*"},
			Conditions: []Condition{args.exceptCustodians()},
		},
	}
}

func detectionGuardrail(args *OrganizationArgs) Document {
	return Document{{
		Sid: "KeepDetection", Effect: Deny, Actions: disarming, Resources: []string{"*"},
		Conditions: []Condition{args.exceptCustodians()},
	}}
}

func regionGuardrail(args *OrganizationArgs) Document {
	return Document{{
		Sid: "AllowedRegionsOnly", Effect: Deny, NotActions: regionless, Resources: []string{"*"},
		Conditions: []Condition{{"StringNotEquals", "aws:RequestedRegion", slices.Sorted(slices.Values(args.AllowedRegions))}},
	}}
}

// instanceGuardrail closes three ways: launching without tokens, turning them
// off later, and using a role's credentials that came without one.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-instance-metadata
func instanceGuardrail(args *OrganizationArgs) Document {
	instances := []string{"arn:" + args.Scope.Partition + ":ec2:*:*:instance/*"}
	return Document{
		{
			Sid: "LaunchWithTokens", Effect: Deny, Actions: []string{"ec2:RunInstances"}, Resources: instances,
			Conditions: []Condition{{"StringNotEquals", "ec2:MetadataHttpTokens", []string{"required"}}},
		},
		{
			Sid: "KeepTokens", Effect: Deny, Actions: []string{"ec2:ModifyInstanceMetadataOptions"}, Resources: instances,
			Conditions: []Condition{{"StringNotEquals", "ec2:Attribute/HttpTokens", []string{"required"}}},
		},
		{
			Sid: "CredentialsWithTokens", Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"},
			Conditions: []Condition{{"NumericLessThan", "ec2:RoleDelivery", []string{"2.0"}}},
		},
	}
}

// exceptCustodians leaves the security roles and the named custodians out.
func (args *OrganizationArgs) exceptCustodians() Condition {
	own := "arn:" + args.Scope.Partition + ":iam::*:role/" + SecurityPrefix + "*"
	return Condition{"ArnNotLike", "aws:PrincipalArn", append([]string{own}, slices.Sorted(slices.Values(args.Custodians))...)}
}

// regionless are the actions whose endpoint is in one region whatever region
// the work is in, so that a region allow-list must let them through.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
var regionless = []string{
	"account:*", "artifact:*", "billing:*", "budgets:*", "ce:*", "chatbot:*", "cloudfront:*", "cur:*",
	"ec2:DescribeRegions", "freetier:*", "globalaccelerator:*", "health:*", "iam:*", "invoicing:*",
	"networkmanager:*", "organizations:*", "payments:*", "pricing:*", "route53:*", "route53domains:*",
	"s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets", "s3:PutAccountPublicAccessBlock",
	"servicequotas:*", "shield:*", "sts:*", "support:*", "tax:*", "trustedadvisor:*", "waf:*", "wafv2:*",
}
