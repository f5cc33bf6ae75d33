package cedar

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"redoubt/automation/provision"
)

// everything is the scope of the whole installation.
const everything = "*"

// parts are the names that a resource has, from the organization on, in small
// letters. A name below one that is missing is a mistake of the program.
func parts(on provision.Resource) ([]string, error) {
	names := []string{strings.ToLower(on.Org), strings.ToLower(on.Project), strings.ToLower(on.Stack)}
	n := 3
	for n > 0 && names[n-1] == "" {
		n--
	}
	if slices.Contains(names[:n], "") {
		return nil, fmt.Errorf("a resource has a stack or a project and not what it is in: %q/%q/%q", on.Org, on.Project, on.Stack)
	}
	if slices.ContainsFunc(names[:n], func(s string) bool { return strings.Contains(s, "/") }) {
		return nil, fmt.Errorf("a name of a resource has a slash, and could be taken for another's: %q/%q/%q", on.Org, on.Project, on.Stack)
	}
	return names[:n], nil
}

// covers says whether a binding's scope has the resource of these names in it. A
// scope of an organization has its projects and stacks in it; one of a project
// does not have the organization.
func covers(scope string, names []string) bool {
	if scope == everything {
		return true
	}
	patterns := strings.Split(strings.ToLower(scope), "/")
	if len(patterns) > len(names) {
		return false
	}
	for i, pattern := range patterns {
		if ok, err := path.Match(pattern, names[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// Subjects are what bindings may call a principal: itself and its groups.
func Subjects(p provision.Principal) []string {
	subjects := make([]string, 0, 1+len(p.Groups))
	subjects = append(subjects, string(p.Kind)+":"+p.Name)
	for _, g := range p.Groups {
		subjects = append(subjects, "group:"+g)
	}
	return subjects
}

// roles are those that a principal has on the resource of these names.
func roles(p provision.Principal, bindings []provision.Binding, names []string, now time.Time) []provision.Role {
	var found []provision.Role
	add := func(r provision.Role) {
		if !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	subjects := Subjects(p)
	for _, b := range bindings {
		if !slices.Contains(subjects, b.Subject) || !b.Expires.IsZero() && !now.Before(b.Expires) || !covers(b.Scope, names) {
			continue
		}
		if slices.Contains(provision.Roles, b.Role) {
			add(b.Role)
		}
	}
	// The bearer of the token that an installation starts with is an org_admin
	// without a binding, who can make the first one.
	if p.AuthMethod != "oidc" && p.Caller.Administers() {
		add(provision.OrgAdmin)
	}
	return found
}
