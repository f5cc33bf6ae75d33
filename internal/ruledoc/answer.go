package ruledoc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
)

// today is the day on which the fixtures play.
var today = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)

// answer is what a rule said of a case at its first preview.
type answer struct {
	reason string
	// finding is the first line of what the engine prints; empty where nothing is.
	finding string
	// repaired are the inputs that the repair changed, by their names.
	repaired resource.PropertyMap
}

// ask runs the rule on a case in the analyzer that the engine talks to.
func ask(r rule.Rule, c fixture.Case, exemptions []any) (answer, error) {
	about, ok := subject(r, c)
	if !ok {
		return answer{}, fmt.Errorf("case %q has no resource that the rule judges", c.Name)
	}
	var out answer
	judged := false
	a, err := analyzer.New(analyzer.Options{
		Name: "manual", Version: "1.0.0", Rules: []rule.Rule{r}, Now: func() time.Time { return today },
		Observe: func(got analyzer.Result) {
			if got.URN == about.URN() {
				out.reason, judged = got.Verdict.Reason(), true
			}
		},
	})
	if err != nil {
		return out, err
	}
	ctx := context.Background()
	err = a.Configure(ctx, map[string]plugin.AnalyzerPolicyConfig{
		r.Name:       {EnforcementLevel: apitype.Remediate, Properties: c.Config},
		"exemptions": {EnforcementLevel: apitype.Advisory, Properties: map[string]any{"entries": exemptions}},
	})
	if err != nil {
		return out, fmt.Errorf("case %q: %w", c.Name, err)
	}
	stack, inputs, err := c.Stack(fixture.Preview)
	if err != nil {
		return out, err
	}
	var said []plugin.AnalyzeDiagnostic
	for _, in := range inputs {
		if in.URN == about.URN() {
			if out.repaired, err = repair(ctx, a, in); err != nil {
				return out, err
			}
		}
		res, err := a.Analyze(ctx, in)
		if err != nil {
			return out, err
		}
		said = append(said, res.Diagnostics...)
	}
	res, err := a.AnalyzeStack(ctx, stack)
	if err != nil {
		return out, err
	}
	for _, d := range append(said, res.Diagnostics...) {
		if d.URN == about.URN() && d.PolicyName == r.Name {
			out.finding, _, _ = strings.Cut(d.Message, "\n")
		}
	}
	if !judged {
		return out, fmt.Errorf("case %q: the rule did not judge %s", c.Name, about.Name)
	}
	return out, nil
}

// repair returns the top-level inputs that the rule's repair changes.
func repair(ctx context.Context, a *analyzer.Analyzer, in plugin.AnalyzerResource) (resource.PropertyMap, error) {
	res, err := a.Remediate(ctx, in)
	if err != nil {
		return nil, err
	}
	changed := resource.PropertyMap{}
	for _, r := range res.Remediations {
		for key, v := range r.Properties {
			if before, had := in.Properties[key]; !had || !before.DeepEquals(v) {
				changed[key] = v
			}
		}
	}
	return changed, nil
}
