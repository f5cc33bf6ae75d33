package provision

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// checkPolicy finds that a waiver is for a policy that the pack does not have. Where
// this process does not know the pack nothing is found: such a waiver lets nothing
// pass, and who looks at an operation's findings sees that.
func (s *Service) checkPolicy(ctx context.Context, f *findings, policy string) {
	if s.opts.Policies == nil || slices.ContainsFunc(*f, func(e FieldError) bool { return e.Pointer == "/policy" }) {
		return
	}
	known, err := s.opts.Policies(ctx)
	if err != nil {
		s.opts.Log.WarnContext(ctx, "a waiver's policy could not be looked up", "policy", policy, "error", err)
		return
	}
	if slices.Contains(known, policy) {
		return
	}
	if near := nearest(policy, known); len(near) > 0 {
		f.add("/policy", "%.100q is no policy of the policy pack: did you mean %s?", policy, strings.Join(near, " or "))
		return
	}
	f.add("/policy", "%.100q is no policy of the policy pack, which has %d: give the name that the finding has", policy, len(known))
}

// nearest are at most three of the names that somebody may have meant: those that the
// name is a part of, or that are a part of it, and those that are spelt like it.
func nearest(name string, known []string) []string {
	const most = 3
	name = strings.ToLower(name)
	type ranked struct {
		name     string
		distance int
	}
	var near []ranked
	for _, k := range known {
		distance := levenshtein.Distance(name, k, nil)
		switch {
		case strings.Contains(k, name) || strings.Contains(name, k):
			near = append(near, ranked{k, 0})
		case distance <= len(name)/3:
			near = append(near, ranked{k, distance})
		}
	}
	slices.SortFunc(near, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name)) })
	var names []string
	for _, r := range near[:min(len(near), most)] {
		names = append(names, r.name)
	}
	return names
}
