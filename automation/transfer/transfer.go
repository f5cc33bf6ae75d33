package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Options say what to move.
type Options struct {
	// From and To are the backends; at least one is a service.
	From, To Side
	// Stacks are names as people write them: stack, project/stack or
	// org/project/stack. All means every stack of the source.
	Stacks []string
	All    bool
	// Project limits both to one project.
	Project string
	Renames []Rename
	// DryRun reads and compares, and writes nothing.
	DryRun bool
	// Force overwrites another state in the target.
	Force bool
	// DropPending leaves out pending operations where the target cannot keep
	// them: the CLI drops them when it imports into a backend without a service.
	DropPending bool
	// Parallel is how many stacks are moved at once.
	Parallel    int
	Passphrases *Passphrases
	// ConfigDir is the folder with the project's Pulumi.<stack>.yaml files, whose
	// secrets are encrypted again; empty for none.
	ConfigDir string
	Progress  func(Progress)
}

// Limits of Options.Parallel: each stack takes a process and its state in memory.
const (
	defaultParallel = 3
	maxParallel     = 8
)

// Run moves stacks. An error means that nothing was begun, and holds all that
// was found; what became of each stack is in the report.
func Run(ctx context.Context, opts Options) (_ Report, err error) {
	m := &mover{Options: opts}
	defer func() { err = errors.Join(err, m.close()) }()
	moves, err := m.prepare(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{From: m.from.Display(), To: m.to.Display(), DryRun: opts.DryRun, OK: true, Stacks: m.all(ctx, moves)}
	for _, r := range report.Stacks {
		report.OK = report.OK && r.good()
	}
	return report, ctx.Err()
}

// mover is a run of it.
type mover struct {
	Options
	from, to *side
	// there are the stacks of a target without a service.
	there map[Name]bool
}

func (m *mover) close() error {
	var errs []error
	for _, s := range []*side{m.from, m.to} {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	return errors.Join(errs...)
}

// move is one stack.
type move struct {
	source listed
	target Name
}

// prepare finds out what is to be done, and all that is against it.
func (m *mover) prepare(ctx context.Context) ([]move, error) {
	if !m.From.isService() && !m.To.isService() {
		return nil, errors.New("one of the two backends must be a service (https://…): between two others, use `pulumi stack migrate`")
	}
	if len(m.Stacks) == 0 && !m.All {
		return nil, errors.New("say which stacks: --stack NAME, more than once, or --all")
	}
	exe, err := lookCLI()
	if err != nil {
		return nil, err
	}
	var problems [3]error
	m.from, problems[0] = open(m.From, "source", exe)
	m.to, problems[1] = open(m.To, "target", exe)
	if err := errors.Join(problems[:]...); err != nil {
		return nil, err
	}
	if m.from.URL == m.to.URL {
		return nil, errors.New("the source is the target")
	}
	var stacks []listed
	stacks, problems[0] = m.from.list(ctx)
	problems[1] = m.reach(ctx)
	if stacks == nil && problems[0] != nil {
		return nil, errors.Join(problems[:]...)
	}
	if m.Project == "" && !m.All {
		// Stacks that nobody asked for are no problem.
		problems[0] = nil
	}
	var moves []move
	moves, problems[2] = m.choose(stacks)
	return moves, errors.Join(problems[:]...)
}

// reach tries the target, and fills in its organization.
func (m *mover) reach(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the target %s: %w", m.to.Display(), err)
		}
	}()
	if m.to.service == nil {
		m.to.Org = noOrg
		found, err := m.to.list(ctx)
		if err != nil {
			return err
		}
		m.there = map[Name]bool{}
		for _, l := range found {
			m.there[l.name] = true
		}
		return nil
	}
	if m.to.Org == "" {
		m.to.Org, err = m.to.service.defaultOrg(ctx)
		return err
	}
	return m.to.service.checkOrg(ctx, m.to.Org)
}

// choose finds the stacks that are meant, and their names in the target.
func (m *mover) choose(stacks []listed) ([]move, error) {
	var problems []error
	slices.SortFunc(stacks, func(a, b listed) int { return strings.Compare(a.name.String(), b.name.String()) })
	if m.Project != "" {
		stacks = slices.DeleteFunc(stacks, func(l listed) bool { return l.name.Project != m.Project })
	}
	chosen := stacks
	if !m.All {
		chosen = nil
		for _, wanted := range m.Stacks {
			var found []listed
			for _, l := range stacks {
				if l.name.matches(wanted) {
					found = append(found, l)
				}
			}
			switch {
			case len(found) == 0:
				problems = append(problems, fmt.Errorf("the source has no stack %q (it has: %s)", wanted, names(stacks)))
			case len(found) > 1:
				problems = append(problems, fmt.Errorf("stack %q is one of several: %s", wanted, names(found)))
			case !slices.ContainsFunc(chosen, func(l listed) bool { return l.name == found[0].name }):
				chosen = append(chosen, found[0])
			}
		}
	}
	if m.All && len(chosen) == 0 {
		problems = append(problems, errors.New("the source has no stacks"))
	}
	for _, r := range m.Renames {
		if !slices.ContainsFunc(chosen, func(l listed) bool { return l.name.matches(r.From) }) {
			problems = append(problems, fmt.Errorf("--rename %s=%s: no stack %q is moved", r.From, r.To, r.From))
		}
	}
	var moves []move
	taken := map[Name]Name{}
	for _, l := range chosen {
		to := targetName(l.name, orElse(m.to.Org, noOrg), m.Renames)
		if err := checkName(l.name, to); err != nil {
			problems = append(problems, err)
		}
		if other, twice := taken[to]; twice {
			problems = append(problems, fmt.Errorf("stacks %s and %s would both become %s: give one another name with --rename", other, l.name, to))
		}
		taken[to] = l.name
		moves = append(moves, move{source: l, target: to})
	}
	return moves, errors.Join(problems...)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// names lists stacks in a message, not endlessly.
func names(stacks []listed) string {
	const limit = 10
	var out []string
	for _, l := range stacks {
		if len(out) == limit {
			out = append(out, fmt.Sprintf("and %d more", len(stacks)-limit))
			break
		}
		out = append(out, l.name.String())
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// all moves the stacks, a few at once.
func (m *mover) all(ctx context.Context, moves []move) []Result {
	parallel := m.Parallel
	if parallel < 1 {
		parallel = defaultParallel
	}
	results := make([]Result, len(moves))
	next := make(chan int)
	var mu sync.Mutex
	done := 0
	tell := func(stack string, outcome Outcome) {
		mu.Lock()
		defer mu.Unlock()
		if outcome != "" {
			done++
		}
		if m.Progress != nil {
			m.Progress(Progress{Done: done, Total: len(moves), Stack: stack, Outcome: outcome})
		}
	}
	var workers sync.WaitGroup
	for range min(parallel, maxParallel) {
		workers.Go(func() {
			for i := range next {
				stack := moves[i].source.name.String()
				tell(stack, "")
				results[i] = m.one(ctx, moves[i])
				tell(stack, results[i].Outcome)
			}
		})
	}
	for i := range moves {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// withoutPending is a state without its pending operations.
func withoutPending(s *state) *state {
	out := *s
	out.doc = maps.Clone(s.doc)
	deployment := maps.Clone(s.deployment())
	delete(deployment, "pending_operations")
	out.doc["deployment"] = deployment
	return &out
}
