package analyzer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/exempt"
	"redoubt/policy/profile"
	"redoubt/policy/rule"
)

// The pack's own settings stand in the configuration as policies, because the
// engine accepts properties only under a policy's name.
const (
	policyExemptions = exempt.Policy
	policyProfile    = profile.Policy
	policyUnknowns   = "unknowns"
)

// everyPolicy is the key that gives a level to all policies. It is the engine's.
const everyPolicy = "all"

func reserved(name string) bool {
	_, own := settings[name]
	return own || name == everyPolicy
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
	profile    profile.Profile
	levels     map[string]rule.Level
	params     map[string]rule.Params
	unknowns   string
	exemptions *register
}

func defaults(rules []rule.Rule, p profile.Profile) config {
	c := config{
		profile: p, levels: map[string]rule.Level{},
		params: map[string]rule.Params{}, unknowns: UnknownsSummary, exemptions: &register{used: map[int]bool{}},
	}
	for name := range settings {
		c.levels[name] = rule.Advisory
	}
	for _, r := range rules {
		c.levels[r.Name] = p.Level(r)
		// The defaults were validated by New.
		c.params[r.Name], _ = rule.Decode(r.Params, nil)
	}
	return c
}

// Configure sets enforcement levels and parameters, and reports every wrong
// field at once. A failed Configure changes nothing.
//
// A rule's level is, from the weakest to the strongest: the profile's, that of the
// key "all", the one in the profile's setting "levels", the rule's own.
func (a *Analyzer) Configure(_ context.Context, given map[string]plugin.AnalyzerPolicyConfig) error {
	c, err := a.decode(given)
	if err != nil {
		return a.wrong(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config = c
	a.inputs = map[resource.URN]*rule.Resource{}
	a.deferred = map[finding]deferral{}
	a.exempted = map[finding]exempt.Finding{}
	a.kept = map[finding]Result{}
	return nil
}

// wrong is the error about a configuration.
func (a *Analyzer) wrong(err error) error {
	return fmt.Errorf("policy pack %s: the configuration is wrong:\n%w", a.opts.Name, err)
}

func (a *Analyzer) decode(given map[string]plugin.AnalyzerPolicyConfig) (config, error) {
	chosen, err := a.parseProfile(given[policyProfile].Properties)
	errs := []error{prefixed(policyProfile, err)}
	c := defaults(a.rules, chosen.Profile)
	all := given[everyPolicy].EnforcementLevel
	for name := range c.levels {
		c.levels[name] = cmp.Or(all, c.levels[name])
	}
	maps.Copy(c.levels, chosen.levels)
	byName := map[string]rule.Rule{}
	for _, r := range a.rules {
		byName[r.Name] = r
	}
	for _, name := range sortedNames(given) {
		g := given[name]
		r, isRule := byName[name]
		if !isRule && !reserved(name) {
			errs = append(errs, fmt.Errorf("%s: there is no such policy%s", name, a.suggest(name)))
			continue
		}
		if g.EnforcementLevel != "" {
			_, err := parseLevel(levelField, string(g.EnforcementLevel))
			errs = append(errs, prefixed(name, err))
		}
		if a.says(name, g.EnforcementLevel, all) {
			c.levels[name] = g.EnforcementLevel
		}
		errs = append(errs, c.set(name, r, byName, g.Properties))
	}
	return c, errors.Join(errs...)
}

// says tells a policy's level that somebody gave from one that the engine filled in:
// it sends a level for each policy, that of "all" or else that of GetAnalyzerInfo
// (pkg/v3 v3.259.0, resource/analyzer/config.go). One that is the same says nothing.
func (a *Analyzer) says(name string, level, all rule.Level) bool {
	return level != "" && level != cmp.Or(all, a.told[name])
}

// levelNames are the levels as a configuration spells them.
var levelNames = []string{string(rule.Advisory), string(rule.Mandatory), string(rule.Remediate), string(rule.Disabled)}

// set applies the properties that stand under one policy's name.
func (c *config) set(name string, r rule.Rule, rules map[string]rule.Rule, props map[string]any) error {
	var err error
	switch name {
	case everyPolicy:
		if len(props) > 0 {
			err = errors.New("it takes only enforcementLevel")
		}
	case policyProfile: // came first
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

// near is a rule that was probably meant; empty without one.
func (a *Analyzer) near(name string) string {
	names := make([]string, len(a.rules))
	for i, r := range a.rules {
		names[i] = r.Name
	}
	return rule.Nearest(name, names)
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
