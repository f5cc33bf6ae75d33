package stack

import (
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// served is which components of this run made something, from which follows
// what serves each bullet. It watches what is registered instead of asking the
// layers, so that nothing can be forgotten, nor claimed by a component that is
// switched off.
type served struct {
	mu         sync.Mutex
	parents    map[pulumi.Resource]pulumi.Resource
	components map[pulumi.Resource]guide.Component
	made       map[pulumi.Resource]bool
}

// watch sees every resource that is registered from now on. It is a
// transformation that changes nothing.
func watch(ctx *pulumi.Context) (*served, error) {
	tokens := map[string]guide.Component{}
	for _, c := range Components() {
		tokens[c.Token] = c
	}
	w := &served{
		parents:    map[pulumi.Resource]pulumi.Resource{},
		components: map[pulumi.Resource]guide.Component{},
		made:       map[pulumi.Resource]bool{},
	}
	return w, ctx.RegisterStackTransformation(func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		opts, err := pulumi.NewResourceOptions(args.Opts...)
		if err != nil {
			return nil // the registration itself reports options that are wrong
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.parents[args.Resource] = opts.Parent
		if c, ok := tokens[args.Type]; ok {
			w.components[args.Resource] = c
			return nil
		}
		for at := opts.Parent; at != nil; at = w.parents[at] {
			w.made[at] = true
		}
		return nil
	})
}

// report is the URNs of what serves each bullet. URNs are outputs, known at
// preview too; they are sorted, because registration is a race.
func (w *served) report() pulumi.Map {
	w.mu.Lock()
	defer w.mu.Unlock()
	urns := map[guide.ID][]any{}
	for r, c := range w.components {
		if !w.made[r] {
			continue
		}
		for _, id := range c.Serves {
			urns[id] = append(urns[id], r.URN())
		}
	}
	out := pulumi.Map{}
	for id, list := range urns {
		out[string(id)] = pulumi.All(list...).ApplyT(func(values []any) []string {
			sorted := make([]string, 0, len(values))
			for _, v := range values {
				sorted = append(sorted, string(v.(pulumi.URN)))
			}
			slices.Sort(sorted)
			return sorted
		})
	}
	return out
}
