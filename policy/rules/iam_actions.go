package rules

import (
	"strings"

	"redoubt/policy/rule"
)

// unscopable lists actions for which IAM knows no resource, so that a statement
// must say Resource "*". Source: the "Actions defined by" tables of the Service
// Authorization Reference, entries without a resource type. Wildcards stand for
// families of which every member is so.
var unscopable = []string{
	"access-analyzer:listanalyzers", "access-analyzer:validatepolicy", "account:*",
	"application-autoscaling:describe*", "autoscaling:describe*", "aws-portal:*",
	"ce:get*", "ce:list*", "cloudformation:describeaccountlimits", "cloudformation:liststacks",
	"cloudtrail:describetrails", "cloudtrail:listtrails", "cloudtrail:lookupevents",
	"cloudwatch:getmetricdata", "cloudwatch:getmetricstatistics", "cloudwatch:listmetrics", "cloudwatch:putmetricdata",
	"cognito-idp:listuserpools", "config:describe*", "config:get*", "config:list*", "config:putevaluations",
	"ec2:attachnetworkinterface", "ec2:createnetworkinterface", "ec2:deletenetworkinterface", "ec2:describe*",
	"ec2:assignprivateipaddresses", "ec2:unassignprivateipaddresses", "ec2:getebsencryptionbydefault",
	"ecr:getauthorizationtoken", "ecr-public:getauthorizationtoken", "ecs:describetaskdefinition", "ecs:listclusters",
	"ecs:deregistertaskdefinition", "ecs:listtaskdefinitions", "ecs:createcluster",
	"elasticloadbalancing:describe*", "es:listdomainnames", "events:listrules", "guardduty:listdetectors", "health:*",
	"iam:createservicelinkedrole", "iam:generatecredentialreport", "iam:getaccount*", "iam:getcredentialreport", "iam:list*",
	"identitystore:list*", "inspector2:list*", "kms:createkey", "kms:generaterandom", "kms:listaliases", "kms:listkeys",
	"lambda:getaccountsettings", "lambda:listfunctions", "logs:createlogdelivery", "logs:deletelogdelivery",
	"logs:describeloggroups", "logs:describeresourcepolicies", "logs:getlogdelivery", "logs:listlogdeliveries",
	"logs:putresourcepolicy", "logs:updatelogdelivery", "organizations:describeorganization", "organizations:list*",
	"pricing:*", "rds:describe*", "resource-groups:searchresources", "route53:listhostedzones", "s3:getaccountpublicaccessblock",
	"s3:listallmybuckets", "secretsmanager:getrandompassword", "secretsmanager:listsecrets", "securityhub:batchimportfindings",
	"securityhub:describe*", "securityhub:get*", "securityhub:list*", "servicequotas:list*", "ses:getsendquota", "shield:*",
	"sns:listtopics", "sqs:listqueues", "ssm:describeparameters", "ssmmessages:*", "ec2messages:*", "sts:getcalleridentity",
	"sts:getsessiontoken", "tag:get*", "trustedadvisor:describe*", "wafv2:list*", "xray:get*", "xray:puttelemetryrecords",
	"xray:puttracesegments",
}

// withoutResources says that the action, or every action that the pattern can
// mean, is in the table: "ec2:DescribeInst*" is, "ec2:D*" is not.
func withoutResources(action string) bool {
	action = strings.ToLower(action)
	for _, u := range unscopable {
		if u == action || strings.HasSuffix(u, "*") && rule.WildcardMatch(u, action) {
			return true
		}
	}
	return false
}
