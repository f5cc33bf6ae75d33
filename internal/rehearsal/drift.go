package rehearsal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Drift changes a property of a live resource behind Pulumi's back, as somebody
// at the AWS console would. The selector is the resource's id, ARN, URN or
// logical name, or its type and id with a space between, and must mean one
// resource only: a bucket's settings share its id. The path is a property or a
// dotted path into one ("tags.owner", "rules[0].priority"); its parent must be
// there.
func (a *Account) Drift(selector, path string, v resource.PropertyValue) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.pick(selector)
	if err != nil {
		return err
	}
	at, err := resource.ParsePropertyPath(path)
	if err != nil {
		return fmt.Errorf("rehearsal: drift of %s: path %q: %w", r.id, path, err)
	}
	top, ok := at[0].(string)
	if !ok {
		return fmt.Errorf("rehearsal: drift of %s: path %q must begin with a property's name", r.id, path)
	}
	s := schemaOf(r.typ)
	_, isInput := s.inputs[top]
	_, isOutput := s.outputs[top]
	if !isInput && !isOutput {
		return fmt.Errorf("rehearsal: drift of %s: %s has no property %q; it has %s", r.id, r.typ, top, strings.Join(names(s.inputs), ", "))
	}
	changed := &record{key: r.key, urn: r.urn, birth: r.birth, inputs: cloneMap(r.inputs), outputs: cloneMap(r.outputs)}
	if !set(changed.outputs, at, v) {
		return fmt.Errorf("rehearsal: drift of %s: there is nothing at %q to change; its parent is not set", r.id, path)
	}
	if isInput {
		set(changed.inputs, at, v)
	}
	if top == "tags" && len(at) > 1 { // a tag is a tag in the merged view, too
		merged := append(resource.PropertyPath{"tagsAll"}, at[1:]...)
		set(changed.outputs, merged, v)
		set(changed.inputs, merged, v)
	}
	return a.put(changed)
}

// Vanish deletes a live resource behind Pulumi's back, whatever uses it.
func (a *Account) Vanish(selector string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.pick(selector)
	if err != nil {
		return err
	}
	return a.remove(r)
}

// pick is the one live resource that a selector means.
func (a *Account) pick(selector string) (*record, error) {
	var found []*record
	for _, r := range a.live {
		if r.id == selector || r.typ+" "+r.id == selector || r.urn == selector || r.arn() == selector && selector != "" || resource.URN(r.urn).Name() == selector {
			found = append(found, r)
		}
	}
	sortRecords(found)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("rehearsal: no live resource has the id, ARN, URN or name %q", selector)
	}
	means := make([]string, len(found))
	for i, r := range found {
		means[i] = r.typ + " " + r.id
	}
	return nil, fmt.Errorf("rehearsal: %q means %d live resources (%s); name one by its URN, or by its type and id", selector, len(found), strings.Join(means, ", "))
}

// set puts a value at a path, and keeps a secret secret.
func set(m resource.PropertyMap, at resource.PropertyPath, v resource.PropertyValue) bool {
	if old, ok := at.Get(resource.NewProperty(m)); ok && old.IsSecret() && !v.IsSecret() {
		v = resource.MakeSecret(v)
	}
	return at.Set(resource.NewProperty(m), clone(v))
}

func names(m map[string]property) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func sortRecords(rs []*record) {
	slices.SortFunc(rs, func(a, b *record) int { return a.key.compare(b.key) })
}
