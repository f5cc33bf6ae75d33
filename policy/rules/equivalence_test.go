package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// equivalence rewrites what one resource says into another form of the same, or
// says that it cannot.
type equivalence struct {
	name    string
	rewrite func(r fixture.Resource) ([]fixture.Resource, bool)
	// alone says that it is the same only where no other resource is about it.
	alone bool
}

// equivalences are the forms in which the provider takes the same thing.
var equivalences = []equivalence{
	{"ec2/securityGroupRule as vpc/securityGroup*Rule", splitRule, false},
	{"vpc/securityGroup*Rule as ec2/securityGroupRule", joinedRule, false},
	{"s3 types of the provider's version 7", respelled(map[string]string{
		"aws:s3/bucketV2:BucketV2":                                                                   "aws:s3/bucket:Bucket",
		"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               "aws:s3/bucketVersioning:BucketVersioning",
		"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     "aws:s3/bucketLogging:BucketLogging",
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
		"aws:s3/bucketAclV2:BucketAclV2":                                                             "aws:s3/bucketAcl:BucketAcl",
		"aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2":                     "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
	}), false},
	{"the module alb", respelled(map[string]string{
		"aws:lb/loadBalancer:LoadBalancer": "aws:alb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener": "aws:alb/listener:Listener",
		"aws:lb/listenerRule:ListenerRule": "aws:alb/listenerRule:ListenerRule", "aws:lb/targetGroup:TargetGroup": "aws:alb/targetGroup:TargetGroup",
	}), false},
	{"inline network ACL entries as ec2/networkAclRule", splitEntries, false},
	{"inline routes as ec2/route", splitRoutes, false},
	{"a managed policy as one of a role", inlinePolicy("aws:iam/rolePolicy:RolePolicy", "role"), true},
	{"a managed policy as one of a group", inlinePolicy("aws:iam/groupPolicy:GroupPolicy", "group"), true},
	{"a managed policy in the role", func(r fixture.Resource) ([]fixture.Resource, bool) {
		if r.Type != "aws:iam/policy:Policy" {
			return nil, false
		}
		r.Type, r.Properties = "aws:iam/role:Role", m{"inlinePolicies": []any{m{"name": "own", "policy": r.Properties["policy"]}}}
		return []fixture.Resource{r}, true
	}, true},
}

// One thing has one verdict, in whichever form a program has it.
func TestEveryFormHasTheSameVerdict(t *testing.T) {
	t.Parallel()
	byName := map[string]rule.Rule{}
	for _, r := range rules.All() {
		byName[r.Name] = r
	}
	used := make(chan string, 10000)
	t.Run("examples", func(t *testing.T) {
		for _, f := range fixtures(t) {
			for _, c := range f.Cases {
				for _, e := range equivalences {
					other, rewritten := e.apply(c)
					if r := byName[f.Rule]; !rewritten || judged(r, other) < judged(r, c) {
						continue // or a rule about one of the forms
					}
					t.Run(f.Rule+"/"+c.Name+"/"+e.name, func(t *testing.T) {
						t.Parallel()
						r := byName[f.Rule]
						was, is := outcomes(t, r, c), outcomes(t, r, other)
						require.Equal(t, was, is)
						used <- e.name
					})
				}
			}
		}
	})
	close(used)
	seen := map[string]bool{}
	for name := range used {
		seen[name] = true
	}
	require.Len(t, seen, len(equivalences), "each form has an example")
}

// outcomes are the verdicts about the case, each as often as it was given; a
// rewritten resource has another name.
func outcomes(t *testing.T, r rule.Rule, c fixture.Case) []string {
	t.Helper()
	s, judge := play(t, r, c)
	found := map[string]bool{}
	for _, v := range judge(s) {
		if v.Outcome >= rule.Undetermined {
			found[v.Outcome.String()] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// judged is how many resources of the case the rule is about.
func judged(r rule.Rule, c fixture.Case) (n int) {
	for _, res := range c.Resources {
		if slices.ContainsFunc(r.Types, func(typ string) bool { return rule.Canonical(typ) == rule.Canonical(res.Type) }) {
			n++
		}
	}
	return n
}

func (e equivalence) apply(c fixture.Case) (out fixture.Case, rewritten bool) {
	out = c
	if e.alone && len(c.Resources) > 1 {
		return out, false
	}
	out.Resources = nil
	for _, r := range c.Resources {
		forms, ok := e.rewrite(r)
		if !ok {
			forms = []fixture.Resource{r}
		}
		rewritten = rewritten || ok
		out.Resources = append(out.Resources, forms...)
	}
	return out, rewritten
}

func respelled(types map[string]string) func(fixture.Resource) ([]fixture.Resource, bool) {
	return func(r fixture.Resource) ([]fixture.Resource, bool) {
		to, ok := types[r.Type]
		r.Type = to
		return []fixture.Resource{r}, ok
	}
}

// renamed returns the properties under other names; ok is false where one has no
// other name.
func renamed(properties m, names map[string]string) (out m, ok bool) {
	out = m{}
	for key, v := range properties {
		name, known := names[key]
		if !known {
			return nil, false
		}
		out[name] = v
	}
	return out, true
}

var directions = map[string]string{
	"ingress": "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
	"egress":  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
}

// splitRule is a rule of one source in the newer form.
func splitRule(r fixture.Resource) ([]fixture.Resource, bool) {
	direction, _ := r.Properties["type"].(string)
	if r.Type != "aws:ec2/securityGroupRule:SecurityGroupRule" || directions[direction] == "" {
		return nil, false
	}
	properties := maps.Clone(r.Properties)
	delete(properties, "type")
	for _, list := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds"} {
		switch of := properties[list].(type) {
		case nil:
		case []any:
			if len(of) != 1 {
				return nil, false // a rule for each
			}
			properties[list] = of[0]
		default:
			return nil, false
		}
	}
	out, ok := renamed(properties, map[string]string{
		"securityGroupId": "securityGroupId", "protocol": "ipProtocol", "fromPort": "fromPort", "toPort": "toPort", "description": "description",
		"cidrBlocks": "cidrIpv4", "ipv6CidrBlocks": "cidrIpv6", "prefixListIds": "prefixListId", "sourceSecurityGroupId": "referencedSecurityGroupId",
	})
	r.Type, r.Properties = directions[direction], out
	return []fixture.Resource{r}, ok
}

// joinedRule is the same the other way.
func joinedRule(r fixture.Resource) ([]fixture.Resource, bool) {
	for direction, typ := range directions {
		if r.Type != typ {
			continue
		}
		properties := maps.Clone(r.Properties)
		for _, one := range []string{"cidrIpv4", "cidrIpv6", "prefixListId"} {
			if v, has := properties[one]; has {
				properties[one] = []any{v}
			}
		}
		out, ok := renamed(properties, map[string]string{
			"securityGroupId": "securityGroupId", "ipProtocol": "protocol", "fromPort": "fromPort", "toPort": "toPort", "description": "description",
			"cidrIpv4": "cidrBlocks", "cidrIpv6": "ipv6CidrBlocks", "prefixListId": "prefixListIds", "referencedSecurityGroupId": "sourceSecurityGroupId",
		})
		if !ok {
			return nil, false
		}
		out["type"] = direction
		r.Type, r.Properties = "aws:ec2/securityGroupRule:SecurityGroupRule", out
		return []fixture.Resource{r}, true
	}
	return nil, false
}

// inlinePolicy is the document of a managed policy in a policy of its holder.
func inlinePolicy(typ, holder string) func(fixture.Resource) ([]fixture.Resource, bool) {
	return func(r fixture.Resource) ([]fixture.Resource, bool) {
		if r.Type != "aws:iam/policy:Policy" {
			return nil, false
		}
		r.Type, r.Properties = typ, m{"policy": r.Properties["policy"], holder: "holder"}
		return []fixture.Resource{r}, true
	}
}

// splitOff makes a resource of each block of a list.
func splitOff(r fixture.Resource, list, typ, owner string, names map[string]string, more m) ([]fixture.Resource, bool) {
	blocks, ok := r.Properties[list].([]any)
	if !ok || len(blocks) == 0 {
		return nil, false
	}
	out := []fixture.Resource{r}
	out[0].Properties = maps.Clone(r.Properties)
	delete(out[0].Properties, list)
	for i, b := range blocks {
		block, isBlock := b.(m)
		if !isBlock {
			return nil, false
		}
		properties, known := renamed(block, names)
		if !known {
			return nil, false
		}
		maps.Copy(properties, more)
		properties[owner] = ref(r.Name + ".id")
		out = append(out, fixture.Resource{Type: typ, Name: fmt.Sprintf("%s-%d", r.Name, i), Properties: properties})
	}
	return out, true
}

func splitEntries(r fixture.Resource) ([]fixture.Resource, bool) {
	if r.Type != "aws:ec2/networkAcl:NetworkAcl" {
		return nil, false
	}
	return splitOff(r, "ingress", "aws:ec2/networkAclRule:NetworkAclRule", "networkAclId", map[string]string{
		"ruleNo": "ruleNumber", "action": "ruleAction", "protocol": "protocol", "fromPort": "fromPort", "toPort": "toPort",
		"cidrBlock": "cidrBlock", "ipv6CidrBlock": "ipv6CidrBlock",
	}, m{"egress": false})
}

func splitRoutes(r fixture.Resource) ([]fixture.Resource, bool) {
	if r.Type != "aws:ec2/routeTable:RouteTable" {
		return nil, false
	}
	return splitOff(r, "routes", "aws:ec2/route:Route", "routeTableId", map[string]string{
		"cidrBlock": "destinationCidrBlock", "ipv6CidrBlock": "destinationIpv6CidrBlock", "gatewayId": "gatewayId",
		"natGatewayId": "natGatewayId", "vpcPeeringConnectionId": "vpcPeeringConnectionId", "transitGatewayId": "transitGatewayId",
	}, nil)
}
