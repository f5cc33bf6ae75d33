package rule

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Role is what the holder of a security group is in the guide's diagram.
type Role string

// The roles.
const (
	PublicALB   Role = "public load balancer"
	InternalALB Role = "internal load balancer"
	ECS         Role = "ECS service"
	Database    Role = "database"
	Search      Role = "OpenSearch domain"
	Lambda      Role = "Lambda function"
	Proxy       Role = "RDS proxy"
	Endpoint    Role = "VPC endpoint"
	// Rotation is a Lambda function that rotates a secret.
	Rotation Role = "rotation function"
	// Other is whatever the diagram does not show.
	Other Role = "other resource"
)

// holders says which property of which type attaches security groups.
var holders = []struct {
	typ, property string
	role          func(*Resource) Role
}{
	{"lb/loadBalancer", "securityGroups", albRole},
	{"ecs/service", "networkConfiguration.securityGroups", constant(ECS)},
	{"rds/cluster", "vpcSecurityGroupIds", constant(Database)},
	{"rds/instance", "vpcSecurityGroupIds", constant(Database)},
	{"opensearch/domain", "vpcOptions.securityGroupIds", constant(Search)},
	{"lambda/function", "vpcConfig.securityGroupIds", constant(Lambda)},
	{"rds/proxy", "vpcSecurityGroupIds", constant(Proxy)},
	{"ec2/vpcEndpoint", "securityGroupIds", constant(Endpoint)},
	{"docdb/cluster", "vpcSecurityGroupIds", constant(Other)},
	{"ec2/instance", "vpcSecurityGroupIds", constant(Other)},
	{"ec2/launchTemplate", "vpcSecurityGroupIds", constant(Other)},
	{"ec2/networkInterface", "securityGroups", constant(Other)},
	{"efs/mountTarget", "securityGroups", constant(Other)},
	{"elasticache/replicationGroup", "securityGroupIds", constant(Other)},
	{"elb/loadBalancer", "securityGroups", constant(Other)},
	{"memorydb/cluster", "securityGroupIds", constant(Other)},
	{"msk/cluster", "brokerNodeGroupInfo.securityGroups", constant(Other)},
	{"neptune/cluster", "vpcSecurityGroupIds", constant(Other)},
	{"redshift/cluster", "vpcSecurityGroupIds", constant(Other)},
}

// HolderTypes are the types that security groups are attached to.
func HolderTypes() []string {
	out := make([]string, len(holders))
	for i, h := range holders {
		out[i] = h.typ
	}
	return out
}

// GroupsProperty is where resources of the type name their security groups; ""
// for a type that is no holder's.
func GroupsProperty(typ string) string {
	for _, h := range holders {
		if Canonical(h.typ) == Canonical(typ) {
			return h.property
		}
	}
	return ""
}

func constant(role Role) func(*Resource) Role { return func(*Resource) Role { return role } }

func albRole(r *Resource) Role {
	if internal, known := r.Get("internal").Bool(); known && internal {
		return InternalALB
	}
	return PublicALB
}

// GroupUse says who holds the security groups of the stack in one role.
type GroupUse struct {
	byURN map[resource.URN][]*Resource
	// Present says that the stack has a resource in this role.
	Present bool
	// Open says that a holder in this role also has groups that could not be
	// traced to this stack.
	Open bool
}

// Holders returns the resources that the group is attached to in this role.
func (u *GroupUse) Holders(group *Resource) []*Resource { return u.byURN[group.URN] }

// GroupsOf returns who holds which security group in the role.
func (s *Stack) GroupsOf(role Role) *GroupUse {
	if s.groups == nil {
		s.groups = map[Role]*GroupUse{}
		for _, h := range holders {
			for _, r := range s.Of(h.typ) {
				use := s.use(h.role(r))
				use.Present = true
				refs := s.Refs(r, h.property, "ec2/securityGroup", "ec2/defaultSecurityGroup")
				use.Open = use.Open || !refs.Complete()
				for _, g := range refs.Targets {
					use.byURN[g.URN] = append(use.byURN[g.URN], r)
				}
			}
		}
		s.useOfRotations()
	}
	return s.use(role)
}

// useOfRotations gives the functions that secrets are rotated by a role beside
// that of a function: they work on a database in its own name.
func (s *Stack) useOfRotations() {
	use := s.use(Rotation)
	for _, rotation := range s.Of("secretsmanager/secretRotation") {
		functions := s.Refs(rotation, "rotationLambdaArn", "lambda/function")
		use.Open = use.Open || functions.Unknown
		for _, function := range functions.Targets {
			use.Present = true
			refs := s.Refs(function, "vpcConfig.securityGroupIds", "ec2/securityGroup", "ec2/defaultSecurityGroup")
			use.Open = use.Open || !refs.Complete()
			for _, g := range refs.Targets {
				use.byURN[g.URN] = append(use.byURN[g.URN], function)
			}
		}
	}
}

func (s *Stack) use(role Role) *GroupUse {
	u := s.groups[role]
	if u == nil {
		u = &GroupUse{byURN: map[resource.URN][]*Resource{}}
		s.groups[role] = u
	}
	return u
}

// GroupsDeclaredBy returns the groups that the resource's rules belong to: the
// group itself for inline rules, the referenced group for a rule resource.
func (s *Stack) GroupsDeclaredBy(r *Resource) Refs {
	if r.Is("ec2/securityGroup", "ec2/defaultSecurityGroup") {
		return Refs{Targets: []*Resource{r}}
	}
	refs, ok := s.declared[r.URN]
	if !ok {
		refs = s.Refs(r, "securityGroupId", "ec2/securityGroup", "ec2/defaultSecurityGroup")
		s.declared[r.URN] = refs
	}
	return refs
}

// HeldBy returns the holders, in the role, of the groups that r's rules belong to.
func (s *Stack) HeldBy(r *Resource, role Role) []*Resource {
	use := s.GroupsOf(role)
	var out []*Resource
	for _, g := range s.GroupsDeclaredBy(r).Targets {
		out = append(out, use.Holders(g)...)
	}
	return out
}
