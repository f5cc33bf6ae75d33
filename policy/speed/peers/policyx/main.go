// The same rules as a pack of the Go SDK's own library for policies. It decodes a
// resource anew for each policy, whatever type the policy is about; how it does
// that is the library's, here are only the rules.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

func main() {
	if err := policyx.Main(pack); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var levels = map[rule.Level]policyx.EnforcementLevel{
	rule.Mandatory: policyx.EnforcementLevelMandatory,
	rule.Advisory:  policyx.EnforcementLevelAdvisory,
	rule.Disabled:  policyx.EnforcementLevelDisabled,
}

func pack(*pulumi.Context) (policyx.PolicyPack, error) {
	var policies []policyx.Policy
	graphs := &graphs{}
	for _, r := range rules.All() {
		params, err := rule.Decode(r.Params, nil)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Name, err)
		}
		if r.IsJoin() {
			policies = append(policies, ofStack(r, params, graphs))
		} else {
			policies = append(policies, ofResource(r, params))
		}
	}
	return policyx.NewPolicyPack("policyx", semver.MustParse("0.1.0"), policyx.EnforcementLevelMandatory, policies)
}

func ofResource(r rule.Rule, params rule.Params) policyx.Policy {
	return policyx.NewResourceValidationPolicy(r.Name, policyx.ResourceValidationPolicyArgs{
		Description: r.Summary, EnforcementLevel: levels[r.Level],
		ValidateResource: func(_ context.Context, args policyx.ResourceValidationArgs) error {
			if !judges(r, args.Resource.Type) {
				return nil
			}
			report(args.Manager, r.Check(inputs(args.Resource), params.At(time.Now())), args.Resource.URN)
			return nil
		},
	})
}

func ofStack(r rule.Rule, params rule.Params, graphs *graphs) policyx.Policy {
	return policyx.NewStackValidationPolicy(r.Name, policyx.StackValidationPolicyArgs{
		Description: r.Summary, EnforcementLevel: levels[r.Level],
		ValidateStack: func(_ context.Context, args policyx.StackValidationArgs) error {
			stack := graphs.of(args.Resources)
			for _, res := range stack.Of(r.Types...) {
				report(args.Manager, r.CheckStack(stack, res, params.At(time.Now())), string(res.URN))
			}
			return nil
		},
	})
}

// graphs keeps the graph of the resources at hand: the library decodes a stack once
// for all policies, and so its graph is made once.
type graphs struct {
	from []policyx.AnalyzerResource
	made *rule.Stack
}

func (g *graphs) of(resources []policyx.AnalyzerResource) *rule.Stack {
	if len(g.from) == 0 || len(resources) != len(g.from) || &resources[0] != &g.from[0] {
		all := make([]*rule.Resource, 0, len(resources))
		for _, r := range resources {
			res := inputs(r)
			res.State = res.Inputs
			all = append(all, res.WithDependencies(dependencies(r)))
		}
		g.from, g.made = resources, rule.NewStack(all)
	}
	return g.made
}

func judges(r rule.Rule, token string) bool {
	for _, t := range r.Types {
		if rule.Canonical(t) == rule.Canonical(token) {
			return true
		}
	}
	return false
}

func inputs(r policyx.AnalyzerResource) *rule.Resource {
	return &rule.Resource{
		URN: resource.URN(r.URN), Token: r.Type, Type: rule.Canonical(r.Type), Name: r.Name,
		Inputs: resource.ToResourcePropertyMap(r.Properties), Provider: resource.ToResourcePropertyMap(r.Provider.Properties),
		Parent: resource.URN(r.Parent), Protect: r.Options.Protect, IgnoreChanges: r.Options.IgnoreChanges,
	}
}

func dependencies(r policyx.AnalyzerResource) map[resource.PropertyKey][]resource.URN {
	out := map[resource.PropertyKey][]resource.URN{}
	for key, urns := range r.PropertyDependencies {
		for _, urn := range urns {
			out[resource.PropertyKey(key)] = append(out[resource.PropertyKey(key)], resource.URN(urn))
		}
	}
	return out
}

func report(manager policyx.PolicyManager, v rule.Verdict, urn string) {
	if v.Outcome == rule.Failed {
		manager.ReportViolation(v.Reason(), urn)
	}
}
