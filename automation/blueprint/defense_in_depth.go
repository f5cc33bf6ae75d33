package blueprint

import (
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/stack"
)

var wholeStack = sync.OnceValue(wholeInputs)

// DefenseInDepth is the whole stack of the Security Guide.
var DefenseInDepth = Blueprint{
	Name:    "defense-in-depth",
	Version: "1.0.0",
	Inputs:  wholeStack,
	Order:   orderWhole(wholeStack),
	Limits:  provision.BlueprintLimits{Resources: 1100, Minutes: 180},
	Summary: "The Security Guide's whole stack: network, edge, keys, data, service and logs.",
	Program: stack.Program,
	Account: "redoubt:accountId",
	Folders: map[string]string{"redoubt:functions.dir": "dist/functions", "redoubt:detection.conformancePack": ""},
	Change:  map[string]string{"redoubt:alerting.archiveDays": "7"},
	Drifts: []Drift{
		{
			Type: "aws:lb/loadBalancer:LoadBalancer", Property: "dropInvalidHeaderFields", Value: false,
			Deed: "somebody lets the load balancer pass invalid headers, in the console",
		},
		{
			Type: "aws:cloudtrail/trail:Trail", Property: "enableLogFileValidation", Value: false,
			Deed: "somebody switches off the proof that the trail's files were not changed, in the console",
		},
	},
	Release: map[string]string{
		"redoubt:keys.protect":                   "false",
		"redoubt:edge.deletionProtection":        "false",
		"redoubt:database.deletionProtection":    "false",
		"redoubt:network.dns.mutationProtection": "false",
	},
	Mistakes: []Mistake{
		{
			Name: "world-open-database", Deed: "the database port is opened to the internet",
			Rule: "sg-aurora-ingress-only-from-ecs-sg",
			Plant: onEach("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aurora", func(args *vpc.SecurityGroupIngressRuleArgs) {
				args.ReferencedSecurityGroupId = nil
				args.CidrIpv4 = pulumi.String("0.0.0.0/0")
			}),
		},
		{
			Name: "unencrypted-bucket", Deed: "the data bucket's encryption with KMS is taken away",
			Rule: "s3-kms-encryption",
			Plant: onEach("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "data", func(args *s3.BucketServerSideEncryptionConfigurationV2Args) {
				args.Rules = s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
					ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
						SseAlgorithm: pulumi.String("AES256"),
					},
				}}
			}),
		},
		{
			Name: "kms-without-rotation", Deed: "the application key no longer rotates",
			Rule: "kms-key-rotation-enabled",
			Plant: onEach("aws:kms/key:Key", "app", func(args *kms.KeyArgs) {
				args.EnableKeyRotation = pulumi.Bool(false)
				args.RotationPeriodInDays = nil
			}),
		},
		{
			Name: "waf-without-common-rules", Deed: "the web ACL loses AWSManagedRulesCommonRuleSet",
			Rule: "waf-common-rule-set-required",
			Plant: onEach("aws:wafv2/webAcl:WebAcl", "", func(args *wafv2.WebAclArgs) {
				args.Rules = withoutCommonRules(args.Rules)
			}),
		},
		{
			Name: "tls12-listener", Deed: "the listener accepts TLS 1.2 only",
			Rule: "alb-listener-tls13-policy",
			Plant: onEach("aws:lb/listener:Listener", "", func(args *lb.ListenerArgs) {
				args.SslPolicy = pulumi.String("ELBSecurityPolicy-TLS-1-2-2017-01")
			}),
		},
		{
			Name: "public-database-subnet", Deed: "Aurora is placed in the public subnets",
			Rule: "rds-subnet-group-private-only", Plant: publicDatabaseSubnets,
		},
	},
}

// onEach changes the arguments of every resource of a type whose name contains
// a word.
func onEach[Args any](token, word string, change func(*Args)) func() pulumi.ResourceTransformation {
	return func() pulumi.ResourceTransformation {
		return func(in *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			args, ok := any(in.Props).(*Args)
			if !ok || in.Type != token || !strings.Contains(in.Name, word) {
				return nil
			}
			change(args)
			return &pulumi.ResourceTransformationResult{Props: in.Props, Opts: in.Opts}
		}
	}
}

func withoutCommonRules(rules wafv2.WebAclRuleArrayInput) wafv2.WebAclRuleArrayInput {
	list, ok := rules.(wafv2.WebAclRuleArray)
	if !ok {
		return rules
	}
	return slices.DeleteFunc(slices.Clone(list), func(rule wafv2.WebAclRuleInput) bool {
		args, ok := rule.(wafv2.WebAclRuleArgs)
		if p, isPtr := rule.(*wafv2.WebAclRuleArgs); isPtr {
			args, ok = *p, true
		}
		return ok && args.Name == pulumi.String("AWSManagedRulesCommonRuleSet")
	})
}

// publicDatabaseSubnets remembers the public subnets as they are registered
// and puts the database there instead. A transformation runs before its own
// resource has an id, so the ids are asked for when the group comes.
func publicDatabaseSubnets() pulumi.ResourceTransformation {
	var public []*ec2.Subnet
	return func(in *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		if subnet, ok := in.Resource.(*ec2.Subnet); ok && strings.Contains(in.Name, "public") {
			public = append(public, subnet)
		}
		args, ok := in.Props.(*rds.SubnetGroupArgs)
		if !ok {
			return nil
		}
		ids := pulumi.StringArray{}
		for _, subnet := range public {
			ids = append(ids, subnet.ID())
		}
		args.SubnetIds = ids
		return &pulumi.ResourceTransformationResult{Props: args, Opts: in.Opts}
	}
}
