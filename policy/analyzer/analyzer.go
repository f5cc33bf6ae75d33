// Package analyzer turns a list of rules into a Pulumi policy pack: it serves
// the engine's analyzer protocol, keeps configuration and exemptions, runs the
// rules, and words their findings.
//
// A team builds a pack of its own with a main of one line:
//
//	func main() { analyzer.Main(analyzer.Options{Name: "acme", Version: "1.0.0", Rules: rules}) }
package analyzer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sort"
	"sync"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"redoubt/policy/exempt"
	"redoubt/policy/profile"
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
	// Profile is the name of the profile that holds where the configuration names
	// none; empty means profile.Guide.
	Profile string
	// Now tells the time that exemptions expire by; nil means time.Now.
	Now func() time.Time
	// Levels are other levels than the rules' own, by the rule's name: advisory,
	// mandatory or disabled. So a pack of append(rules.All(), own...) has its own
	// opinion of the catalogue. A configuration still overrides them.
	Levels map[string]rule.Level
	// Observe, where set, gets every verdict, also those that the engine does
	// not see: passed, not applicable, exempt. It must not call the analyzer.
	Observe func(Result)
	// Keep keeps every verdict for Analyzer.Report. It costs memory.
	Keep bool
}

// Result is one verdict of one rule about one resource.
type Result struct {
	Rule     string
	URN      resource.URN
	Severity rule.Severity
	// Level is the configured enforcement level.
	Level   rule.Level
	Verdict rule.Verdict
	// Exemption is the active exemption that silences the violation, if any; Expired
	// is one that would have.
	Exemption, Expired *Exemption
}

// Analyzer is a policy pack as the engine sees it. It is safe for concurrent use.
type Analyzer struct {
	opts    Options
	version semver.Version
	rules   []rule.Rule // sorted by name
	checks  index       // rules with Check
	joins   index       // rules with CheckStack
	profile profile.Profile
	told    map[string]rule.Level // the levels that GetAnalyzerInfo says

	mu       sync.Mutex
	config   config
	phase    phase
	inputs   map[resource.URN]*rule.Resource
	deferred map[finding]deferral
	exempted map[finding]exempt.Finding
	kept     map[finding]Result
	// resources is how many AnalyzeStack saw last.
	resources int
	// stack is what ConfigureStack named: organization/project/stack.
	stack string
	files *reportFiles // nil for none
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
		kept: map[finding]Result{},
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
	errs = append(errs, a.setLevels(opts.Levels))
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
	if a.profile, err = a.findProfile(cmp.Or(opts.Profile, profile.Guide)); err != nil {
		errs = append(errs, fmt.Errorf("policy pack: Profile, or %s in its environment: %w", profile.Variable, err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a.config = defaults(a.rules, a.profile)
	a.told = maps.Clone(a.config.levels)
	return a, nil
}

// setLevels gives rules the levels that the pack wants.
func (a *Analyzer) setLevels(levels map[string]rule.Level) error {
	at := map[string]int{}
	for i, r := range a.rules {
		at[r.Name] = i
	}
	var errs []error
	for _, name := range sortedNames(levels) {
		i, known := at[name]
		if !known {
			errs = append(errs, fmt.Errorf("policy pack: Levels: %s: there is no such policy%s", name, a.suggest(name)))
			continue
		}
		a.rules[i].Level = levels[name]
	}
	return errors.Join(errs...)
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
	var out plugin.AnalyzeResponse
	for _, i := range a.checks[res.Type] {
		found, v := a.judge(a.rules[i], res, func(p rule.Params) rule.Verdict {
			return a.rules[i].Check(res, p)
		})
		out.Diagnostics = append(out.Diagnostics, found...)
		out.NotApplicable = append(out.NotApplicable, unanswered(a.rules[i], v, found)...)
	}
	out.Diagnostics = append(out.Diagnostics, a.reportStopped(res, out.Diagnostics)...)
	return out, nil
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
	a.resources = len(all)
	stack := rule.NewStack(all)
	var out []plugin.AnalyzeDiagnostic
	for _, res := range stack.All() {
		for _, i := range a.joins[res.Type] {
			found, _ := a.judge(a.rules[i], res, func(p rule.Params) rule.Verdict {
				return a.rules[i].CheckStack(stack, res, p)
			})
			out = append(out, found...)
		}
	}
	out = append(out, a.summaries()...)
	out = append(out, a.reportStack(all)...)
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
	for f := range a.kept {
		if !present[f.urn] {
			delete(a.kept, f)
		}
	}
}

// judge runs one rule on one resource and returns at most one diagnostic, and the
// verdict.
func (a *Analyzer) judge(
	r rule.Rule, res *rule.Resource, check func(rule.Params) rule.Verdict,
) ([]plugin.AnalyzeDiagnostic, rule.Verdict) {
	level := a.config.levels[r.Name]
	if level == rule.Disabled {
		return nil, rule.Skip()
	}
	v, broke := guarded(check, a.config.params[r.Name].At(a.opts.Now()))
	if broke {
		r = atFault(r)
	}
	key := finding{r.Name, res.URN}
	delete(a.deferred, key)
	delete(a.exempted, key)
	active, expired := a.config.exemptions.find(key, v.Outcome, a.opts.Now())
	a.observe(Result{Rule: r.Name, URN: res.URN, Severity: r.Severity, Level: level, Verdict: v, Exemption: active, Expired: expired})
	return a.report(r, res, level, v, active, expired), v
}

// report turns a verdict into a diagnostic, or keeps it for the stack's summaries.
func (a *Analyzer) report(
	r rule.Rule, res *rule.Resource, level rule.Level, v rule.Verdict, active, expired *Exemption,
) []plugin.AnalyzeDiagnostic {
	key := finding{r.Name, res.URN}
	says := violation
	switch {
	case v.Outcome == rule.Failed:
	case v.Outcome == rule.Undetermined && a.config.unknowns == UnknownsFail:
		says = undecided
	case v.Outcome == rule.Undetermined && active == nil:
		a.deferred[key] = deferral{res.Label(), v.Reason(), v.Unreadable}
		return nil
	default:
		return nil
	}
	switch {
	case active == nil:
		return []plugin.AnalyzeDiagnostic{a.diagnostic(r, res, level, says(r, res, v, expired.renew()))}
	case a.config.profile.Audit:
		return []plugin.AnalyzeDiagnostic{a.diagnostic(r, res, rule.Advisory, says(r, res, v, active.holds()))}
	default:
		a.exempted[key] = letPass(r, res, level, v, *active)
		return nil
	}
}

func (a *Analyzer) observe(r Result) {
	a.keep(r)
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
