package analyzer

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/rule"
)

// Remediate repairs the resource where a violated rule at level remediate can.
// Each repair sees the inputs that the one before left. Diagnostic stays empty:
// the engine takes any text there for "could not" and drops the repair.
func (a *Analyzer) Remediate(_ context.Context, r plugin.AnalyzerResource) (plugin.RemediateResponse, error) {
	res := inputsOf(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	var out plugin.RemediateResponse
	for _, i := range a.checks[res.Type] {
		rl := a.rules[i]
		props, ok := a.repair(rl, res)
		if !ok {
			// Whether it passes, Analyze says.
			out.NotApplicable = append(out.NotApplicable, plugin.PolicyNotApplicable{PolicyName: rl.Name, Reason: "it repairs nothing here"})
			continue
		}
		res.Inputs = props
		out.Remediations = append(out.Remediations, plugin.Remediation{
			PolicyName: rl.Name, PolicyPackName: a.opts.Name, PolicyPackVersion: a.opts.Version,
			Description: rl.Summary, URN: res.URN, Properties: props,
		})
	}
	return out, nil
}

// repair leaves a resource alone whose rule repairs nothing, passes, is exempt or
// breaks; Analyze reports the last.
func (a *Analyzer) repair(r rule.Rule, res *rule.Resource) (props resource.PropertyMap, ok bool) {
	if r.Remediate == nil || a.config.levels[r.Name] != rule.Remediate {
		return nil, false
	}
	defer func() {
		if recover() != nil {
			props, ok = nil, false
		}
	}()
	p := a.config.params[r.Name].At(a.opts.Now())
	if v := r.Check(res, p); v.Outcome != rule.Failed {
		return nil, false
	}
	if active, _ := a.config.exemptions.find(finding{r.Name, res.URN}, rule.Failed, a.opts.Now()); active != nil {
		return nil, false
	}
	return r.Remediate(res, p)
}
