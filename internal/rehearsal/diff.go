package rehearsal

import (
	"context"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

func (p *provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	c, end, err := p.begin(opDiff, string(req.Type), string(req.URN))
	if err != nil {
		return plugin.DiffResponse{}, err
	}
	defer end()
	d := compare(req.OldInputs, req.NewInputs, req.IgnoreChanges, c.kind.replacedBy)
	d.DeleteBeforeReplace = d.Replace() && sameGivenName(c.kind.token, req.OldInputs, req.NewInputs)
	return d, nil
}

// compare is the difference of two sets of inputs. Secrets are compared by
// value; what is not known yet counts as changed.
func compare(olds, news resource.PropertyMap, ignore []string, replaces func(property string) bool) plugin.DiffResult {
	olds, news = withoutMarks(plainMap(olds)), withoutMarks(plainMap(news))
	none := plugin.DiffResult{Changes: plugin.DiffNone}
	diff := olds.Diff(news)
	if diff == nil {
		return none
	}
	detailed := plugin.NewDetailedDiffFromObjectDiff(diff, true)
	changed := map[string]bool{}
	for path, one := range detailed {
		if ignored(path, ignore) {
			delete(detailed, path)
			continue
		}
		top := topLevel(path)
		changed[top] = true
		if replaces(top) {
			detailed[path] = one.ToReplace()
		}
	}
	if len(detailed) == 0 {
		return none
	}
	out := plugin.DiffResult{Changes: plugin.DiffSome, DetailedDiff: detailed}
	for top := range changed {
		out.ChangedKeys = append(out.ChangedKeys, resource.PropertyKey(top))
		if replaces(top) {
			out.ReplaceKeys = append(out.ReplaceKeys, resource.PropertyKey(top))
		}
	}
	slices.Sort(out.ChangedKeys)
	slices.Sort(out.ReplaceKeys)
	return out
}

// replacedBy is true if a change of an input makes a new resource.
func (k *kind) replacedBy(property string) bool {
	switch {
	case slices.Contains(k.updates, property):
		return false
	case slices.Contains(k.replaces, property):
		return true
	}
	if n, ok := autonameOf(k.token); ok && (n.property == property || n.property+"Prefix" == property) {
		return true
	}
	return schemaOf(k.token).inputs[property].replaces
}

// sameGivenName is true if the program gives the name itself and keeps it: then
// the old resource must go before the new one can take the name.
func sameGivenName(token string, olds, news resource.PropertyMap) bool {
	n, ok := autonameOf(token)
	if !ok || !has(news, n.property) {
		return false
	}
	if slices.Contains(stringsAt(news, defaultsKey+"[*]"), n.property) {
		return false
	}
	property := resource.PropertyKey(n.property)
	return plainDeep(olds[property]).DeepEquals(plainDeep(news[property]))
}

func withoutMarks(m resource.PropertyMap) resource.PropertyMap {
	delete(m, defaultsKey)
	return m
}

// ignored is true for a path that the program's ignoreChanges covers. The engine
// has put the old values back already; this holds for other callers.
func ignored(path string, ignore []string) bool {
	at, err := resource.ParsePropertyPath(path)
	if err != nil {
		return false
	}
	for _, pattern := range ignore {
		if pattern == path {
			return true
		}
		if p, err := resource.ParsePropertyPath(pattern); err == nil && p.Contains(at) {
			return true
		}
	}
	return false
}

// topLevel is the first property of a path.
func topLevel(path string) string {
	if p, err := resource.ParsePropertyPath(path); err == nil && len(p) > 0 {
		if name, ok := p[0].(string); ok {
			return name
		}
	}
	name, _, _ := strings.Cut(path, ".")
	return name
}
