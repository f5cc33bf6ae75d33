package identity

// repairs are the break-glass role's rights: what it takes to undo a lock-out,
// on the product's own resources. Named repairs and not AdministratorAccess, so
// that a session stolen in an emergency cannot read data or leave the names
// that the prefix starts. The role may change roles' policies, so it is still
// the account's most powerful: hence MFA, the short session and the alarm.
func (args *AccessArgs) repairs() Document {
	own := func(types ...string) []string {
		var arns []string
		for _, typ := range types {
			arns = append(arns, args.Scope.GlobalARN("iam", typ+"/"+args.Prefix+"-*"), args.Scope.GlobalARN("iam", typ+"/"+SecurityName(args.Prefix, "*")))
		}
		return arns
	}
	return Document{
		{
			Sid: "RepairRoles", Effect: Allow,
			Actions: []string{
				"iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
				"iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy",
			},
			Resources: own("role"),
		},
		{
			Sid: "RepairPolicies", Effect: Allow,
			Actions:   []string{"iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"},
			Resources: own("policy"),
		},
		{
			Sid: "RepairKeys", Effect: Allow,
			Actions:    []string{"kms:CancelKeyDeletion", "kms:EnableKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"},
			Resources:  []string{args.Scope.ARN("kms", "key/*")},
			Conditions: []Condition{{"ForAnyValue:StringLike", "kms:ResourceAliases", []string{"alias/" + args.Prefix + "-*"}}},
		},
		{
			Sid: "RepairBuckets", Effect: Allow,
			Actions:   []string{"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"},
			Resources: []string{args.Scope.GlobalARN("s3", args.Prefix+"-*")},
		},
		{
			Sid: "RepairDetection", Effect: Allow,
			Actions:   []string{"cloudtrail:StartLogging", "cloudtrail:UpdateTrail"},
			Resources: []string{args.Scope.ARN("cloudtrail", "trail/"+args.Prefix+"-*")},
		},
		{
			Sid: "KeepEvidence", Effect: Deny,
			Actions:   []string{"cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject"},
			Resources: []string{"*"},
		},
	}
}
