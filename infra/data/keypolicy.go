package data

import (
	"redoubt/infra/identity"
)

// KeyPolicyMode is how a key policy holds to the organization.
type KeyPolicyMode string

const (
	// Perimeter lets the account's own policies decide and denies everyone
	// outside the organization. Administrators keep a way back if the account
	// ever leaves the organization: only other principals are shut out.
	Perimeter KeyPolicyMode = "perimeter"
	// Guide is the Security Guide's statement as written: the account may use
	// the key while its principals belong to the organization. If the account
	// leaves, the key can be managed by nobody.
	Guide KeyPolicyMode = "guide"
)

// policy is the key's policy in a region: the account, the organization, the
// services, the workload.
func (args *KeyArgs) policy(scope identity.Scope) identity.Document {
	doc := args.accountStatements(scope)
	for _, user := range args.Users {
		doc = append(doc, statements(keyUsers[user], scope, nil)...)
	}
	if len(args.WorkloadRoles) > 0 {
		doc = append(doc, args.workloadStatements(scope)...)
	}
	return doc
}

// accountStatements hand the key to the account's IAM policies. Without the
// root statement KMS refuses the key: nobody could change its policy again.
func (args *KeyArgs) accountStatements(scope identity.Scope) identity.Document {
	root := identity.Statement{
		Sid:        "Enable IAM User Permissions",
		Effect:     identity.Allow,
		Principals: identity.Principals{AWS: []string{scope.Root()}},
		Actions:    []string{"kms:*"},
		Resources:  []string{"*"},
	}
	if args.OrgID == "" {
		return identity.Document{root}
	}
	if args.Mode == Guide {
		root.Conditions = []identity.Condition{{Test: "StringEquals", Key: "aws:PrincipalOrgID", Values: []string{args.OrgID}}}
		return identity.Document{root}
	}
	return identity.Document{root, {
		Sid:        "Deny Outside Organization",
		Effect:     identity.Deny,
		Principals: identity.Principals{Any: true},
		Actions:    []string{"kms:*"},
		Resources:  []string{"*"},
		Conditions: []identity.Condition{
			// A negated operator matches where the key is missing, and service
			// principals have no organization: the second condition spares them.
			{Test: "StringNotEquals", Key: "aws:PrincipalOrgID", Values: []string{args.OrgID}},
			{Test: "BoolIfExists", Key: "aws:PrincipalIsAWSService", Values: []string{"false"}},
		},
	}}
}

// workloadServices are the services through which a workload uses a key.
var workloadServices = []string{"dynamodb", "ecr", "es", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm"}

// workloadStatements let the roles use the key through services, never
// directly. The principal is the account and the roles a condition: KMS
// refuses a policy that names a role which does not exist yet.
func (args *KeyArgs) workloadStatements(scope identity.Scope) identity.Document {
	var roles, services []string
	for _, role := range args.WorkloadRoles {
		roles = append(roles, scope.RoleARN(role))
	}
	for _, service := range workloadServices {
		services = append(services, scope.RegionalService(service))
	}
	only := []identity.Condition{
		{Test: "StringEquals", Key: "kms:CallerAccount", Values: []string{scope.AccountID}},
		{Test: "StringEquals", Key: "kms:ViaService", Values: services},
		{Test: "ArnEquals", Key: "aws:PrincipalArn", Values: roles},
	}
	return identity.Document{{
		Sid:        "Allow Workload Through Services",
		Effect:     identity.Allow,
		Principals: identity.Principals{AWS: []string{scope.Root()}},
		Actions:    []string{"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
		Resources:  []string{"*"},
		Conditions: only,
	}}
}
