package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// tags holds the rules about tags: those that must be there, and what one of
// them means.
var tags = []rule.Rule{
	{
		Name:     "required-tags",
		Summary:  "A resource has the tags that the organization asks for, of its own or from its provider.",
		Guide:    []guide.ID{guide.OperationsLowTagModifications, guide.OperationsLowCostAnomalies},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("CM-8")),
		Types:    taggable,
		Params: []rule.Param{{
			Name: "keys", Kind: rule.Strings, Default: []string{},
			Description: "The keys that every resource must have. Without them the rule has nothing to say.",
		}},
		// There is no repair: what a tag must say, only its owner knows.
		Check: hasTags,
		Fix:   `aws.ProviderArgs{DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: …}}, or Tags of the resource`,
		URL:   "https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html",
	},
	{
		Name:    "data-classification-drives-rules",
		Summary: "Data whose tag says that it is restricted is encrypted with KMS, and its loss can be undone.",
		Guide:   []guide.ID{guide.OverviewDataKMS, guide.ArchitectureLifecycleReplication, guide.ArchitectureAtRestS3, guide.ArchitectureAtRestRDS},
		// The tag is somebody's word that the data needs this: where the rules
		// for every resource only advise, this one insists.
		Severity: rule.Low, Level: rule.Mandatory,
		Controls: mapped(nist("RA-2")),
		Types:    []string{"dynamodb/table", "rds/cluster", "s3/bucketV2", "s3/bucket"},
		Params: []rule.Param{
			{
				Name: "tag", Kind: rule.String, Default: "DataClassification",
				Description: "The key of the tag that says how restricted data is.",
			},
			{
				Name: "restricted", Kind: rule.Strings, Default: []string{"confidential", "restricted"},
				Description: "The values of the tag, in any case, that mean restricted data.",
			},
		},
		CheckStack: restrictedDataKept,
		Fix:        `a KMS key of your own on the resource, and s3.NewBucketReplicationConfig, PointInTimeRecovery or BackupRetentionPeriod, whichever it has`,
		URL:        "https://docs.aws.amazon.com/whitepapers/latest/data-classification/data-classification.html",
	},
}

// taggable are types whose tags are a map.
var taggable = []string{
	"acm/certificate", "apigateway/restApi", "apigateway/stage", "apigatewayv2/api", "apigatewayv2/stage",
	"athena/workgroup", "backup/plan", "backup/vault", "cloudfront/distribution", "cloudtrail/trail",
	"cloudwatch/eventRule", "cloudwatch/logGroup", "cloudwatch/metricAlarm", "codebuild/project",
	"cognito/userPool", "docdb/cluster", "dynamodb/table", "ebs/volume", "ec2/eip", "ec2/flowLog",
	"ec2/instance", "ec2/internetGateway", "ec2/launchTemplate", "ec2/natGateway", "ec2/routeTable",
	"ec2/securityGroup", "ec2/subnet", "ec2/vpc", "ec2/vpcEndpoint", "ecr/repository", "ecs/cluster",
	"ecs/service", "ecs/taskDefinition", "efs/fileSystem", "eks/cluster", "eks/nodeGroup",
	"elasticache/replicationGroup", "guardduty/detector", "iam/policy", "iam/role", "iam/user",
	"kinesis/firehoseDeliveryStream", "kinesis/stream", "kms/key", "lambda/function", "lb/listener",
	"lb/loadBalancer", "lb/targetGroup", "msk/cluster", "neptune/cluster", "opensearch/domain",
	"rds/cluster", "rds/clusterInstance", "rds/globalCluster", "rds/instance", "rds/proxy",
	"redshift/cluster", "route53/zone", "s3/bucketV2", "s3/bucket", "secretsmanager/secret",
	"sfn/stateMachine", "sns/topic", "sqs/queue", "ssm/parameter", "wafv2/ipSet", "wafv2/webAcl",
}

func hasTags(r *rule.Resource, p rule.Params) rule.Verdict {
	var absent, unsure []string
	for _, key := range p.Strs("keys") {
		switch v := r.Tag(key); {
		case r.Get("tags").Unknown():
			unsure = append(unsure, key)
		case v.Empty():
			absent = append(absent, key)
		}
	}
	switch {
	case len(p.Strs("keys")) == 0:
		return rule.Skip()
	case len(absent) > 0:
		return rule.Fail("the resource has no tag %s", strings.Join(absent, ", "))
	case len(unsure) > 0:
		return rule.Unsure("tags is unknown")
	default:
		return rule.Pass()
	}
}

func restrictedDataKept(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	class := r.Tag(p.Str("tag"))
	name, known := class.Str()
	restricted := slices.ContainsFunc(p.Strs("restricted"), func(c string) bool { return strings.EqualFold(c, name) })
	if !class.Unknown() && !(known && restricted) {
		return rule.Skip()
	}
	out := rule.Skip()
	switch r.Type {
	case "s3/bucket":
		out = rule.All(kmsEncrypted(s, r, p), replicated(s, r, p))
	case "rds/cluster":
		out = rule.All(storageEncrypted(r, p), r.Get("kmsKeyId").Set("the key of AWS encrypts restricted data"))
	case "dynamodb/table":
		out = rule.All(
			r.Get("serverSideEncryption.kmsKeyArn").Set("the key of AWS encrypts restricted data"),
			r.Get("pointInTimeRecovery.enabled").True("restricted data that is lost stays lost"),
		)
	}
	if class.Unknown() && out.Outcome == rule.Failed {
		return rule.Unsure("the tag %s is unknown", p.Str("tag"))
	}
	return out
}
