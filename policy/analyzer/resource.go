package analyzer

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/rule"
)

func inputsOf(r plugin.AnalyzerResource) *rule.Resource {
	res := &rule.Resource{
		URN: r.URN, Token: string(r.Type), Type: rule.Canonical(string(r.Type)), Name: r.Name,
		Inputs: r.Properties, Parent: r.Options.Parent,
		Protect: r.Options.Protect, IgnoreChanges: r.Options.IgnoreChanges,
	}
	if r.Provider != nil {
		res.Provider = r.Provider.Properties
	}
	return res
}

func (a *Analyzer) stackResource(r plugin.AnalyzerStackResource) *rule.Resource {
	res := inputsOf(r.AnalyzerResource)
	res.State = r.Properties
	res.Parent = r.Parent
	if seen := a.inputs[r.URN]; seen != nil && seen.Token == res.Token {
		res.Inputs = seen.Inputs
	}
	return res.WithDependencies(r.PropertyDependencies)
}
