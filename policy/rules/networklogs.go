package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// networkLogs holds the rules about where the VPC's records go and what is in them.
var networkLogs = []rule.Rule{
	{
		Name:     "vpc-flow-log-destination-encrypted",
		Summary:  "What a flow log writes to is encrypted with KMS.",
		Guide:    []guide.ID{guide.OperationsLogsVPCFlowLogs, guide.OverviewMonitoringLogs, guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-28", "AU-9")),
		Types:      []string{"ec2/flowLog"},
		CheckStack: flowLogEncrypted,
		Fix:        `cloudwatch.LogGroupArgs{KmsKeyId: key.Arn}, or the bucket's s3.NewBucketServerSideEncryptionConfigurationV2 with SseAlgorithm "aws:kms"`,
		URL:        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
	},
	{
		Name:     "vpc-flow-log-1-minute-aggregation",
		Summary:  "A flow log joins the packets of one minute, not of ten.",
		Guide:    []guide.ID{guide.OperationsLogsVPCFlowLogs},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AU-12(1)")),
		Types:    []string{"ec2/flowLog"},
		// There is no repair: the interval of a flow log changes by replacement.
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			if ofTransitGateway(r) {
				return rule.Skip() // always a minute
			}
			v := r.Get("maxAggregationInterval")
			switch n, known := v.Int(); {
			case v.Unknown():
				return rule.Unsure("maxAggregationInterval is unknown")
			case known && n == 60:
				return rule.Pass()
			case v.Absent():
				return rule.Fail("maxAggregationInterval is not set: a record covers ten minutes")
			default:
				return rule.Fail("maxAggregationInterval is %s seconds", v.Show())
			}
		},
		Fix: `ec2.FlowLogArgs{MaxAggregationInterval: pulumi.Int(60)}`,
		URL: "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
	},
	{
		Name:     "vpc-dns-query-logging",
		Summary:  "The resolver of a VPC records the names that are asked for: data leaves by DNS too.",
		Guide:    []guide.ID{guide.OperationsMediumUnusualTrafficPatterns, guide.OperationsGuardDutyDataExfiltration},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AU-12", "SI-4")),
		Types:    []string{"ec2/vpc"},
		CheckStack: func(s *rule.Stack, vpc *rule.Resource, _ rule.Params) rule.Verdict {
			const typ = "route53/resolverQueryLogConfigAssociation"
			if len(s.Pointing(vpc, "resourceId", typ)) > 0 {
				return rule.Pass()
			}
			return missing(s, "resourceId", typ, "ec2/vpc", "no query log belongs to the VPC")
		},
		Fix: `route53.NewResolverQueryLogConfigAssociation with route53.ResolverQueryLogConfigAssociationArgs{ResourceId: vpc.ID(), ResolverQueryLogConfigId: config.ID()}`,
		URL: "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs.html",
	},
}

// ofTransitGateway says that the flow log is a transit gateway's, which has
// neither a traffic type nor a choice of interval.
func ofTransitGateway(r *rule.Resource) bool {
	return r.Get("transitGatewayId").Present() || r.Get("transitGatewayAttachmentId").Present()
}

func flowLogEncrypted(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	const unseen = "the destination is not in this stack"
	kind, known := r.Get("logDestinationType").Str()
	switch {
	case r.Get("logDestinationType").Unknown():
		return rule.Unsure("logDestinationType is unknown")
	case known && kind == "s3":
		out := rule.Skip()
		refs := s.Refs(r, "logDestination", "s3/bucket")
		for _, bucket := range refs.Targets {
			out = rule.All(out, kmsEncrypted(s, bucket, p))
		}
		return traced(refs, out, unseen)
	case known && kind != "cloud-watch-logs":
		return rule.Unsure("how a destination of the kind %q is encrypted is not known", kind)
	}
	for _, property := range []string{"logDestination", "logGroupName"} {
		refs := s.Refs(r, property, "cloudwatch/logGroup")
		if refs.Empty() {
			continue
		}
		out := rule.Skip()
		for _, group := range refs.Targets {
			if group.Get("kmsKeyId").Empty() {
				out = rule.All(out, rule.Fail("log group %s has no kmsKeyId", group.Name))
			} else {
				out = rule.All(out, rule.Pass())
			}
		}
		return traced(refs, out, unseen)
	}
	return rule.Unsure(unseen)
}

// traced is the verdict about what a property refers to; it is open as long as
// a reference leads out of the stack.
func traced(refs rule.Refs, v rule.Verdict, unseen string) rule.Verdict {
	if len(refs.Targets) == 0 || !refs.Complete() {
		return rule.All(v, rule.Unsure("%s", unseen))
	}
	return v
}
