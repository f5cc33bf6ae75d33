package analyzer

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// The pack's own settings stand in the configuration as two policies, because
// the engine accepts properties only under a policy's name.
const (
	policyExemptions = exempt.Policy
	policyUnknowns   = "unknowns"
)

func reserved(name string) bool {
	return name == policyExemptions || name == policyUnknowns || name == "all"
}

// What the setting "mode" of the policy "unknowns" may say.
const (
	// UnknownsSummary prints one line that counts the undetermined checks.
	UnknownsSummary = "summary"
	// UnknownsList prints each undetermined check with its reason.
	UnknownsList = "list"
	// UnknownsFail makes an undetermined check a violation.
	UnknownsFail = "fail"
)

var unknownsParam = rule.Param{
	Name: "mode", Kind: rule.String, Default: UnknownsSummary,
	Enum: []string{UnknownsSummary, UnknownsList, UnknownsFail},
	Description: "What to do with a check whose answer depends on a value that is not known yet: " +
		"one summary line, a line each, or a violation.",
}

type config struct {
	levels     map[string]rule.Level
	params     map[string]rule.Params
	unknowns   string
	exemptions *register
}

func defaults(rules []rule.Rule) config {
	c := config{
		levels: map[string]rule.Level{policyExemptions: rule.Advisory, policyUnknowns: rule.Advisory},
		params: map[string]rule.Params{}, unknowns: UnknownsSummary, exemptions: &register{used: map[int]bool{}},
	}
	for _, r := range rules {
		c.levels[r.Name] = r.Level
		// The defaults were validated by New.
		c.params[r.Name], _ = rule.Decode(r.Params, nil)
	}
	return c
}

// Configure sets enforcement levels and parameters, and reports every wrong
// field at once. The key "all" gives a level to every policy that has no level
// of its own. A failed Configure changes nothing.
func (a *Analyzer) Configure(_ context.Context, given map[string]plugin.AnalyzerPolicyConfig) error {
	c := defaults(a.rules)
	if all, ok := given["all"]; ok && all.EnforcementLevel != "" {
		for name := range c.levels {
			c.levels[name] = all.EnforcementLevel
		}
	}
	byName := map[string]rule.Rule{}
	for _, r := range a.rules {
		byName[r.Name] = r
	}
	var errs []error
	for _, name := range sortedNames(given) {
		g := given[name]
		r, isRule := byName[name]
		if !isRule && !reserved(name) {
			errs = append(errs, fmt.Errorf("%s: there is no such policy%s", name, a.suggest(name)))
			continue
		}
		if g.EnforcementLevel != "" {
			if !g.EnforcementLevel.IsValid() {
				errs = append(errs, fmt.Errorf("%s: enforcementLevel %q is not one of advisory, mandatory, remediate, disabled",
					name, g.EnforcementLevel))
			}
			c.levels[name] = g.EnforcementLevel
		}
		errs = append(errs, c.set(name, r, byName, g.Properties))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("policy pack %s: the configuration is wrong:\n%w", a.opts.Name, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config = c
	a.inputs = map[resource.URN]*rule.Resource{}
	a.deferred = map[finding]deferral{}
	a.exempted = map[finding]exempt.Finding{}
	return nil
}

// set applies the properties that stand under one policy's name.
func (c *config) set(name string, r rule.Rule, rules map[string]rule.Rule, props map[string]any) error {
	var err error
	switch name {
	case "all":
		if len(props) > 0 {
			err = errors.New("it takes only enforcementLevel")
		}
	case policyUnknowns:
		var p rule.Params
		p, err = rule.Decode([]rule.Param{unknownsParam}, props)
		c.unknowns = p.Str(unknownsParam.Name)
	case policyExemptions:
		c.exemptions, err = parseExemptions(props, rules)
	default:
		c.params[name], err = rule.Decode(r.Params, props)
	}
	return prefixed(name, err)
}

// prefixed puts the policy's name before every one of the joined errors.
func prefixed(name string, err error) error {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	for i, l := range lines {
		lines[i] = name + ": " + l
	}
	return errors.New(strings.Join(lines, "\n"))
}

// suggest names the policy that was probably meant.
func (a *Analyzer) suggest(name string) string {
	if near := a.near(name); near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return fmt.Sprintf(": the pack has %d policies; each finding and each page of the documentation names one", len(a.rules))
}

// near is a rule whose name has the name in it, or is in it; empty without one.
func (a *Analyzer) near(name string) string {
	for _, r := range a.rules {
		if strings.Contains(r.Name, name) || strings.Contains(name, r.Name) {
			return r.Name
		}
	}
	return ""
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
