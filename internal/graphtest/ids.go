package graphtest

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// idForms are the ids of resources whose id other code takes apart, or whose
// form a reader of a golden file expects; %s is a hash of type and logical
// name, so ids are stable and differ. All others are "<logical name>-id".
var idForms = map[string]string{
	"aws:cognito/userPool:UserPool":           Region + "_%s",
	"aws:ec2/eip:Eip":                         "eipalloc-%s",
	"aws:ec2/flowLog:FlowLog":                 "fl-%s",
	"aws:ec2/internetGateway:InternetGateway": "igw-%s",
	"aws:ec2/natGateway:NatGateway":           "nat-%s",
	"aws:ec2/networkAcl:NetworkAcl":           "acl-%s",
	"aws:ec2/routeTable:RouteTable":           "rtb-%s",
	"aws:ec2/securityGroup:SecurityGroup":     "sg-%s",
	"aws:ec2/subnet:Subnet":                   "subnet-%s",
	"aws:ec2/vpc:Vpc":                         "vpc-%s",
	"aws:ec2/vpcEndpoint:VpcEndpoint":         "vpce-%s",
	"aws:kms/key:Key":                         "%s-0000-4000-8000-000000000000",
	"aws:kms/replicaKey:ReplicaKey":           "mrk-%s000040008000000000000000",
	"aws:organizations/policy:Policy":         "p-%s",
	"aws:shield/protection:Protection":        "%s-0000-4000-8000-00000000005e",
}

// idInputs are types whose id is one of their inputs, where that is set.
var idInputs = map[string]string{
	"aws:cloudtrail/trail:Trail":                          "name",
	"aws:cloudwatch/eventRule:EventRule":                  "name",
	"aws:cloudwatch/logGroup:LogGroup":                    "name",
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy":  "policyName",
	"aws:cloudwatch/metricAlarm:MetricAlarm":              "name",
	"aws:dynamodb/table:Table":                            "name",
	"aws:ecr/repository:Repository":                       "name",
	"aws:iam/role:Role":                                   "name",
	"aws:kms/alias:Alias":                                 "name",
	"aws:lambda/function:Function":                        "name",
	"aws:rds/cluster:Cluster":                             "clusterIdentifier",
	"aws:rds/clusterInstance:ClusterInstance":             "identifier",
	"aws:rds/clusterParameterGroup:ClusterParameterGroup": "name",
	"aws:rds/subnetGroup:SubnetGroup":                     "name",
	"aws:s3/bucket:Bucket":                                "bucket",
	"aws:s3/bucketV2:BucketV2":                            "bucket",
	"aws:ssm/parameter:Parameter":                         "name",
}

// idArns are types whose id is their ARN, as the aws provider has it.
var idArns = map[string]bool{
	"aws:acm/certificate:Certificate":                           true,
	"aws:ecs/cluster:Cluster":                                   true,
	"aws:ecs/service:Service":                                   true,
	"aws:iam/policy:Policy":                                     true,
	"aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": true,
	"aws:lambda/codeSigningConfig:CodeSigningConfig":            true,
	"aws:lb/listener:Listener":                                  true,
	"aws:lb/listenerRule:ListenerRule":                          true,
	"aws:lb/loadBalancer:LoadBalancer":                          true,
	"aws:lb/targetGroup:TargetGroup":                            true,
	"aws:opensearch/domain:Domain":                              true,
	"aws:secretsmanager/secret:Secret":                          true,
	"aws:sfn/stateMachine:StateMachine":                         true,
	"aws:sns/topic:Topic":                                       true,
}

// arnForms are ARNs' "service:region:account:resource" for types that differ
// from "<module>:<region>:<account>:<kind>/<physical name>"; {name} is the
// physical name, {id} the id.
var arnForms = map[string]string{
	"aws:accessanalyzer/analyzer:Analyzer":     "access-analyzer:{region}:{account}:analyzer/{name}",
	"aws:apigateway/restApi:RestApi":           "apigateway:{region}::/restapis/{id}",
	"aws:backup/vault:Vault":                   "backup:{region}:{account}:backup-vault:{name}",
	"aws:cloudtrail/trail:Trail":               "cloudtrail:{region}:{account}:trail/{name}",
	"aws:cloudwatch/eventBus:EventBus":         "events:{region}:{account}:event-bus/{name}",
	"aws:cloudwatch/eventRule:EventRule":       "events:{region}:{account}:rule/{name}",
	"aws:cloudwatch/logGroup:LogGroup":         "logs:{region}:{account}:log-group:{name}",
	"aws:cloudwatch/metricAlarm:MetricAlarm":   "cloudwatch:{region}:{account}:alarm:{name}",
	"aws:cognito/userPool:UserPool":            "cognito-idp:{region}:{account}:userpool/{id}",
	"aws:ec2/networkAcl:NetworkAcl":            "ec2:{region}:{account}:network-acl/{id}",
	"aws:ec2/securityGroup:SecurityGroup":      "ec2:{region}:{account}:security-group/{id}",
	"aws:ec2/subnet:Subnet":                    "ec2:{region}:{account}:subnet/{id}",
	"aws:ec2/vpc:Vpc":                          "ec2:{region}:{account}:vpc/{id}",
	"aws:ec2/vpcEndpoint:VpcEndpoint":          "ec2:{region}:{account}:vpc-endpoint/{id}",
	"aws:iam/policy:Policy":                    "iam::{account}:policy/{name}",
	"aws:iam/role:Role":                        "iam::{account}:role/{name}",
	"aws:iam/user:User":                        "iam::{account}:user/{name}",
	"aws:kms/alias:Alias":                      "kms:{region}:{account}:{name}",
	"aws:kms/key:Key":                          "kms:{region}:{account}:key/{id}",
	"aws:kms/replicaKey:ReplicaKey":            "kms:{region}:{account}:key/{id}",
	"aws:lambda/function:Function":             "lambda:{region}:{account}:function:{name}",
	"aws:lb/listener:Listener":                 "elasticloadbalancing:{region}:{account}:listener/app/{name}/0123456789abcdef/0123456789abcdef",
	"aws:lb/listenerRule:ListenerRule":         "elasticloadbalancing:{region}:{account}:listener-rule/app/{name}/0123456789abcdef/0123456789abcdef/0123456789abcdef",
	"aws:lb/loadBalancer:LoadBalancer":         "elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/0123456789abcdef",
	"aws:lb/targetGroup:TargetGroup":           "elasticloadbalancing:{region}:{account}:targetgroup/{name}/0123456789abcdef",
	"aws:opensearch/domain:Domain":             "es:{region}:{account}:domain/{name}",
	"aws:rds/cluster:Cluster":                  "rds:{region}:{account}:cluster:{name}",
	"aws:rds/clusterInstance:ClusterInstance":  "rds:{region}:{account}:db:{name}",
	"aws:s3/bucket:Bucket":                     "s3:::{name}",
	"aws:s3/bucketV2:BucketV2":                 "s3:::{name}",
	"aws:secretsmanager/secret:Secret":         "secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
	"aws:sfn/stateMachine:StateMachine":        "states:{region}:{account}:stateMachine:{name}",
	"aws:shield/protection:Protection":         "shield::{account}:protection/{id}",
	"aws:signer/signingProfile:SigningProfile": "signer:{region}:{account}:/signing-profiles/{name}",
	"aws:sns/topic:Topic":                      "sns:{region}:{account}:{name}",
	"aws:sqs/queue:Queue":                      "sqs:{region}:{account}:{name}",
	"aws:wafv2/ipSet:IpSet":                    "wafv2:{region}:{account}:regional/ipset/{name}/0123456789abcdef",
	"aws:wafv2/webAcl:WebAcl":                  "wafv2:{region}:{account}:regional/webacl/{name}/0123456789abcdef",
}

// idOf makes the id that AWS would give the resource.
func idOf(r *Resource) string {
	if form, ok := idForms[r.Type]; ok {
		return fmt.Sprintf(form, hash(r.Type, r.Name))
	}
	if input, ok := idInputs[r.Type]; ok {
		if v, ok := r.Input(input).(string); ok && v != Unknown {
			return v
		}
	}
	if idArns[r.Type] {
		return arnOf(r, "")
	}
	return r.Name + "-id"
}

// arnOf makes the resource's ARN.
func arnOf(r *Resource, id string) string {
	form, ok := arnForms[r.Type]
	if !ok {
		module, kind := typeParts(r.Type)
		form = module + ":{region}:{account}:" + strings.ToLower(kind) + "/{name}"
	}
	return "arn:" + Partition + ":" + strings.NewReplacer(
		"{region}", Region, "{account}", AccountID, "{name}", physicalName(r), "{id}", id,
	).Replace(form)
}

// nameInputs are where types keep the physical name, in the order to look.
var nameInputs = []string{"name", "bucket", "clusterIdentifier", "identifier", "domainName", "roleName"}

// physicalName is the name that the program gave, else the logical one, as
// autonaming would start it.
func physicalName(r *Resource) string {
	for _, input := range nameInputs {
		if v, ok := r.Input(input).(string); ok && v != "" && v != Unknown {
			return v
		}
	}
	return r.Name
}

// typeParts splits "aws:ec2/vpc:Vpc" into "ec2" and "Vpc".
func typeParts(typ string) (module, kind string) {
	parts := strings.Split(typ, ":")
	module, _, _ = strings.Cut(parts[min(1, len(parts)-1)], "/")
	return module, parts[len(parts)-1]
}

// hash is eight hexadecimal digits that depend on the words alone.
func hash(words ...string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.Join(words, "\x00"))) // hash.Hash never returns an error
	return fmt.Sprintf("%08x", h.Sum32())
}
