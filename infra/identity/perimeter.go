package identity

import "slices"

// perimeterServices are services under resource control policies in which the
// perimeter is drawn. sts goes by single actions: federated sign-in
// (AssumeRoleWithSAML, AssumeRoleWithWebIdentity) has no organization to compare.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services
var perimeterServices = []string{"kms:*", "s3:*", "secretsmanager:*", "sqs:*", "sts:AssumeRole", "sts:TagSession"}

// perimeter is the resource control policy: the organization's resources
// answer the organization's principals, AWS services that work for its
// accounts, and encrypted requests. The conditions say IfExists where a key
// is missing from some requests, because a negated operator matches then.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
func (args *OrganizationArgs) perimeter() Document {
	everyone := Principals{Any: true}
	outside := []Condition{
		{"StringNotEqualsIfExists", "aws:PrincipalOrgID", []string{args.OrgID}},
		{"BoolIfExists", "aws:PrincipalIsAWSService", []string{"false"}},
	}
	if len(args.TrustedAccounts) > 0 {
		outside = append(outside, Condition{"StringNotEqualsIfExists", "aws:PrincipalAccount", slices.Sorted(slices.Values(args.TrustedAccounts))})
	}
	return Document{
		{
			Sid: "OrganizationOnly", Effect: Deny, Principals: everyone,
			Actions: perimeterServices, Resources: []string{"*"}, Conditions: outside,
		},
		{
			Sid: "ServicesForOrganizationOnly", Effect: Deny, Principals: everyone,
			Actions: perimeterServices, Resources: []string{"*"},
			Conditions: []Condition{
				{"StringNotEqualsIfExists", "aws:SourceOrgID", []string{args.OrgID}},
				// Only where the service says whom it works for.
				{"Null", "aws:SourceAccount", []string{"false"}},
				{"Bool", "aws:PrincipalIsAWSService", []string{"true"}},
			},
		},
		{
			Sid: "EncryptedTransportOnly", Effect: Deny, Principals: everyone,
			Actions: []string{"kms:*", "s3:*", "secretsmanager:*", "sqs:*", "sts:*"}, Resources: []string{"*"},
			Conditions: []Condition{{"BoolIfExists", "aws:SecureTransport", []string{"false"}}},
		},
	}
}
