package network

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// groupKey names a security group; physical names end with it.
type groupKey string

const (
	albGroup       groupKey = "alb"
	ecsGroup       groupKey = "ecs"
	auroraGroup    groupKey = "aurora"
	searchGroup    groupKey = "opensearch"
	lambdaGroup    groupKey = "lambda"
	endpointGroup  groupKey = "endpoint"
	proxyGroup     groupKey = "db-proxy"
	isolationGroup groupKey = "isolation"
)

// securityGroup is a group and what it is for.
type securityGroup struct {
	key         groupKey
	description string
}

// groups are the security groups of every stack. A changed description or name
// replaces the group, which AWS refuses while anything uses it.
var groups = []securityGroup{
	{albGroup, "Load balancer: HTTPS from allowed ranges"},
	{ecsGroup, "ECS tasks: traffic from the load balancer only"},
	{auroraGroup, "Aurora: traffic from ECS only"},
	{searchGroup, "OpenSearch: internal traffic only"},
	{lambdaGroup, "Lambda functions inside the VPC: no inbound traffic"},
	{endpointGroup, "Interface endpoints of AWS services: HTTPS from workloads"},
	{isolationGroup, "Isolation: no traffic, for incident containment"},
}

// databaseProxy is the group of stacks with an RDS proxy.
var databaseProxy = securityGroup{proxyGroup, "Database proxy: traffic from ECS only"}

func (args *SecurityGroupsArgs) groups() []securityGroup {
	if args.DatabaseProxy {
		return append(slices.Clone(groups), databaseProxy)
	}
	return groups
}

// Where traffic comes from or goes to, other than a group.
const (
	cidrPeer     = "cidr"
	listPeer     = "list"
	s3Peer       = "s3"
	dynamoDBPeer = "dynamodb"
)

// peer is the far end of a rule: a group, a range, or a prefix list.
type peer struct {
	// name is a groupKey, s3Peer or dynamoDBPeer; cidrPeer with cidr set;
	// listPeer with list set.
	name string
	cidr string
	// list is the name of one of the allowed lists.
	list string
}

func group(key groupKey) peer { return peer{name: string(key)} }

func cidr(block string) peer { return peer{name: cidrPeer, cidr: block} }

func list(name string) peer { return peer{name: listPeer, list: name} }

// groupRule allows TCP on one port between a group and a peer.
type groupRule struct {
	group       groupKey
	dir         direction
	peer        peer
	port        int
	description string
}

// name is the rule's logical name below the component's, and unique in it.
func (r groupRule) name() string {
	name := fmt.Sprintf("%s-%s-%s-%d", r.group, r.dir, r.peer.name, r.port)
	if r.peer.cidr != "" {
		name += "-" + rangeName.Replace(r.peer.cidr)
	}
	if r.peer.list != "" {
		name += "-" + r.peer.list
	}
	return name
}

// rangeName makes a range fit for a name: 203.0.113.0/24 is 203.0.113.0-24.
var rangeName = strings.NewReplacer("/", "-", ":", ".")

// rules is the whole of who may talk to whom. The resolver at the VPC's +2
// address needs no rule.
func (args *SecurityGroupsArgs) rules() []groupRule {
	ports := args.Ports.orDefault()
	var rules []groupRule
	for _, from := range args.allowed() {
		rules = append(rules, groupRule{albGroup, inbound, from, 443, "HTTPS inbound"})
		if args.HTTPRedirect {
			rules = append(rules, groupRule{albGroup, inbound, from, 80, "HTTP inbound, redirected to HTTPS"})
		}
	}
	rules = append(rules,
		groupRule{albGroup, outbound, group(ecsGroup), ports.App, "Traffic to ECS tasks"},

		groupRule{ecsGroup, inbound, group(albGroup), ports.App, "Traffic from ALB"},
		groupRule{ecsGroup, outbound, group(auroraGroup), ports.Database, "Database connections to Aurora"},
		groupRule{ecsGroup, outbound, group(searchGroup), 443, "HTTPS to OpenSearch"},
		groupRule{ecsGroup, outbound, group(endpointGroup), 443, "HTTPS to AWS services by endpoint"},
		groupRule{ecsGroup, outbound, peer{name: s3Peer}, 443, "HTTPS to S3 by gateway endpoint"},

		groupRule{auroraGroup, inbound, group(ecsGroup), ports.Database, "Database connections from ECS tasks"},

		groupRule{searchGroup, inbound, group(ecsGroup), 443, "HTTPS from ECS tasks"},

		groupRule{lambdaGroup, outbound, group(endpointGroup), 443, "HTTPS to AWS services by endpoint"},
		groupRule{lambdaGroup, outbound, peer{name: s3Peer}, 443, "HTTPS to S3 by gateway endpoint"},

		groupRule{endpointGroup, inbound, group(ecsGroup), 443, "HTTPS from ECS tasks"},
		groupRule{endpointGroup, inbound, group(lambdaGroup), 443, "HTTPS from Lambda functions"},
	)
	if args.LambdaToAurora {
		rules = append(rules,
			groupRule{auroraGroup, inbound, group(lambdaGroup), ports.Database, "Database connections from secret rotation"},
			groupRule{lambdaGroup, outbound, group(auroraGroup), ports.Database, "Database connections to Aurora"})
	}
	if args.DatabaseProxy {
		rules = append(rules,
			groupRule{ecsGroup, outbound, group(proxyGroup), ports.Database, "Database connections to the proxy"},
			groupRule{proxyGroup, inbound, group(ecsGroup), ports.Database, "Database connections from ECS tasks"},
			groupRule{proxyGroup, outbound, group(auroraGroup), ports.Database, "Database connections to Aurora"},
			groupRule{auroraGroup, inbound, group(proxyGroup), ports.Database, "Database connections from the proxy"})
	}
	if args.LambdaToOpenSearch {
		rules = append(rules,
			groupRule{searchGroup, inbound, group(lambdaGroup), 443, "HTTPS from functions that set OpenSearch up"},
			groupRule{lambdaGroup, outbound, group(searchGroup), 443, "HTTPS to OpenSearch"})
	}
	if args.DynamoDBPrefixListID != nil {
		rules = append(rules, groupRule{ecsGroup, outbound, peer{name: dynamoDBPeer}, 443, "HTTPS to DynamoDB by gateway endpoint"})
	}
	if args.EgressInternet {
		rules = append(rules,
			groupRule{ecsGroup, outbound, cidr(anywhere), 443, "HTTPS to the internet by NAT"},
			groupRule{lambdaGroup, outbound, cidr(anywhere), 443, "HTTPS to the internet by NAT"})
	}
	return rules
}

// allowed is who may reach the load balancer.
func (args *SecurityGroupsArgs) allowed() []peer {
	var peers []peer
	for _, block := range args.AllowedCIDRs {
		peers = append(peers, cidr(block))
	}
	for _, l := range args.AllowedPrefixLists {
		peers = append(peers, list(l.Name))
	}
	if len(peers) == 0 {
		return []peer{cidr(anywhere)}
	}
	return peers
}

// target is the peer as the one field of a rule that is set.
type target struct {
	ipv4, ipv6, group, list pulumi.StringPtrInput
}

func (p peer) target(ids map[groupKey]pulumi.IDOutput, args *SecurityGroupsArgs) target {
	switch p.name {
	case cidrPeer:
		if netip.MustParsePrefix(p.cidr).Addr().Is6() { // validated before
			return target{ipv6: pulumi.String(p.cidr)}
		}
		return target{ipv4: pulumi.String(p.cidr)}
	case s3Peer:
		return target{list: args.S3PrefixListID.ToStringOutput()}
	case dynamoDBPeer:
		return target{list: args.DynamoDBPrefixListID.ToStringOutput()}
	case listPeer:
		i := slices.IndexFunc(args.AllowedPrefixLists, func(l AllowedList) bool { return l.Name == p.list })
		return target{list: args.AllowedPrefixLists[i].ID.ToStringOutput()} // rules() takes names from there
	}
	return target{group: ids[groupKey(p.name)].ToStringOutput()}
}

// groupText is what AWS allows in descriptions of groups and rules.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
var groupText = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]+$`)

// Short descriptions ("https", "tcp") do not tell a reviewer what a rule is for.
const minDescription, maxDescription = 8, 255

func checkDescription(f *findings, field, text string) {
	if len(text) < minDescription || len(text) > maxDescription {
		f.add(field, fmt.Sprintf("%q has %d characters", text, len(text)), fmt.Sprintf("%d to %d: say what the traffic is for", minDescription, maxDescription))
	}
	if !groupText.MatchString(text) {
		f.add(field, fmt.Sprintf("%q has characters that AWS refuses", text), "letters, digits, blanks and ._-:/()#,@[]+=&;{}!$*")
	}
}
