package rules_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// most is how much more work twice as much may be. Work is counted in
// allocations, which are the same on every machine: the smallest join allocates.
const most = 2.5

// twice compares the work of one scene with that of one of twice the size.
func twice(t *testing.T, r rule.Rule, c fixture.Case, size int, grow func(c fixture.Case, by int) fixture.Case) (ratio float64, report string) {
	t.Helper()
	work := func(by int) float64 {
		s, judge := play(t, r, grow(c, by))
		return testing.AllocsPerRun(1, func() { judge(s) })
	}
	small, large := work(size), work(2*size)
	return large / max(small, 1), fmt.Sprintf("%s/%s: %.0f allocations, and %.0f for twice as much", r.Name, c.Name, small, large)
}

// The work of a rule grows with the stack and no faster: twice as many of the
// same things are at most a little more than twice the work.
func TestWorkGrowsWithTheStack(t *testing.T) { //nolint:paralleltest // counts allocations
	grows(t, 16, copies, "square.yaml")
}

// grows compares the work on the first examples of each verdict, but for the
// rules of a table, which are to be there for a reason.
func grows(t *testing.T, size int, grow func(c fixture.Case, by int) fixture.Case, table string) {
	t.Helper()
	files := filesByRule(t)
	known := allowed(t, table)
	for _, r := range rules.All() {
		seen, faster := map[string]bool{}, ""
		for _, c := range files[r.Name].Cases {
			if seen[c.Want] {
				continue
			}
			seen[c.Want] = true
			if ratio, report := twice(t, r, c, size, grow); ratio > most {
				faster = report
			}
		}
		assert.Equal(t, known[r.Name] != nil, faster != "", "%s, and testdata/allowed/%s: %s %v", r.Name, table, faster, known[r.Name])
	}
}

// copies is the case with its resources so many times, each time among
// themselves.
func copies(c fixture.Case, n int) fixture.Case {
	out := c
	out.Resources = nil
	for i := range n {
		for _, r := range c.Resources {
			if r.Type == stackToken && i > 0 {
				continue
			}
			r.Name = fmt.Sprintf("%02d-%s", i, r.Name)
			r.Properties, _ = within(i, r.Properties).(m)
			out.Resources = append(out.Resources, r)
		}
	}
	return out
}

const stackToken = string(resource.RootStackType)

// The work of a rule grows with a list in a resource and no faster.
func TestWorkGrowsWithAList(t *testing.T) { //nolint:paralleltest // counts allocations
	grows(t, 64, longer, "squarelist.yaml")
}

// longer is the case with every list of its resources so many times as long.
func longer(c fixture.Case, n int) fixture.Case {
	out := c
	out.Resources = nil
	for _, r := range c.Resources {
		properties := m{}
		for k, v := range r.Properties {
			if list, ok := v.([]any); ok {
				var long []any
				for range n {
					long = append(long, list...)
				}
				v = long
			}
			properties[k] = v
		}
		r.Properties = properties
		out.Resources = append(out.Resources, r)
	}
	return out
}

// What a program may hold very many of, with all rules together: the work is
// the same for each of them.
func TestWorkOnHugeResources(t *testing.T) { //nolint:paralleltest // counts allocations
	for name, build := range map[string]func(n int) []fixture.Resource{
		"rules of one group": func(n int) []fixture.Resource {
			out := []fixture.Resource{
				{Type: "aws:ec2/vpc:Vpc", Name: "vpc", Properties: m{"cidrBlock": "10.0.0.0/16"}},
				{Type: "aws:ec2/securityGroup:SecurityGroup", Name: "group", Properties: m{"vpcId": ref("vpc.id")}},
			}
			for i := range n {
				out = append(out, fixture.Resource{Type: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", Name: fmt.Sprintf("r%d", i), Properties: m{
					"securityGroupId": ref("group.id"), "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": fmt.Sprintf("203.%d.%d.0/28", i/256%256, i%256),
				}})
			}
			return out
		},
		"inline rules": func(n int) []fixture.Resource {
			var list []any
			for i := range n {
				list = append(list, m{"protocol": "tcp", "fromPort": i, "toPort": i, "cidrBlocks": []any{fmt.Sprintf("203.%d.%d.0/28", i/256%256, i%256)}})
			}
			return []fixture.Resource{{Type: "aws:ec2/securityGroup:SecurityGroup", Name: "group", Properties: m{"ingress": list}}}
		},
		"statements": func(n int) []fixture.Resource {
			var list []any
			for i := range n {
				list = append(list, m{"Effect": "Allow", "Action": "s3:GetObject", "Resource": fmt.Sprintf("arn:aws:s3:::b/%d", i)})
			}
			return []fixture.Resource{{Type: "aws:iam/policy:Policy", Name: "p", Properties: m{"policy": m{"$json": m{"Version": "2012-10-17", "Statement": list}}}}}
		},
		"dense references": func(n int) []fixture.Resource {
			var out []fixture.Resource
			for i := range n {
				p := m{"description": "d", "policy": "{}"}
				for _, near := range []int{1, 2, 3, 5, 8} {
					p[fmt.Sprintf("p%d", near)] = ref(fmt.Sprintf("k%d.id", (i+near)%n)) // cycles, too
				}
				out = append(out, fixture.Resource{Type: "aws:kms/key:Key", Name: fmt.Sprintf("k%d", i), Properties: p},
					fixture.Resource{Type: "aws:kms/alias:Alias", Name: fmt.Sprintf("a%d", i), Properties: m{"targetKeyId": ref(fmt.Sprintf("k%d.id", i))}})
			}
			return out
		},
		"entries of an ACL": func(n int) []fixture.Resource {
			var list []any
			for i := range n {
				list = append(list, m{"ruleNo": i, "action": "deny", "protocol": "tcp", "fromPort": i, "toPort": i, "cidrBlock": "203.0.113.0/28"})
			}
			return []fixture.Resource{{Type: "aws:ec2/networkAcl:NetworkAcl", Name: "acl", Properties: m{"ingress": list}}}
		},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // counts allocations
			work := func(n int) float64 {
				stack, inputs, err := fixture.Case{Name: name, Resources: build(n)}.Stack(fixture.Updated)
				require.NoError(t, err)
				a, err := analyzer.New(analyzer.Options{Name: "test", Version: "1.0.0", Rules: rules.All()})
				require.NoError(t, err)
				return testing.AllocsPerRun(1, func() {
					for _, in := range inputs {
						_, err := a.Analyze(t.Context(), in)
						require.NoError(t, err)
					}
					_, err := a.AnalyzeStack(t.Context(), stack)
					require.NoError(t, err)
				})
			}
			small, large := work(1000), work(2000)
			require.Less(t, large, most*small)
		})
	}
}
