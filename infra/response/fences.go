package response

import "redoubt/infra/identity"

// fences are what the machine's role may never do, whatever else it is allowed:
// touch itself, its approvers, the roles of who looks after the account and
// other protected roles, take evidence away, or change what is tagged exempt.
func (a *ResponderArgs) fences(guarded []string) identity.Document {
	var roles, evidence []string
	for _, r := range a.protectedRoles() {
		roles = append(roles, a.Scope.RoleARN(r))
	}
	for _, b := range a.protectedBuckets() {
		arn := a.Scope.GlobalARN("s3", b)
		evidence = append(evidence, arn, arn+"/*")
	}
	doc := identity.Document{
		{
			Sid: "NeverItself", Effect: identity.Deny, Actions: []string{"iam:*"},
			Resources: append(roles, a.Scope.RoleARN(identity.SecurityPrefix+"*"), a.quarantineARN()),
		},
		{
			Sid: "NeverItsMachine", Effect: identity.Deny, Actions: []string{"states:DeleteStateMachine", "states:UpdateStateMachine"},
			Resources: []string{a.machineARN()},
		},
		{
			Sid: "NeverEvidence", Effect: identity.Deny, Resources: evidence,
			Actions: []string{"s3:BypassGovernanceRetention", "s3:Delete*", "s3:PutBucket*", "s3:PutLifecycleConfiguration", "s3:PutObjectLegalHold", "s3:PutObjectRetention"},
		},
	}
	if len(guarded) > 0 {
		doc = append(doc, identity.Statement{
			Sid: "NeverExempt", Effect: identity.Deny, Actions: guarded, Resources: []string{"*"},
			Conditions: []identity.Condition{{Test: "StringEquals", Key: "aws:ResourceTag/" + ExemptTag, Values: []string{"true"}}},
		})
	}
	return doc
}

// guardedActions are the actions of the machine that its exempt tag stops.
func (a *ResponderArgs) guardedActions(calls []string) []string {
	var out []string
	for _, s := range a.statements(calls) {
		for _, c := range s.Conditions {
			if c.Key == "aws:ResourceTag/"+ExemptTag {
				out = append(out, s.Actions...)
			}
		}
	}
	return out
}

// operation is what running a machine takes: its log, its traces, its keys.
func (a *ResponderArgs) operation() identity.Document {
	aliases := []string{a.KeyAlias}
	if a.EvidenceKeyAlias != "" && a.EvidenceKeyAlias != a.KeyAlias {
		aliases = append(aliases, a.EvidenceKeyAlias)
	}
	var via []string
	for _, service := range []string{"dynamodb", "s3", "sns", "sqs"} {
		via = append(via, service+"."+a.Scope.Region+".amazonaws.com")
	}
	keys := []string{a.Scope.ARN("kms", "key/*")}
	alias := identity.Condition{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: aliases}
	use := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	return identity.Document{
		// Log delivery has no resources to name.
		// https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
		{Sid: "DeliverLog", Effect: identity.Allow, Resources: []string{"*"}, Actions: []string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		}},
		{Sid: "Trace", Effect: identity.Allow, Resources: []string{"*"}, Actions: []string{
			"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
		}},
		{Sid: "UseKeysThroughServices", Effect: identity.Allow, Actions: use, Resources: keys, Conditions: []identity.Condition{
			alias, {Test: "StringEquals", Key: "kms:ViaService", Values: via},
		}},
		// https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
		{Sid: "UseKeyForExecutions", Effect: identity.Allow, Actions: use, Resources: keys, Conditions: []identity.Condition{
			alias, {Test: "StringEquals", Key: "kms:EncryptionContext:aws:states:stateMachineArn", Values: []string{a.machineARN()}},
		}},
		{Sid: "UseKeyForLog", Effect: identity.Allow, Actions: []string{"kms:GenerateDataKey"}, Resources: keys, Conditions: []identity.Condition{
			alias, {Test: "StringEquals", Key: "kms:EncryptionContext:SourceArn", Values: []string{a.Scope.ARN("logs", "*")}},
		}},
	}
}
