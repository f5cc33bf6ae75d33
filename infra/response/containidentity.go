package response

import "redoubt/infra/response/asl"

// revocationName is the inline policy that denies a role's older sessions.
const revocationName = "incident-revoke-sessions"

// user makes every access key inactive (never deletes it: the id is evidence,
// and a mistake can be taken back), denies everything, and closes the console.
func (m *machine) user() containmentKind {
	name := asl.Payload{"UserName.$": "$.target.id"}
	policy := asl.Payload{"UserName.$": "$.target.id", "PolicyArn": m.args.quarantineARN()}
	login := m.call("DeleteLogin", "iam:deleteLoginProfile", name)
	login.Retry = []asl.Retry{{ErrorEquals: []string{"Iam.EntityTemporarilyUnmodifiableException", "Iam.IamException"}, IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2}}
	login.Catch = append([]asl.Catch{{ErrorEquals: []string{"Iam.NoSuchEntityException"}, ResultPath: asl.Discard, Next: blockAddress}}, failing...)
	return containmentKind{
		kind: User,
		contain: chain(blockAddress,
			m.read("UserFacts", "iam:listAccessKeys", name, "$.facts", asl.Payload{"keys.$": "$.AccessKeyMetadata[*].AccessKeyId"}),
			m.eachKey("DeactivateKeys", m.nested("DeactivateKey", "iam:updateAccessKey", asl.Payload{"UserName.$": "$.user", "AccessKeyId.$": "$.key", "Status": "Inactive"})),
			m.call("QuarantineUser", "iam:attachUserPolicy", policy), login),
		verify: append(chain("IsUserContained",
			m.read("VerifyUser", "iam:listAccessKeys", name, "$.proof", asl.Payload{"active.$": "$.AccessKeyMetadata[?(@.Status=='Active')].AccessKeyId"}),
			m.read("ReadUserPolicies", "iam:listAttachedUserPolicies", name, "$.policies", asl.Payload{
				"quarantine.$": "States.ArrayContains($.AttachedPolicies[*].PolicyArn, '" + m.args.quarantineARN() + "')",
			})),
			either("IsUserContained", asl.All(asl.Not(asl.Present("$.proof.active[0]")), asl.Is("$.policies.quarantine", "BooleanEquals", true)), verified, notContained)),
		restore: chain(restored, m.call("RestoreUser", "iam:detachUserPolicy", policy)),
	}
}

// eachKey runs a state for each of the user's keys.
func (m *machine) eachKey(name string, each asl.Task) asl.Map {
	return asl.Map{
		Name: name, ItemsPath: "$.facts.keys", ResultPath: asl.Discard, MaxConcurrency: 1, Catch: failing,
		ItemSelector: asl.Payload{"key.$": "$$.Map.Item.Value", "user.$": "$.target.id"}, Each: sequence(each),
	}
}

// role denies everything to all sessions, and to those older than now for good:
// the quarantine is lifted at recovery, stolen sessions live up to twelve hours.
// The quarantine comes first: a role without the workload boundary stays in it
// when IAM refuses the rest, and people are asked to go on.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func (m *machine) role() containmentKind {
	policy := asl.Payload{"RoleName.$": "$.target.id", "PolicyArn": m.args.quarantineARN()}
	revocation := asl.Payload{"Version": "2012-10-17", "Statement": []any{asl.Payload{
		"Sid": "RevokeOlderSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
		"Condition": asl.Payload{"DateLessThan": asl.Payload{"aws:TokenIssueTime.$": "$$.State.EnteredTime"}},
	}}}
	return containmentKind{
		kind: Role,
		contain: chain(blockAddress,
			m.call("QuarantineRole", "iam:attachRolePolicy", policy),
			asl.Pass{Name: "WriteRevocation", Parameters: revocation, ResultPath: "$.revocation"},
			m.call("RevokeSessions", "iam:putRolePolicy", asl.Payload{
				"RoleName.$": "$.target.id", "PolicyName": revocationName, "PolicyDocument.$": "States.JsonToString($.revocation)",
			})),
		verify: append(chain("IsRoleContained",
			m.read("VerifyRole", "iam:listAttachedRolePolicies", asl.Payload{"RoleName.$": "$.target.id"}, "$.proof", asl.Payload{
				"quarantine.$": "States.ArrayContains($.AttachedPolicies[*].PolicyArn, '" + m.args.quarantineARN() + "')",
			})),
			either("IsRoleContained", asl.Is("$.proof.quarantine", "BooleanEquals", true), verified, notContained)),
		restore: chain(restored, m.call("RestoreRole", "iam:detachRolePolicy", policy)),
	}
}

// secret rotates at once. The old value stays valid until the rotation ends.
func (m *machine) secret() containmentKind {
	return containmentKind{
		kind:    Secret,
		contain: chain(blockAddress, m.call("RotateSecret", "secretsmanager:rotateSecret", asl.Payload{"SecretId.$": "$.target.arn", "RotateImmediately": true})),
		verify: append(chain("IsSecretRotated",
			m.read("VerifySecret", "secretsmanager:describeSecret", asl.Payload{"SecretId.$": "$.target.arn"}, "$.proof", asl.Payload{"secret.$": "$"})),
			either("IsSecretRotated", asl.All(asl.Present("$.proof.secret.LastRotatedDate"),
				asl.Is("$.proof.secret.LastRotatedDate", "TimestampGreaterThanEqualsPath", "$.incident.startedAt")), verified, notContained)),
	}
}

// poolUser disables a user of the application and ends its sessions.
func (m *machine) poolUser() containmentKind {
	who := asl.Payload{"UserPoolId.$": "$.target.more.pool", "Username.$": "$.target.id"}
	return containmentKind{
		kind: PoolUser,
		contain: chain(blockAddress,
			m.call("DisablePoolUser", "cognitoidentityprovider:adminDisableUser", who),
			m.call("SignOutPoolUser", "cognitoidentityprovider:adminUserGlobalSignOut", who)),
		verify: append(chain("IsPoolUserDisabled",
			m.read("VerifyPoolUser", "cognitoidentityprovider:adminGetUser", who, "$.proof", asl.Payload{"enabled.$": "$.Enabled"})),
			either("IsPoolUserDisabled", asl.Is("$.proof.enabled", "BooleanEquals", false), verified, notContained)),
		restore: chain(restored, m.call("RestorePoolUser", "cognitoidentityprovider:adminEnableUser", who)),
	}
}
