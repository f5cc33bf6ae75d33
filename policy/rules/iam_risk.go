package rules

import (
	"fmt"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// iamRisk holds the rules about what identity policies allow that nobody meant.
var iamRisk = []rule.Rule{
	{
		Name:     "iam-no-allow-notaction",
		Summary:  "No policy allows everything but some actions.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege, guide.OverviewIdentityLeastPrivilege},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("AC-6")),
		Types:    identityTypes,
		CheckStack: granted(identityDocument(func(st rule.Statement) rule.Verdict {
			if len(st.NotActions) > 0 {
				return rule.Fail("%s allows with NotAction: every action that AWS adds tomorrow, too", st.Label())
			}
			return rule.Pass()
		})),
		Fix: `iam.PolicyArgs{Policy: …} with "Action" and the actions by name; NotAction belongs in a Deny`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
	},
	{
		Name:     "iam-no-allow-notresource",
		Summary:  "No policy allows something on every resource but some.",
		Guide:    []guide.ID{guide.PracticesIAMResourceLevelPermissions, guide.PracticesIAMLeastPrivilege},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-6")),
		Types:    identityTypes,
		CheckStack: granted(identityDocument(func(st rule.Statement) rule.Verdict {
			if len(st.NotResources) > 0 {
				return rule.Fail("%s allows with NotResource: every resource that is made tomorrow, too", st.Label())
			}
			return rule.Pass()
		})),
		Fix: `iam.PolicyArgs{Policy: …} with "Resource" and the ARNs that are meant; NotResource belongs in a Deny`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html",
	},
	{
		Name:     "iam-no-privilege-escalation",
		Summary:  "No policy lets its holder give themselves more rights than it grants.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege, guide.OverviewIdentityLeastPrivilege},
		Severity: rule.High,
		// Who contains incidents or repairs accounts holds such rights on purpose.
		Level:      rule.Advisory,
		Controls:   mapped(nist("AC-6(5)")),
		Types:      identityTypes,
		CheckStack: granted(identityDocuments(noEscalation)),
		Fix: `iam.PolicyArgs{Policy: …} with the ARNs of the roles that may be changed, or ` +
			`"Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary.Arn}}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
	},
	{
		Name:     "iam-no-data-exfiltration-actions",
		Summary:  "A policy that allows reading, copying or sharing data names the data.",
		Guide:    []guide.ID{guide.OperationsGuardDutyDataExfiltration, guide.PracticesIAMResourceLevelPermissions},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-6")),
		Types:      identityTypes,
		CheckStack: granted(identityDocuments(notEverywhere(exfiltrating, "data of every resource can leave"))),
		Fix:        `iam.PolicyArgs{Policy: …} with "Resource": the ARNs of the buckets, secrets and parameters that are meant`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
	},
	{
		Name:     "iam-no-credential-exposure-actions",
		Summary:  "A policy that allows making or reading credentials names whose.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege, guide.OverviewIdentityLeastPrivilege},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-6")),
		Types:      identityTypes,
		CheckStack: granted(identityDocuments(notEverywhere(credentials, "the credentials of everybody are within reach"))),
		Fix:        `iam.PolicyArgs{Policy: …} with "Resource": the ARNs of the users, roles and databases that are meant`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
	},
	{
		Name:     "iam-sensitive-actions-require-condition",
		Summary:  "A policy grants actions for which AWS has a limiting condition key only with that condition.",
		Guide:    []guide.ID{guide.PracticesIAMConditionConstraints, guide.PracticesAuthorizationContextBasedRules},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-3(7)")),
		Types:    identityTypes,
		Params: []rule.Param{{
			Name: "actions", Kind: rule.Strings, Default: sensitiveActions,
			Description: "Actions with the condition keys of which a statement must have one: \"lambda:AddPermission=lambda:Principal|aws:ResourceTag/*\"; " +
				"without keys any will do.",
		}},
		CheckStack: granted(conditioned),
		Fix: `iam.PolicyArgs{Policy: …} with a "Condition" on the key that the finding names, such as ` +
			`{"StringEquals": {"lambda:Principal": "s3.amazonaws.com"}}`,
		URL: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
	},
}

// identityDocuments makes a check of resources from one of whole documents.
func identityDocuments(check func(rule.Document) rule.Verdict) func(*rule.Resource, rule.Params) rule.Verdict {
	return func(r *rule.Resource, _ rule.Params) rule.Verdict {
		out := rule.Skip()
		for _, v := range r.Each(identityPolicies[r.Type]) {
			doc, read := rule.ReadDocument(v)
			if read.Outcome == rule.Passed {
				read = check(doc)
			}
			out = rule.All(out, read)
		}
		return out
	}
}

// escalations are the actions that make an administrator of whoever may use
// them on any user, group, role or policy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
var escalations = []string{
	"iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:CreatePolicyVersion",
	"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutGroupPolicy", "iam:PutRolePermissionsBoundary",
	"iam:PutRolePolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy",
}

// launches are the actions that run code under a role that the caller passes.
var launches = []string{
	"cloudformation:CreateStack", "codebuild:CreateProject", "ec2:RunInstances", "ecs:RunTask", "glue:CreateJob",
	"lambda:CreateFunction", "sagemaker:CreateNotebookInstance", "states:CreateStateMachine",
}

func noEscalation(doc rule.Document) rule.Verdict {
	out := notEverywhere(escalations, "its holder can become an administrator")(doc)
	launched := slices.DeleteFunc(slices.Clone(launches), func(a string) bool { return !allowedSomewhere(doc, a) })
	if len(launched) == 0 || deniesEverywhere(doc, "iam:PassRole") {
		return out
	}
	return rule.All(out, doc.Judge(func(st rule.Statement) rule.Verdict {
		if givesEverywhere(st, "iam:PassRole") && !st.Requires("iam:passedtoservice") {
			return rule.Fail("%s lets pass every role, and the policy can run code under it (%s)", st.Label(), some(launched))
		}
		return rule.Pass()
	}))
}

// notEverywhere makes a check that none of the actions is allowed on everything
// of its kind without a condition that says what is meant.
func notEverywhere(actions []string, consequence string) func(rule.Document) rule.Verdict {
	return func(doc rule.Document) rule.Verdict {
		open := slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return deniesEverywhere(doc, a) })
		return doc.Judge(func(st rule.Statement) rule.Verdict {
			given := slices.DeleteFunc(slices.Clone(open), func(a string) bool { return !givesEverywhere(st, a) })
			if len(given) == 0 {
				return rule.Pass()
			}
			return rule.Fail("%s allows %s on every resource: %s", st.Label(), some(given), consequence)
		})
	}
}

// givesEverywhere says that the statement allows the action on everything of
// its kind, and that no condition says what is meant.
func givesEverywhere(st rule.Statement, action string) bool {
	return st.Allows() && st.Grants(action) && st.WideResources() && !scopedByCondition(st) &&
		!st.Requires("iam:permissionsboundary", "iam:policyarn")
}

func deniesEverywhere(doc rule.Document, action string) bool {
	return doc.Denies(rule.Request{Action: action, Resource: "*"})
}

func allowedSomewhere(doc rule.Document, action string) bool {
	return slices.ContainsFunc(doc.Statements, func(st rule.Statement) bool { return st.Allows() && st.Grants(action) })
}

// some names the first three of a list.
func some(list []string) string {
	const shown = 3
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}

// exfiltrating are the actions that read, copy or share data.
var exfiltrating = []string{
	"dynamodb:ExportTableToPointInTime", "dynamodb:Scan", "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute",
	"rds:CopyDBSnapshot", "rds:ModifyDBClusterSnapshotAttribute", "rds:ModifyDBSnapshotAttribute", "rds:StartExportTask",
	"s3:GetObject", "secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath",
}

// credentials are the actions that make or give out credentials.
// ecr:GetAuthorizationToken, which gives a session of one's own, and
// iam:UpdateAccessKey, which shows no key, are not among them.
var credentials = []string{
	"cognito-idp:AdminSetUserPassword", "ec2:GetPasswordData", "iam:CreateAccessKey", "iam:CreateLoginProfile",
	"iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential", "iam:UpdateLoginProfile",
	"lightsail:GetRelationalDatabaseMasterUserPassword", "rds-db:connect", "redshift:GetClusterCredentials", "sts:AssumeRole",
	"sts:GetFederationToken",
}

// sensitiveActions say which condition limits an action that a list of
// resources does not limit enough: what is made, for whom, under which ceiling.
var sensitiveActions = []string{
	"ecs:ExecuteCommand=ecs:cluster|ecs:container-name|ecs:ResourceTag/*|aws:ResourceTag/*",
	"iam:CreateRole=iam:PermissionsBoundary",
	"iam:CreateServiceLinkedRole=iam:AWSServiceName",
	"iam:CreateUser=iam:PermissionsBoundary",
	"kms:CreateGrant=kms:GrantIsForAWSResource|kms:GranteePrincipal|kms:ViaService|kms:GrantOperations|kms:GrantConstraintType",
	"lambda:AddPermission=lambda:Principal|lambda:FunctionUrlAuthType",
	"lambda:CreateEventSourceMapping=lambda:FunctionArn",
	"lambda:CreateFunctionUrlConfig=lambda:FunctionUrlAuthType",
	"secretsmanager:PutResourcePolicy=secretsmanager:BlockPublicPolicy",
	"ssm:StartSession=ssm:SessionDocumentAccessCheck|ssm:resourceTag/*|aws:ResourceTag/*",
}

func conditioned(r *rule.Resource, p rule.Params) rule.Verdict {
	return identityDocument(func(st rule.Statement) rule.Verdict {
		out := rule.Pass()
		for _, entry := range p.Strs("actions") {
			action, keys, named := strings.Cut(entry, "=")
			if !named {
				keys = "*"
			}
			if st.Grants(action) && !st.Requires(strings.Split(strings.ToLower(keys), "|")...) {
				out = rule.All(out, rule.Fail("%s allows %s without a condition on %s", st.Label(), action, strings.ReplaceAll(keys, "|", " or ")))
			}
		}
		return out
	})(r, p)
}
