package network

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// ShieldComponent ties Shield to the guide.
var ShieldComponent = guide.Component{
	Token: "redoubt:network:Shield",
	Serves: []guide.ID{
		guide.OverviewNetworkShield,
		guide.DiagramWAFShield,
		guide.DiagramShieldALB,
	},
}

// ShieldResponse is what Shield does by itself with requests that belong to an
// attack.
type ShieldResponse string

// The responses. Shield keeps its rules in the web ACL, at priority 10,000,000
// and for 150 capacity units (WebAclArgs.ShieldResponse reserves them). It
// needs a day to a month of traffic to know an attack from a good day: start
// with count. Since March 2026 AWS grants the automatic response to new
// customers on request only.
// https://docs.aws.amazon.com/waf/latest/developerguide/ddos-automatic-app-layer-response.html
const (
	ShieldResponseNone  ShieldResponse = ""
	ShieldResponseCount ShieldResponse = "count"
	ShieldResponseBlock ShieldResponse = "block"
)

// shieldActions are the responses as Shield writes them.
var shieldActions = map[ShieldResponse]string{ShieldResponseCount: "COUNT", ShieldResponseBlock: "BLOCK"}

// ShieldArgs describes how Shield Advanced watches a load balancer. Prefix,
// Scope and LoadBalancer are required.
type ShieldArgs struct {
	Prefix string
	Scope  identity.Scope
	// LoadBalancer must have ShieldProtect.
	LoadBalancer *LoadBalancer
	Response     ShieldResponse
	// AlarmTopicArn, if set, hears of the alarms behind the health check too.
	AlarmTopicArn pulumi.StringInput
	Tags          map[string]string
}

// Shield makes Shield Advanced judge attacks on a load balancer by the health
// of the application behind it, and answer them. What registers the load
// balancer with Shield is LoadBalancerArgs.ShieldProtect, so that it is there
// before a listener opens.
type Shield struct {
	pulumi.ResourceState

	// HealthCheckID is the Route 53 health check that Shield reads.
	HealthCheckID pulumi.IDOutput
	// GroupArn is the protection group: its traffic is judged as one.
	GroupArn pulumi.StringOutput
}

// NewShield registers the protection group, the health check and the automatic
// response. It returns every finding about args at once.
func NewShield(ctx *pulumi.Context, name string, args *ShieldArgs, opts ...pulumi.ResourceOption) (*Shield, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("shield %s: %w", name, err)
	}
	c := &Shield{}
	if err := ctx.RegisterComponentResource(ShieldComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("shield %s: register component: %w", name, err)
	}
	for _, step := range []func(*pulumi.Context, string, *ShieldArgs) error{c.group, c.health, c.respond} {
		if err := step(ctx, name, args); err != nil {
			return nil, fmt.Errorf("shield %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"shieldHealthCheckId": c.HealthCheckID, "shieldGroupArn": c.GroupArn})
}

func (args *ShieldArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a ShieldArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	switch {
	case args.LoadBalancer == nil:
		f.add("loadBalancer", "missing", "pass the load balancer")
	case args.LoadBalancer.protection == nil:
		f.add("loadBalancer", "is not registered with Shield Advanced", "set its shieldProtect")
	}
	if !slices.Contains([]ShieldResponse{ShieldResponseNone, ShieldResponseCount, ShieldResponseBlock}, args.Response) {
		f.add("response", fmt.Sprintf("%q is no response", args.Response), "use count or block, or leave it out")
	}
	if args.Response != ShieldResponseNone && args.LoadBalancer != nil && !args.LoadBalancer.acl.shieldResponse {
		f.add("response", "the web ACL has no capacity reserved for Shield's rules", "set its shieldResponse")
	}
	return f.err()
}

// group holds what serves one application: Shield lists and judges it as one.
func (c *Shield) group(ctx *pulumi.Context, name string, args *ShieldArgs) error {
	physical := args.Prefix + "-edge"
	group, err := shield.NewProtectionGroup(ctx, name+"-group", &shield.ProtectionGroupArgs{
		ProtectionGroupId: pulumi.String(physical),
		// The highest of its members' traffic: right for one, and for a content
		// network with its origin, should that be added.
		Aggregation: pulumi.String("MAX"),
		Pattern:     pulumi.String("ARBITRARY"),
		Members:     pulumi.StringArray{args.LoadBalancer.Arn},
		Tags:        tagged(args.Tags, physical),
	}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{args.LoadBalancer.protection}))
	if err != nil {
		return err
	}
	c.GroupArn = group.ProtectionGroupArn
	return nil
}

// respond lets Shield write rules into the web ACL, which therefore must be in
// front of the load balancer.
func (c *Shield) respond(ctx *pulumi.Context, name string, args *ShieldArgs) error {
	if args.Response == ShieldResponseNone {
		return nil
	}
	_, err := shield.NewApplicationLayerAutomaticResponse(ctx, name+"-response", &shield.ApplicationLayerAutomaticResponseArgs{
		ResourceArn: args.LoadBalancer.Arn,
		Action:      pulumi.String(shieldActions[args.Response]),
	}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{args.LoadBalancer.association, args.LoadBalancer.protection}))
	return err
}
