package rehearse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/internal/rehearsal"
)

// life is one stack on its way through the steps.
type life struct {
	opts    Options
	account *rehearsal.Account
	scratch *engine.Scratch
	report  StackReport
	// expected is what the preview announced: the update must do just that.
	expected map[string]int
	// computed is what the account held after the update.
	computed []rehearsal.Resource
	// beneath are the URNs of the baseline's resources, which are not the stack's.
	beneath map[string]bool
	// drifted is the resource that was changed behind Pulumi's back.
	drifted *rehearsal.Resource
	// drift is what was changed on it.
	drift blueprint.Drift
}

// step is one phase: do runs the operation, must says what is wrong with what
// it did (empty if nothing) and what was seen.
type step struct {
	name string
	do   func(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error)
	must func(l *life, out engine.Outcome) (saw, problem string)
}

// steps are a stack's whole life.
var steps = []step{
	{"preview", preview, func(l *life, out engine.Outcome) (string, string) {
		l.expected = out.Counts
		l.report.Mandatory = len(out.Mandatory())
		l.report.Findings, l.report.Deferred = deferred(out.Findings)
		if out.Counts["create"] == 0 {
			return "", "nothing would be created"
		}
		return fmt.Sprintf("%d to create, policy enforced", out.Counts["create"]), ""
	}},
	{"up", up, func(l *life, out engine.Outcome) (string, string) {
		l.computed = l.resources()
		l.report.Resources, l.report.ByType = len(l.computed), byType(l.computed)
		l.report.NotModelled = l.account.Stats().NotModelled
		if out.Counts["create"] != l.expected["create"] {
			return "", fmt.Sprintf("%d created, the preview said %d", out.Counts["create"], l.expected["create"])
		}
		if all := l.account.Overwritten(); len(all) > 0 {
			return "", fmt.Sprintf("%s overwrote %s (%s %s), and AWS would have said nothing: %s", short(all[0].By), short(all[0].Of), all[0].Type, all[0].ID, all[0].Source)
		}
		return fmt.Sprintf("%d created", out.Counts["create"]), ""
	}},
	{"preview again", preview, func(_ *life, out engine.Outcome) (string, string) {
		return "no change", unchanged(out)
	}},
	{"change", change, func(_ *life, out engine.Outcome) (string, string) {
		if out.Counts["update"] == 0 || out.Changed() != out.Counts["update"] {
			return "", "a small change must update in place only, but it did: " + describe(out)
		}
		return fmt.Sprintf("%d updated in place (%s)", out.Counts["update"], touched(out)), ""
	}},
	{"drift", drift, func(l *life, out engine.Outcome) (string, string) {
		return foundDrift(l, out)
	}},
	{"repair", up, func(l *life, out engine.Outcome) (string, string) {
		return repaired(l, out)
	}},
	{"destroy", destroy, func(l *life, out engine.Outcome) (string, string) {
		return emptied(l, out)
	}},
}

// resources are what the account holds of the stack.
func (l *life) resources() []rehearsal.Resource {
	return slices.DeleteFunc(l.account.Resources(), func(r rehearsal.Resource) bool { return l.beneath[r.URN] })
}

// play runs the steps in order and stops at the first that does not do what it
// must, because the later ones build on it.
func (l *life) play(ctx context.Context, steps []step) error {
	for _, s := range steps {
		p := Phase{Name: s.name}
		r := &engine.Recorder{OnResource: func(done int) {
			l.opts.Progress(Progress{Stack: l.report.Stack, Phase: s.name, Resources: done})
		}}
		l.opts.Progress(Progress{Stack: l.report.Stack, Phase: s.name})
		start := time.Now()
		out, err := s.do(ctx, l, r)
		p.Seconds = seconds(time.Since(start))
		if ctx.Err() != nil {
			return fmt.Errorf("%s was interrupted: %w", s.name, context.Cause(ctx))
		}
		p.Counts, p.Changes = out.Counts, out.Changed()
		if err != nil {
			if len(out.Findings) > 0 {
				l.report.Findings, l.report.Mandatory = out.Findings, len(out.Mandatory())
			}
			p.Problem = err.Error()
		} else {
			p.Saw, p.Problem = s.must(l, out)
		}
		p.OK = p.Problem == ""
		l.report.Phases = append(l.report.Phases, p)
		l.report.OK = l.report.OK && p.OK
		l.opts.Progress(Progress{Stack: l.report.Stack, Phase: s.name, Done: &p})
		if !p.OK {
			return nil
		}
	}
	return nil
}

func preview(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error) {
	return l.scratch.Preview(ctx, r)
}

func up(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error) {
	return l.scratch.Up(ctx, r)
}

func change(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error) {
	if err := l.scratch.Set(ctx, l.opts.Blueprint.Change); err != nil {
		return engine.Outcome{}, err
	}
	return l.scratch.Up(ctx, r)
}

// drift changes a resource behind Pulumi's back and lets a refresh find it.
func drift(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error) {
	if !l.findDrift() {
		return engine.Outcome{}, errors.New("the account holds nothing that the blueprint knows how to drift")
	}
	if err := l.account.Drift(l.drifted.URN, l.drift.Property, resource.NewPropertyValue(l.drift.Value)); err != nil {
		return engine.Outcome{}, err
	}
	return l.scratch.Refresh(ctx, r)
}

// findDrift is the first of the blueprint's drifts that the account has a
// resource for.
func (l *life) findDrift() bool {
	for _, d := range l.opts.Blueprint.Drifts {
		for _, res := range l.resources() {
			if res.Type == d.Type {
				l.drifted, l.drift = &res, d
				return true
			}
		}
	}
	return false
}

// destroy lifts the deletion protections first, as an operator has to.
func destroy(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error) {
	if err := l.scratch.Set(ctx, l.opts.Blueprint.Release); err != nil {
		return engine.Outcome{}, err
	}
	if out, err := l.scratch.Up(ctx, &engine.Recorder{}); err != nil {
		return out, fmt.Errorf("lifting the deletion protections: %w", err)
	}
	return l.scratch.Destroy(ctx, r)
}

func foundDrift(l *life, out engine.Outcome) (saw, problem string) {
	d := l.drift
	for _, c := range out.Changes {
		if c.Type == d.Type && out.Changed() == 1 && strings.Contains(strings.Join(c.Properties, " "), d.Property) {
			return fmt.Sprintf("refresh found %s on %s (%s)", d.Property, short(c.URN), d.Deed), ""
		}
	}
	return "", fmt.Sprintf("%s: refresh must find %s of one %s, but it found: %s", d.Deed, d.Property, d.Type, describe(out))
}

func repaired(l *life, out engine.Outcome) (saw, problem string) {
	d := l.drift
	for _, res := range l.account.Resources() {
		if res.URN == l.drifted.URN && res.Outputs[resource.PropertyKey(d.Property)].DeepEquals(l.drifted.Outputs[resource.PropertyKey(d.Property)]) {
			return fmt.Sprintf("%d updated, %s is as declared again", out.Counts["update"], d.Property), ""
		}
	}
	return "", fmt.Sprintf("%s of %s is still not as declared", d.Property, l.drifted.ID)
}

// unchanged names what would change, where nothing may.
func unchanged(out engine.Outcome) string {
	if out.Changed() == 0 {
		return ""
	}
	return "a second preview must show no change, but it would: " + describe(out)
}

// describe lists changes for a sentence, at most a handful.
func describe(out engine.Outcome) string {
	const limit = 8
	var parts []string
	for i, c := range out.Changes {
		if i == limit {
			parts = append(parts, fmt.Sprintf("and %d more", len(out.Changes)-limit))
			break
		}
		parts = append(parts, strings.TrimSpace(c.Op+" "+short(c.URN)+" "+strings.Join(c.Properties, ",")))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

func touched(out engine.Outcome) string {
	var parts []string
	for _, c := range out.Changes {
		parts = append(parts, short(c.URN))
	}
	return strings.Join(parts, ", ")
}

// short is the resource's own name in a URN.
func short(urn string) string { return resource.URN(urn).Name() }

func byType(resources []rehearsal.Resource) map[string]int {
	counts := map[string]int{}
	for _, r := range resources {
		counts[r.Type]++
	}
	return counts
}

// emptied wants nothing left in the account but what the program retains on
// purpose.
func emptied(l *life, out engine.Outcome) (saw, problem string) {
	retained := map[string]bool{}
	for _, c := range out.Changes {
		retained[c.URN] = c.Retained
	}
	var kept, left []string
	for _, r := range l.resources() {
		if retained[r.URN] {
			kept = append(kept, short(r.URN))
		} else {
			left = append(left, r.Type+" "+r.ID)
		}
	}
	switch {
	case len(left) > 0:
		return "", fmt.Sprintf("%d resources are left in the account: %s", len(left), strings.Join(left, ", "))
	case len(kept) > 0:
		return fmt.Sprintf("the account is empty but for what is retained on purpose: %s", strings.Join(kept, ", ")), ""
	default:
		return "the account is empty", ""
	}
}

var leadingCount = regexp.MustCompile(`^(\d+) `)

// deferred takes the pack's one line about checks that it could not decide out
// of the findings, and returns the number that it begins with.
func deferred(findings []engine.Finding) (rest []engine.Finding, checks int) {
	rest = []engine.Finding{}
	for _, f := range findings {
		m := leadingCount.FindStringSubmatch(f.Message)
		if f.Policy != "unknowns" || m == nil {
			rest = append(rest, f)
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			rest = append(rest, f)
			continue
		}
		checks += n
	}
	return rest, checks
}

// measureFloor plays the same life with the engine alone, and writes its times
// beside the measured ones. Alone means: a provider that echoes, no policy pack,
// and a state in a folder that is written at the end only, which no real stack
// could have, because a crash would lose everything since the start.
func (l *life) measureFloor(ctx context.Context, stack string) (err error) {
	port, stop, err := serveEcho(l.account.Provider(), l.computed)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	defer func() { err = errors.Join(err, stop()) }()
	scratch, err := engine.NewScratch(ctx, engine.ScratchOptions{
		Project: l.opts.Project, Stack: stack, Program: l.opts.Blueprint.Program, Folders: l.opts.Blueprint.Folders, Env: environment(port),
	})
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()

	alone := *l
	alone.scratch = scratch
	floor := map[string]step{
		"drift": {do: func(ctx context.Context, l *life, r *engine.Recorder) (engine.Outcome, error) {
			return l.scratch.Refresh(ctx, r)
		}},
	}
	for i, s := range steps {
		if f, ok := floor[s.name]; ok {
			s.do = f.do
		}
		l.opts.Progress(Progress{Stack: stack, Phase: "floor of " + s.name})
		start := time.Now()
		if _, err := s.do(ctx, &alone, &engine.Recorder{}); err != nil {
			return fmt.Errorf("floor of %s: %w", s.name, err)
		}
		l.report.Phases[i].FloorSeconds = seconds(time.Since(start))
	}
	return nil
}
