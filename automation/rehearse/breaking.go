package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
)

// BreakReport is what became of mistakes that were planted in one stack.
type BreakReport struct {
	Stack string `json:"stack"`
	OK    bool   `json:"ok"`
	// Before is the number of findings about the stack without a mistake.
	Before   int      `json:"before"`
	Mistakes []Broken `json:"mistakes"`
	// Extra are findings that no planted mistake explains.
	Extra []engine.Finding `json:"extra"`
	// Previews is how many there were, the one without a mistake included.
	Previews int     `json:"previews"`
	Seconds  float64 `json:"seconds"`
}

// Broken is what became of one planted mistake.
type Broken struct {
	Name   string `json:"name"`
	Family string `json:"family"`
	Deed   string `json:"deed"`
	Rule   string `json:"rule"`
	// Refused says that the rule refused it.
	Refused bool `json:"refused"`
	// Absent says that the mistake cannot be made: the stack has nothing to make it
	// on, or has made it itself.
	Absent bool `json:"absent,omitempty"`
	// Problem says why it was not refused.
	Problem string `json:"problem,omitempty"`
	// Finding is the rule's.
	Finding *engine.Finding `json:"finding,omitempty"`
}

// Break plants mistakes in each stack and sees that the preview is refused by
// the rule of each, and that the policy pack finds nothing else. Mistakes that
// can be told apart share a preview. Their rules are mandatory meanwhile,
// whatever the configuration says.
func Break(ctx context.Context, opts Options, mistakes []blueprint.Mistake) (Report, error) {
	if err := opts.check(); err != nil {
		return Report{}, err
	}
	report := Report{Rehearsal: true, OK: true, Stacks: []StackReport{}}
	for _, stack := range opts.Stacks {
		one, err := breakStack(ctx, opts, stack, mistakes)
		if err != nil {
			return report, fmt.Errorf("stack %s: %w", stack, err)
		}
		report.OK = report.OK && one.OK
		report.Breaks = append(report.Breaks, one)
	}
	return report, nil
}

func breakStack(ctx context.Context, opts Options, stack string, mistakes []blueprint.Mistake) (report BreakReport, err error) {
	folder, err := os.MkdirTemp("", "redoubt-break-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if opts.PolicyConfig, err = enforcing(folder, opts.PolicyConfig, mistakes); err != nil {
		return report, err
	}
	if len(opts.Inputs) > 0 {
		opts.Blueprint = opts.Blueprint.Ordered()
	}
	var now *blueprint.Planting
	program := opts.Blueprint.Program
	opts.Blueprint.Program = func(keys []string) pulumi.RunFunc {
		run := program(keys)
		return func(ctx *pulumi.Context) error { return now.Run(run)(ctx) }
	}
	report = BreakReport{Stack: stack, OK: true, Extra: []engine.Finding{}}
	start := time.Now()
	err = inScratch(ctx, opts, stack, func(l *life) error {
		preview := func(batch []blueprint.Mistake, name string) ([]engine.Finding, error) {
			now = blueprint.NewPlanting(batch)
			report.Previews++
			return l.tryOut(ctx, name)
		}
		before, err := preview(nil, "unbroken")
		if err != nil {
			return err
		}
		report.Before = len(before)
		batches := apart(mistakes)
		for i, batch := range batches {
			found, err := preview(batch, fmt.Sprintf("mistakes %d/%d", i+1, len(batches)))
			if err != nil {
				return err
			}
			report.judge(batch, now.Planted, before, found)
		}
		return nil
	})
	report.Seconds = seconds(time.Since(start))
	report.sort(mistakes)
	if err == nil && len(mistakes) == 1 && report.Mistakes[0].Absent {
		err = fmt.Errorf("mistake %s: %s", mistakes[0].Name, report.Mistakes[0].Problem)
	}
	return report, err
}

// tryOut previews the stack and returns what the policy pack found. A preview
// that it refuses is no error.
func (l *life) tryOut(ctx context.Context, name string) ([]engine.Finding, error) {
	r := &engine.Recorder{OnResource: func(done int) {
		l.opts.Progress(Progress{Stack: l.report.Stack, Phase: name, Resources: done})
	}}
	l.opts.Progress(Progress{Stack: l.report.Stack, Phase: name})
	start := time.Now()
	out, err := l.scratch.Preview(ctx, r)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s was interrupted: %w", name, context.Cause(ctx))
	}
	refused := len(out.Mandatory()) > 0
	if err != nil && !refused {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	found, _ := deferred(out.Findings)
	saw := fmt.Sprintf("%d findings", len(found))
	if refused {
		saw += ", refused"
	}
	l.opts.Progress(Progress{Stack: l.report.Stack, Phase: name, Done: &Phase{
		Name: name, OK: true, Saw: saw, Counts: out.Counts, Seconds: seconds(time.Since(start)),
	}})
	return found, nil
}

// judge says of each mistake of a preview whether its finding is among those that
// were not there before.
func (report *BreakReport) judge(mistakes []blueprint.Mistake, planted func(blueprint.Mistake) error, before, found []engine.Finding) {
	found = newOnes(before, found)
	for _, m := range mistakes {
		b := Broken{Name: m.Name, Family: m.Family, Deed: m.Deed, Rule: m.Rule}
		err := planted(m)
		i := slices.IndexFunc(found, func(f engine.Finding) bool { return isAbout(f, m) })
		switch {
		case errors.Is(err, blueprint.ErrNotHere):
			b.Absent, b.Problem = true, err.Error()
		case err != nil:
			b.Problem = "it cannot be planted: " + err.Error()
		case slices.ContainsFunc(before, func(f engine.Finding) bool { return f.Policy == m.Rule }):
			b.Absent, b.Problem = true, m.Rule+" refuses the stack without the mistake too"
		case i < 0:
			b.Problem = fmt.Sprintf("%s said nothing about %s", m.Rule, m.Subject())
		case found[i].Level != "mandatory" || found[i].Exemption != nil:
			b.Problem = fmt.Sprintf("%s found it and did not refuse it", m.Rule)
		default:
			b.Refused, b.Finding = true, &found[i]
		}
		if i >= 0 {
			b.Finding = &found[i]
			found = slices.Delete(slices.Clone(found), i, i+1)
		}
		report.Mistakes = append(report.Mistakes, b)
		report.OK = report.OK && (b.Refused || b.Absent)
	}
	report.Extra = append(report.Extra, found...)
	report.OK = report.OK && len(found) == 0
}

func isAbout(f engine.Finding, m blueprint.Mistake) bool {
	urn := resource.URN(f.URN)
	return f.Policy == m.Rule && urn.IsValid() && m.Subject().Matches(string(urn.Type()), urn.Name())
}

// newOnes are the findings that were not there before.
func newOnes(before, found []engine.Finding) []engine.Finding {
	type key struct{ policy, urn string }
	old := map[key]bool{}
	for _, f := range before {
		old[key{f.Policy, f.URN}] = true
	}
	return slices.DeleteFunc(slices.Clone(found), func(f engine.Finding) bool { return old[key{f.Policy, f.URN}] })
}

// apart shares mistakes out among previews, so that those of one can be told
// apart.
func apart(mistakes []blueprint.Mistake) [][]blueprint.Mistake {
	var batches [][]blueprint.Mistake
	for _, m := range mistakes {
		i := slices.IndexFunc(batches, func(batch []blueprint.Mistake) bool {
			return !slices.ContainsFunc(batch, m.Disturbs)
		})
		if i < 0 {
			batches, i = append(batches, nil), len(batches)
		}
		batches[i] = append(batches[i], m)
	}
	return batches
}

// sort puts the mistakes in the order in which they were asked for.
func (report *BreakReport) sort(asked []blueprint.Mistake) {
	place := map[string]int{}
	for i, m := range asked {
		place[m.Name] = i
	}
	slices.SortFunc(report.Mistakes, func(a, b Broken) int { return place[a.Name] - place[b.Name] })
}

// enforcing writes the policy pack's configuration with the rules of the
// mistakes mandatory, and returns its path.
func enforcing(folder, config string, mistakes []blueprint.Mistake) (string, error) {
	settings := map[string]any{}
	if config != "" {
		text, err := os.ReadFile(config)
		if err != nil {
			return "", fmt.Errorf("the policy pack's configuration: %w", err)
		}
		if err := json.Unmarshal(text, &settings); err != nil {
			return "", fmt.Errorf("the policy pack's configuration %s: %w", config, err)
		}
	}
	for _, m := range mistakes {
		if own, ok := settings[m.Rule].(map[string]any); ok {
			own["enforcementLevel"] = "mandatory"
			continue
		}
		settings[m.Rule] = "mandatory"
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "policy.json")
	return path, os.WriteFile(path, text, 0o600)
}

// Mistakes are the blueprint's of that name, all of them for "all". The error
// names the nearest where there is none.
func Mistakes(b blueprint.Blueprint, name string) ([]blueprint.Mistake, error) {
	if len(b.Mistakes) == 0 {
		return nil, fmt.Errorf("no mistakes of blueprint %s are known: those of %s are", b.Name, blueprint.DefenseInDepth.Name)
	}
	if name == "all" {
		return b.Mistakes, nil
	}
	for _, m := range b.Mistakes {
		if m.Name == name {
			return []blueprint.Mistake{m}, nil
		}
	}
	return nil, fmt.Errorf("there is no mistake %q to plant: did you mean %s? `redoubt rehearse --break list` shows all %d",
		name, nearest(b.Mistakes, name), len(b.Mistakes))
}

// nearest is the mistake whose name, or whose rule's, is the most like the one.
func nearest(mistakes []blueprint.Mistake, name string) string {
	away := func(m blueprint.Mistake) int {
		d := min(levenshtein.Distance(name, m.Name, nil), levenshtein.Distance(name, m.Rule, nil))
		if strings.Contains(m.Name, name) || strings.Contains(m.Rule, name) {
			return min(d, 1)
		}
		return d
	}
	return slices.MinFunc(mistakes, func(a, b blueprint.Mistake) int { return away(a) - away(b) }).Name
}
