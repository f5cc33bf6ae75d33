package replay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// forgetMissing takes references to resources that are not there, or not yet at
// that place of the list, out of the resources: a refresh removes resources that
// others still name.
func forgetMissing(resources []*resource) {
	seen := make(map[string]bool, len(resources))
	missing := func(u string) bool { return !seen[u] }
	for _, r := range resources {
		if list, changed := without(r.dependencies, missing); changed {
			r.dependencies = list
			r.changed |= fieldDependencies
		}
		if list, changed := without(r.replaceWith, missing); changed {
			r.replaceWith = list
			r.changed |= fieldReplaceWith
			r.features.put(featureReplaceWith, len(list) > 0)
		}
		r.forgetProperties(missing)
		if r.deletedWith != "" && missing(r.deletedWith) {
			r.deletedWith = ""
			r.changed |= fieldDeletedWith
		}
		seen[r.urn] = true
	}
	// Parents may stand anywhere in the list.
	for _, r := range resources {
		if r.parent != "" && missing(r.parent) {
			r.parent = ""
			r.changed |= fieldParent
		}
	}
}

// forgetProperties does it for propertyDependencies; a property that depends on
// nothing leaves the map.
func (r *resource) forgetProperties(missing func(string) bool) {
	var kept []propertyDependency
	differs := false
	for _, p := range r.propertyDependencies {
		urns, changed := without(p.urns, missing)
		differs = differs || changed || len(urns) == 0
		if len(urns) > 0 {
			kept = append(kept, propertyDependency{p.key, urns})
		}
	}
	if differs {
		r.propertyDependencies = kept
		r.changed |= fieldPropertyDependencies
	}
}

func without(list []string, drop func(string) bool) (kept []string, changed bool) {
	if !slices.ContainsFunc(list, drop) {
		return list, false
	}
	return slices.DeleteFunc(slices.Clone(list), drop), true
}

// normalize replaces URNs that resources once had, their aliases, by those that
// they have: after that nothing needs to be looked up, and the aliases go. A
// child of a resource that changed its type has a new URN too.
func (f *folder) normalize(d *deployment) error {
	now, err := f.aliases(d.resources)
	if err != nil {
		return err
	}
	if len(now) > 0 {
		for _, r := range d.resources {
			r.rename(now)
		}
		for _, s := range d.snippets {
			for i, ref := range s.references {
				if u, ok := now[ref.urn]; ok && u != ref.urn {
					s.references[i].urn, s.changed = u, true
				}
			}
		}
	}
	for _, r := range d.resources {
		if len(r.aliases) > 0 {
			r.aliases = nil
			r.changed |= fieldAliases
		}
	}
	return nil
}

// aliases maps the URNs that resources once had to the ones they have.
func (f *folder) aliases(resources []*resource) (map[string]string, error) {
	now := map[string]string{}
	for _, r := range resources {
		for _, alias := range r.aliases {
			if other, taken := now[alias]; taken && other != r.urn {
				if err := f.drop(fmt.Errorf("resources %s and %s both say that they were %s", other, r.urn, alias)); err != nil {
					return nil, err
				}
				continue
			}
			if alias != "" {
				now[alias] = r.urn
			}
		}
		parent, moved := now[r.parent]
		if !moved || !strings.HasPrefix(parent, urn.Prefix) || !strings.HasPrefix(r.urn, urn.Prefix) {
			continue
		}
		if t := urn.URN(parent).QualifiedType(); t != tokens.RootStackType {
			u := urn.URN(r.urn)
			now[r.urn] = string(urn.New(u.Stack(), u.Project(), t, u.Type(), u.Name()))
		}
	}
	return now, nil
}

// rename replaces the resource's own URN and those it refers to, by a map.
func (r *resource) rename(now map[string]string) {
	one := func(s *string, field fieldSet) {
		if u, ok := now[*s]; ok && u != *s {
			*s = u
			r.changed |= field
		}
	}
	all := func(list []string, field fieldSet) {
		for i := range list {
			one(&list[i], field)
		}
	}
	one(&r.urn, fieldURN)
	one(&r.parent, fieldParent)
	one(&r.deletedWith, fieldDeletedWith)
	one(&r.viewOf, fieldViewOf)
	all(r.dependencies, fieldDependencies)
	for _, p := range r.propertyDependencies {
		all(p.urns, fieldPropertyDependencies)
	}
	if u, id, ok := splitProvider(r.provider); ok {
		if renamed, has := now[u]; has && renamed != u {
			r.provider = renamed + urn.NameDelimiter + id
			r.changed |= fieldProvider
		}
	}
}

// splitProvider takes a reference to a provider apart: its URN, "::" and its id.
func splitProvider(s string) (providerURN, id string, ok bool) {
	i := strings.LastIndex(s, urn.NameDelimiter)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+len(urn.NameDelimiter):], true
}
