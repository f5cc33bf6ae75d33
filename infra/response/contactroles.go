package response

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// helper is a role for people outside the stack.
type helper struct {
	description string
	trust       identity.Document
	policies    map[string]identity.Document
	managed     []string
}

// roles makes a role for everybody who gets in to help.
func (c *Contacts) roles(ctx *pulumi.Context, name string, args *ContactsArgs) error {
	helpers := args.helpers()
	for _, purpose := range slices.Sorted(maps.Keys(helpers)) {
		h := helpers[purpose]
		role, err := identity.NewRole(ctx, name+"-"+purpose, &identity.RoleArgs{
			RoleName: args.Prefix + "-" + purpose, Description: h.description, Trust: h.trust,
			Policies: h.policies, ManagedPolicyARNs: h.managed, PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.Roles[purpose] = role
	}
	return nil
}

func (args *ContactsArgs) helpers() map[string]helper {
	out := map[string]helper{}
	for _, p := range args.Readers {
		out[p.Name] = helper{
			description: "The security partner " + p.Name + " reads configuration and findings",
			trust:       args.partnerTrust(p), managed: []string{args.managed("SecurityAudit")},
		}
	}
	if args.Forensics != nil {
		out[args.Forensics.Name] = helper{
			description: "Forensic analysts read evidence of incidents", trust: args.partnerTrust(*args.Forensics),
			policies: map[string]identity.Document{"read-evidence": args.readEvidence()},
		}
	}
	if len(args.LegalPrincipals) > 0 {
		out["legal"] = helper{
			description: "The legal team reads evidence and puts it on hold", trust: peopleTrust(args.LegalPrincipals),
			policies: map[string]identity.Document{"read-evidence": args.readEvidence(), "hold-evidence": {{
				Sid: "HoldEvidence", Effect: identity.Allow, Actions: []string{"s3:GetObjectLegalHold", "s3:PutObjectLegalHold"},
				Resources: []string{args.Scope.GlobalARN("s3", args.EvidenceBucket.PhysicalName) + "/incidents/*"},
			}}},
		}
	}
	if len(args.SupportPrincipals) > 0 {
		out["support"] = helper{
			description: "People open cases with AWS Support and its security response", trust: peopleTrust(args.SupportPrincipals),
			managed: []string{args.managed("AWSSupportAccess")},
		}
	}
	if args.Slack != nil {
		out["chat"] = helper{
			description: "The Slack channel reads alarms and metrics",
			trust:       identity.ServiceTrust("chatbot.amazonaws.com", args.Scope), managed: []string{args.managed("CloudWatchReadOnlyAccess")},
		}
	}
	if args.PagerDuty != nil {
		out["pager"] = helper{
			description: "EventBridge pages the on-call",
			trust:       identity.ServiceTrust("events.amazonaws.com", args.Scope, args.Scope.ARN("events", "rule/"+args.Prefix+pageRules+"*")),
			policies: map[string]identity.Document{"page": {{
				Sid: "CallPagerDuty", Effect: identity.Allow, Actions: []string{"events:InvokeApiDestination"},
				Resources: []string{args.Scope.ARN("events", "api-destination/"+args.pagerName()+"/*")},
			}}},
		}
	}
	return out
}

func (args *ContactsArgs) managed(name string) string {
	return "arn:" + args.Scope.Partition + ":iam::aws:policy/" + name
}

// partnerTrust lets the partner's account in, with the id agreed with us.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (args *ContactsArgs) partnerTrust(p Partner) identity.Document {
	return identity.Document{{
		Sid: "AssumeWithExternalId", Effect: identity.Allow, Actions: []string{"sts:AssumeRole"},
		Principals: identity.Principals{AWS: []string{"arn:" + args.Scope.Partition + ":iam::" + p.AccountID + ":root"}},
		Conditions: []identity.Condition{{Test: "StringEquals", Key: "sts:ExternalId", Values: []string{p.ExternalID}}},
	}}
}

// peopleTrust lets people in who showed a second factor within the hour.
func peopleTrust(principals []string) identity.Document {
	return identity.Document{{
		Sid: "AssumeWithMFA", Effect: identity.Allow, Actions: []string{"sts:AssumeRole"}, Principals: identity.Principals{AWS: principals},
		Conditions: []identity.Condition{
			{Test: "Bool", Key: "aws:MultiFactorAuthPresent", Values: []string{"true"}},
			{Test: "NumericLessThan", Key: "aws:MultiFactorAuthAge", Values: []string{"3600"}},
		},
	}}
}

// readEvidence is to list and read what incidents left.
func (args *ContactsArgs) readEvidence() identity.Document {
	bucket := args.Scope.GlobalARN("s3", args.EvidenceBucket.PhysicalName)
	return identity.Document{
		{
			Sid: "ListEvidence", Effect: identity.Allow, Actions: []string{"s3:ListBucket", "s3:ListBucketVersions"}, Resources: []string{bucket},
			Conditions: []identity.Condition{{Test: "StringLike", Key: "s3:prefix", Values: []string{"incidents/*"}}},
		},
		{Sid: "ReadEvidence", Effect: identity.Allow, Actions: []string{"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"}, Resources: []string{bucket + "/incidents/*"}},
		{
			Sid: "DecryptEvidence", Effect: identity.Allow, Actions: []string{"kms:Decrypt"}, Resources: []string{args.Scope.ARN("kms", "key/*")},
			Conditions: []identity.Condition{
				{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{args.EvidenceKeyAlias}},
				{Test: "StringEquals", Key: "kms:ViaService", Values: []string{"s3." + args.Scope.Region + ".amazonaws.com"}},
			},
		},
	}
}
