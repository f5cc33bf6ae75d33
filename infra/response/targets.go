package response

import "redoubt/infra/response/asl"

// Kind is what a resource is, for how to contain it.
type Kind string

// The kinds of resources that the machine can contain.
const (
	Instance Kind = "instance"
	Task     Kind = "task"
	Function Kind = "function"
	Cluster  Kind = "cluster"
	Bucket   Kind = "bucket"
	User     Kind = "user"
	Role     Kind = "role"
	Secret   Kind = "secret"
	PoolUser Kind = "pool-user"
	Address  Kind = "address"
)

// unknown is the kind of what only people can contain.
const unknown Kind = "people"

// source is how a GuardDuty finding names a resource: under which conditions,
// and where its id is.
type source struct {
	kind Kind
	when asl.Test
	// id is the path of the resource's id.
	id string
	// arn is the ARN's resource part with {} for the id, and service is its
	// service; arnAt is the path of the whole ARN where the finding has it.
	service, arn, arnAt string
	// criterion is the field by which GuardDuty finds findings of the resource.
	criterion string
	// lookup is how CloudTrail knows it.
	lookup string
}

const resource = "$.event.resource"

func resourceType(name string) asl.Test { return asl.Text(resource+".resourceType", name) }

// sources, in the order of evaluation.
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html
var sources = []source{
	{
		kind: Instance, when: resourceType("Instance"), id: resource + ".instanceDetails.instanceId",
		service: "ec2", arn: "instance/{}", criterion: "resource.instanceDetails.instanceId", lookup: "ResourceName",
	},
	{
		kind: User, when: asl.All(resourceType("AccessKey"), asl.Text(resource+".accessKeyDetails.userType", "IAMUser")),
		id:      resource + ".accessKeyDetails.userName",
		service: "iam", arn: "user/{}", criterion: "resource.accessKeyDetails.userName", lookup: "Username",
	},
	{
		kind: Role, when: asl.All(resourceType("AccessKey"), asl.Any(
			asl.Text(resource+".accessKeyDetails.userType", "AssumedRole"), asl.Text(resource+".accessKeyDetails.userType", "Role"))),
		id:      resource + ".accessKeyDetails.userName",
		service: "iam", arn: "role/{}", criterion: "resource.accessKeyDetails.userName", lookup: "ResourceName",
	},
	{
		kind: Bucket, when: asl.Any(resourceType("S3Bucket"), resourceType("S3Object")), id: resource + ".s3BucketDetails[0].name",
		service: "s3", arn: "{}", criterion: "resource.s3BucketDetails.name", lookup: "ResourceName",
	},
	{
		kind: Task, when: asl.All(resourceType("ECSCluster"), asl.Present(resource+".ecsClusterDetails.taskDetails.arn")),
		id:    resource + ".ecsClusterDetails.taskDetails.arn",
		arnAt: resource + ".ecsClusterDetails.taskDetails.arn", criterion: "resource.ecsClusterDetails.taskDetails.taskArn", lookup: "ResourceName",
	},
	{
		kind: Cluster, when: resourceType("RDSDBInstance"), id: resource + ".rdsDbInstanceDetails.dbClusterIdentifier",
		service: "rds", arn: "cluster:{}", criterion: "resource.rdsDbInstanceDetails.dbClusterIdentifier", lookup: "ResourceName",
	},
	{
		kind: Function, when: resourceType("Lambda"), id: resource + ".lambdaDetails.functionName",
		service: "lambda", arn: "function:{}", criterion: "resource.lambdaDetails.functionName", lookup: "ResourceName",
	},
}

// addresses are where findings name the other side, in the order of evaluation.
var addresses = []string{
	"$.event.service.action.networkConnectionAction.remoteIpDetails.ipAddressV4",
	"$.event.service.action.awsApiCallAction.remoteIpDetails.ipAddressV4",
	"$.event.service.action.rdsLoginAttemptAction.remoteIpDetails.ipAddressV4",
	"$.event.service.action.portProbeAction.portProbeDetails[0].remoteIpDetails.ipAddressV4",
	"$.event.service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4",
	"$.event.target.address",
}

// targets says which resource the incident is about, and who the other side is.
func (m *machine) targets() []asl.State {
	classify := asl.Choice{Name: "Classify", Default: "TargetUnknown", Rules: []asl.Rule{
		{Test: asl.Present("$.event.target.kind"), Next: "TargetRequested"},
	}}
	states := []asl.State{
		asl.Pass{Name: "TargetRequested", Comment: "An operator names the resource: kind, id and arn", Parameters: asl.Payload{
			"kind.$": "$.event.target.kind", "id.$": "$.event.target.id", "arn.$": "$.event.target.arn", "more.$": "$.event.target",
			"lookup":   []any{asl.Payload{"AttributeKey": "ResourceName", "AttributeValue.$": "$.event.target.id"}},
			"criteria": asl.Payload{"Criterion": asl.Payload{"type": asl.Payload{"Eq.$": "States.Array($.incident.type)"}}},
		}, ResultPath: "$.target", Next: "FindAddress"},
		asl.Pass{Name: "TargetUnknown", Comment: "The root user, a cluster of Kubernetes, an alarm: people decide", Parameters: asl.Payload{
			"kind": string(unknown), "id": "", "arn": "",
			"lookup":   []any{asl.Payload{"AttributeKey": "ReadOnly", "AttributeValue": "false"}},
			"criteria": asl.Payload{"Criterion": asl.Payload{"type": asl.Payload{"Eq.$": "States.Array($.incident.type)"}}},
		}, ResultPath: "$.target", Next: "FindAddress"},
	}
	for _, s := range sources {
		name := "Target" + s.kind.title()
		classify.Rules = append(classify.Rules, asl.Rule{Test: asl.All(asl.Present(resource+".resourceType"), s.when, asl.Present(s.id)), Next: name})
		states = append(states, asl.Pass{Name: name, Parameters: m.target(s), ResultPath: "$.target", Next: "FindAddress"})
	}
	find := asl.Choice{Name: "FindAddress", Default: "NoAddress"}
	for i, path := range addresses {
		name := "Address" + string(rune('A'+i))
		find.Rules = append(find.Rules, asl.Rule{Test: asl.Present(path), Next: name})
		states = append(states, asl.Pass{Name: name, Parameters: asl.Payload{"cidr.$": "States.Format('{}/32', " + path + ")"}, ResultPath: "$.address", Next: "IdentifyScope"})
	}
	states = append(states, asl.Pass{Name: "NoAddress", Parameters: asl.Payload{"cidr": ""}, ResultPath: "$.address", Next: "IdentifyScope"})
	return append([]asl.State{classify, find}, states...)
}

func (m *machine) target(s source) asl.Payload {
	out := asl.Payload{
		"kind": string(s.kind), "id.$": s.id,
		"lookup":   []any{asl.Payload{"AttributeKey": s.lookup, "AttributeValue.$": s.id}},
		"criteria": asl.Payload{"Criterion": asl.Payload{s.criterion: asl.Payload{"Eq.$": "States.Array(" + s.id + ")"}}},
	}
	if s.arnAt != "" {
		out["arn.$"] = s.arnAt
		return out
	}
	arn := m.scope.ARN(s.service, s.arn)
	if s.service == "iam" || s.service == "s3" {
		arn = m.scope.GlobalARN(s.service, s.arn)
	}
	out["arn.$"] = "States.Format('" + arn + "', " + s.id + ")"
	return out
}

// title is the kind as part of a state's name.
func (k Kind) title() string {
	if k == PoolUser {
		return "PoolUser"
	}
	return string(k[0]-'a'+'A') + string(k[1:])
}
