// Package analyzer turns a list of rules into a Pulumi policy pack: it serves
// the engine's analyzer protocol, keeps configuration and exemptions, runs the
// rules, and words their findings.
//
// A team builds a pack of its own with a main of one line:
//
//	func main() { analyzer.Main(analyzer.Options{Name: "acme", Version: "1.0.0", Rules: rules}) }
package analyzer

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// Options describe a policy pack.
type Options struct {
	// Name is the pack's name as findings and Pulumi Cloud show it.
	Name string
	// Version is a semantic version without "v".
	Version string
	// DisplayName, Description, Readme and Repository are shown by Pulumi Cloud.
	DisplayName, Description, Readme, Repository string
	// Rules are the pack's rules, in any order, with distinct names.
	Rules []rule.Rule
	// Now tells the time that exemptions expire by; nil means time.Now.
	Now func() time.Time
	// Observe, where set, gets every verdict, also those that the engine does
	// not see: passed, not applicable, exempt. It must not call the analyzer.
	Observe func(Result)
}

// Result is one verdict of one rule about one resource.
type Result struct {
	Rule     string
	URN      resource.URN
	Severity rule.Severity
	// Level is the configured enforcement level.
	Level   rule.Level
	Verdict rule.Verdict
	// Exemption is the active exemption that silences the violation, if any.
	Exemption *Exemption
}

// Analyzer is a policy pack as the engine sees it. It is safe for concurrent use.
type Analyzer struct {
	opts    Options
	version semver.Version
	rules   []rule.Rule // sorted by name
	checks  index       // rules with Check
	joins   index       // rules with CheckStack

	mu       sync.Mutex
	config   config
	phase    phase
	inputs   map[resource.URN]*rule.Resource
	deferred map[finding]deferral
	exempted map[finding]exempt.Finding
}

// finding names a verdict: there is at most one for a rule and a resource.
type finding struct {
	rule string
	urn  resource.URN
}

// deferral is a check without an answer.
type deferral struct {
	resource, reason string
	unreadable       bool
}

// index finds the rules for a canonical resource type; positions are in Analyzer.rules.
type index map[string][]int

var _ plugin.Analyzer = (*Analyzer)(nil)

// New makes a policy pack, and reports everything that is wrong with its rules.
func New(opts Options) (*Analyzer, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &Analyzer{
		opts: opts, rules: append([]rule.Rule(nil), opts.Rules...),
		checks: index{}, joins: index{},
		inputs: map[resource.URN]*rule.Resource{}, deferred: map[finding]deferral{}, exempted: map[finding]exempt.Finding{},
	}
	var errs []error
	if opts.Name == "" {
		errs = append(errs, errors.New("policy pack: Name must be set"))
	}
	v, err := semver.Parse(opts.Version)
	if err != nil {
		errs = append(errs, fmt.Errorf("policy pack: Version %q must be a semantic version such as 1.2.3", opts.Version))
	}
	a.version = v
	sort.SliceStable(a.rules, func(i, j int) bool { return a.rules[i].Name < a.rules[j].Name })
	for i, r := range a.rules {
		errs = append(errs, r.Validate())
		if i > 0 && a.rules[i-1].Name == r.Name {
			errs = append(errs, fmt.Errorf("rule %q: the name is used twice", r.Name))
		}
		if reserved(r.Name) {
			errs = append(errs, fmt.Errorf("rule %q: the name is reserved for the pack's own settings", r.Name))
		}
		into := a.checks
		if r.IsJoin() {
			into = a.joins
		}
		into.add(r.Types, i)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a.config = defaults(a.rules)
	return a, nil
}

func (x index) add(types []string, i int) {
	seen := map[string]bool{}
	for _, t := range types {
		if c := rule.Canonical(t); !seen[c] {
			seen[c] = true
			x[c] = append(x[c], i)
		}
	}
}

// Name returns the pack's name.
func (a *Analyzer) Name() tokens.QName { return tokens.QName(a.opts.Name) }

// GetPluginInfo returns the pack's version.
func (a *Analyzer) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &a.version}, nil
}

// Cancel does nothing: no check waits for anything.
func (a *Analyzer) Cancel(context.Context) error { return nil }

// Close does nothing: the pack holds no resources outside its process.
func (a *Analyzer) Close() error { return nil }

// Analyze judges one resource by its inputs and keeps them for AnalyzeStack.
func (a *Analyzer) Analyze(_ context.Context, r plugin.AnalyzerResource) (plugin.AnalyzeResponse, error) {
	res := inputsOf(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inputs[res.URN] = res
	var out []plugin.AnalyzeDiagnostic
	for _, i := range a.checks[res.Type] {
		out = append(out, a.judge(a.rules[i], res, func(p rule.Params) rule.Verdict {
			return a.rules[i].Check(res, p)
		})...)
	}
	return plugin.AnalyzeResponse{Diagnostics: out}, nil
}

// AnalyzeStack judges the stack. Rules see the inputs that Analyze saw: the
// properties that the engine sends here are outputs, in which the provider
// echoes split resources back into their owners after a refresh. For a resource
// that Analyze did not see, the outputs stand in.
func (a *Analyzer) AnalyzeStack(
	_ context.Context, resources []plugin.AnalyzerStackResource,
) (plugin.AnalyzeResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*rule.Resource, 0, len(resources))
	present := make(map[resource.URN]bool, len(resources))
	for _, r := range resources {
		all = append(all, a.stackResource(r))
		present[r.URN] = true
	}
	a.forget(present)
	stack := rule.NewStack(all)
	var out []plugin.AnalyzeDiagnostic
	for _, res := range stack.All() {
		for _, i := range a.joins[res.Type] {
			out = append(out, a.judge(a.rules[i], res, func(p rule.Params) rule.Verdict {
				return a.rules[i].CheckStack(stack, res, p)
			})...)
		}
	}
	out = append(out, a.summaries()...)
	return plugin.AnalyzeResponse{Diagnostics: out}, nil
}

// forget drops what an earlier operation of this process left about resources
// that are gone.
func (a *Analyzer) forget(present map[resource.URN]bool) {
	for urn := range a.inputs {
		if !present[urn] {
			delete(a.inputs, urn)
		}
	}
	for f := range a.deferred {
		if !present[f.urn] {
			delete(a.deferred, f)
		}
	}
	for f := range a.exempted {
		if !present[f.urn] {
			delete(a.exempted, f)
		}
	}
}

// judge runs one rule on one resource and returns at most one diagnostic.
func (a *Analyzer) judge(
	r rule.Rule, res *rule.Resource, check func(rule.Params) rule.Verdict,
) (out []plugin.AnalyzeDiagnostic) {
	level := a.config.levels[r.Name]
	if level == rule.Disabled {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			out = []plugin.AnalyzeDiagnostic{a.fault(r, res, p)}
		}
	}()
	v := check(a.config.params[r.Name].At(a.opts.Now()))
	key := finding{r.Name, res.URN}
	delete(a.deferred, key)
	delete(a.exempted, key)
	active, expired := a.config.exemptions.find(key, v.Outcome, a.opts.Now())
	a.observe(Result{Rule: r.Name, URN: res.URN, Severity: r.Severity, Level: level, Verdict: v, Exemption: active})
	switch {
	case active != nil:
		if v.Outcome == rule.Failed || a.config.unknowns == UnknownsFail {
			a.exempted[key] = letPass(r, res, level, v, *active)
		}
	case v.Outcome == rule.Failed:
		return []plugin.AnalyzeDiagnostic{a.diagnostic(r, res, level, violation(r, res, v, expired))}
	case v.Outcome == rule.Undetermined && a.config.unknowns == UnknownsFail:
		return []plugin.AnalyzeDiagnostic{a.diagnostic(r, res, level, undecided(r, res, v))}
	case v.Outcome == rule.Undetermined:
		a.deferred[key] = deferral{res.Label(), v.Reason(), v.Unreadable}
	}
	return nil
}

func (a *Analyzer) observe(r Result) {
	if a.opts.Observe != nil {
		a.opts.Observe(r)
	}
}

func (a *Analyzer) diagnostic(
	r rule.Rule, res *rule.Resource, level rule.Level, message string,
) plugin.AnalyzeDiagnostic {
	return plugin.AnalyzeDiagnostic{
		PolicyName: r.Name, PolicyPackName: a.opts.Name, PolicyPackVersion: a.opts.Version,
		Description: r.Summary, Message: message, EnforcementLevel: level, URN: res.URN, Severity: r.Severity,
	}
}
