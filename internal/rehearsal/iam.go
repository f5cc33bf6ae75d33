package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsRole       = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"
	docsPolicies   = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html"
	docsIAMQuotas  = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
	docsRolePolicy = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html"
)

var iamName = regexp.MustCompile(`^[\w+=,.@-]+$`)

const iamNameMeaning = "only letters, digits and _+=,.@-"

// iamKinds are roles and policies.
var iamKinds = []kind{
	{
		token: "aws:iam/role:Role", noun: "IAM Role", service: "IAM", action: "Role", global: true,
		id: "{name}", arn: "arn:{partition}:iam::{account}:role{path}{name}",
		defaults: props{"forceDetachPolicies": false, "maxSessionDuration": 3600, "path": "/"},
		computed: props{"uniqueId": "AROA{upper17:id}", "createDate": "2026-01-01T00:00:00Z", "name": "{namePrefix|}{digits26:prefix}"},
		replaces: []string{"name", "namePrefix", "path"},
		refs:     append(refer(toPolicy, "managedPolicyArns[*]"), ref{"permissionsBoundary", toPolicy}),
		unique:   []unique{{key: "{name}", code: "EntityAlreadyExists", message: "Role with name {name} already exists."}},
		limits: []limit{
			{path: "name", longest: 64, pattern: iamName, meaning: iamNameMeaning, source: docsRole},
			{path: "maxSessionDuration", least: 3600, most: 43200, source: docsRole},
			{path: "description", longest: 1000, source: docsRole},
			{path: "assumeRolePolicy", json: true, source: docsRole},
		},
		refuses: []refusal{
			{name: "trust-grammar", code: "MalformedPolicyDocument", source: docsRole, because: policyMalformed("assumeRolePolicy")},
			{name: "trust-shape", code: "MalformedPolicyDocument", source: docsRole, because: trustMisshaped},
			{name: "trust-size", code: "LimitExceeded", status: 409, source: docsIAMQuotas, because: tooLong("assumeRolePolicy", 2048)},
			{name: "attachments-in-the-way", at: []operation{opDelete}, code: "DeleteConflict", status: 409, source: docsRole, because: attachmentsInTheWay},
		},
		blocks: []block{
			{by: []string{"aws:iam/rolePolicy:RolePolicy"}, unless: "forceDetachPolicies", code: "DeleteConflict", status: 409, message: "Cannot delete entity, must delete policies first."},
			{by: []string{"aws:iam/instanceProfile:InstanceProfile"}, code: "DeleteConflict", status: 409, message: "Cannot delete entity, must remove roles from instance profile first."},
		},
	},
	{
		token: "aws:iam/rolePolicy:RolePolicy", noun: "IAM Role Policy", service: "IAM", action: "RolePolicy", call: "PutRolePolicy", global: true,
		id:       "{role}:{name}",
		replaces: []string{"name", "namePrefix", "role"}, refs: refer(toRole, "role"),
		limits: []limit{
			{path: "policy", json: true, source: docsRolePolicy},
			{path: "name", longest: 128, pattern: iamName, meaning: iamNameMeaning, source: docsRolePolicy},
		},
		refuses: []refusal{
			{name: "policy-grammar", code: "MalformedPolicyDocument", source: docsRolePolicy, because: policyMalformed("policy")},
			{name: "policy-shape", code: "MalformedPolicyDocument", source: docsRolePolicy, because: policyMisshaped},
			{name: "policy-size", code: "LimitExceeded", status: 409, source: docsIAMQuotas, because: tooLong("policy", 10240)},
		},
	},
	{
		token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment", noun: "IAM Role Policy Attachment", service: "IAM", action: "RolePolicy", call: "AttachRolePolicy", global: true,
		id:       "{role}-{digits26:id}",
		replaces: []string{"policyArn", "role"}, refs: append(refer(toRole, "role"), refer(toPolicy, "policyArn")...),
		refuses: []refusal{{name: "policies-per-role", at: []operation{opCreate}, code: "LimitExceeded", status: 409, source: docsIAMQuotas, because: tooManyAttachments}},
	},
	{
		token: "aws:iam/policy:Policy", noun: "IAM Policy", service: "IAM", action: "Policy", global: true,
		id: "{arn}", arn: "arn:{partition}:iam::{account}:policy{path}{name}",
		defaults: props{"path": "/"},
		computed: props{"policyId": "ANPA{upper17:id}", "attachmentCount": 0, "name": "{namePrefix|}{digits26:prefix}"},
		replaces: []string{"description", "name", "namePrefix", "path"},
		unique:   []unique{{key: "{path}{name}", code: "EntityAlreadyExists", message: "A policy called {name} already exists. Duplicate names are not allowed."}},
		limits: []limit{
			{path: "policy", json: true, source: docsPolicies},
			{path: "name", longest: 128, pattern: iamName, meaning: iamNameMeaning, source: docsPolicies},
		},
		refuses: []refusal{
			{name: "policy-grammar", code: "MalformedPolicyDocument", source: docsPolicies, because: policyMalformed("policy")},
			{name: "policy-shape", code: "MalformedPolicyDocument", source: docsPolicies, because: policyMisshaped},
			{name: "policy-size", code: "LimitExceeded", status: 409, source: docsIAMQuotas, because: tooLong("policy", 6144)},
		},
		blocks: []block{{
			by:   []string{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/role:Role"},
			code: "DeleteConflict", status: 409, message: "Cannot delete a policy attached to entities.",
		}},
	},
	{
		token: "aws:iam/instanceProfile:InstanceProfile", noun: "IAM Instance Profile", service: "IAM", action: "InstanceProfile", global: true,
		id: "{name}", arn: "arn:{partition}:iam::{account}:instance-profile{path}{name}",
		defaults: props{"path": "/"},
		computed: props{"uniqueId": "AIPA{upper17:id}", "createDate": "2026-01-01T00:00:00Z"},
		replaces: []string{"name", "namePrefix", "path"}, updates: []string{"role"}, refs: refer(toRole, "role"),
		unique: []unique{{key: "{name}", code: "EntityAlreadyExists", message: "Instance Profile {name} already exists."}},
	},
	{
		token: "aws:iam/serviceLinkedRole:ServiceLinkedRole", noun: "IAM Service Linked Role", service: "IAM", action: "ServiceLinkedRole", global: true,
		id: "{arn}", arn: "arn:{partition}:iam::{account}:role{path}{name}",
		computed: props{
			"path": "/aws-service-role/{awsServiceName}/", "name": "AWSServiceRoleFor{awsServiceName}", "uniqueId": "AROA{upper17:id}", "createDate": "2026-01-01T00:00:00Z",
		},
		replaces: []string{"awsServiceName", "customSuffix"},
		unique: []unique{{
			key: "{awsServiceName}/{customSuffix}", code: "InvalidInput",
			message: "Service role name {name} has been taken in this account, please try a different suffix.",
		}},
	},
}

// tooLong refuses a policy beyond a size, counted as IAM does: without white
// space.
func tooLong(path string, most int) func(c *call) string {
	return func(c *call) string {
		for _, text := range c.texts(path) {
			if n := len(strings.Join(strings.Fields(text), "")); n > most {
				return fmt.Sprintf("%s: it has %d characters without white space; the quota is %d", path, n, most)
			}
		}
		return ""
	}
}

// trustMisshaped: a trust policy names principals and no resources.
func trustMisshaped(c *call) string {
	d, err := parsePolicy(c.text("assumeRolePolicy"))
	if err != nil {
		return ""
	}
	for i, s := range d.Statement {
		switch {
		case len(s.Resource)+len(s.NotResource) > 0:
			return fmt.Sprintf("statement %d: Has prohibited field Resource", i)
		case len(s.Principal)+len(s.NotPrincipal) == 0:
			return fmt.Sprintf("statement %d: Missing required field Principal", i)
		case slices.ContainsFunc(s.Action, func(a string) bool { return a != "*" && !strings.HasPrefix(a, "sts:") && !strings.HasPrefix(a, "sts-") }):
			return fmt.Sprintf("statement %d: AssumeRole policy may only specify STS AssumeRole actions, not %v", i, s.Action)
		}
	}
	return ""
}

// policyMisshaped: an identity policy names resources and no principals.
func policyMisshaped(c *call) string {
	d, err := parsePolicy(c.text("policy"))
	if err != nil {
		return ""
	}
	for i, s := range d.Statement {
		switch {
		case len(s.Principal)+len(s.NotPrincipal) > 0:
			return fmt.Sprintf("statement %d: Policy document should not specify a principal.", i)
		case len(s.Resource)+len(s.NotResource) == 0:
			return fmt.Sprintf("statement %d: Policy statement must contain resources.", i)
		}
		for _, a := range append(slices.Clone(s.Action), s.NotAction...) {
			if a != "*" && !strings.Contains(a, ":") {
				return fmt.Sprintf("statement %d: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q", i, a)
			}
		}
	}
	return ""
}

// attachmentsInTheWay: a role with attached policies cannot go, unless the
// provider is told to detach them.
func attachmentsInTheWay(c *call) string {
	users := c.users(c.old, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
	if len(users) == 0 || c.truth("forceDetachPolicies") {
		return ""
	}
	return fmt.Sprintf("Cannot delete entity, must detach all policies first (%s).", users[0].id)
}

func tooManyAttachments(c *call) string {
	const most = 10
	if len(c.users(c.referred("role"), c.kind.token)) < most {
		return ""
	}
	return fmt.Sprintf("Cannot exceed quota for PoliciesPerRole: %d", most)
}
