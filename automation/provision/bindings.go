package provision

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"redoubt/automation/backend"
)

// NewBinding describes a binding to be made.
type NewBinding struct {
	// Subject is "user:<name>", "service_account:<name>" or "group:<name>".
	Subject string
	Role    Role
	// Scope is "org", "org/project" or "org/project/stack", or "*" for everything.
	Scope string
	// Lifetime is 0 for ever; a break-glass role has one.
	Lifetime time.Duration
}

// CreateBinding gives a role to somebody. Who manages a project may give roles in
// it, but for org_admin; everything else takes who manages the organization.
func (s *Service) CreateBinding(ctx context.Context, p Principal, n NewBinding) (Binding, error) {
	if err := s.mayBind(ctx, p, n.Role, n.Scope); err != nil {
		return Binding{}, err
	}
	var f findings
	n.check(&f)
	if err := f.err(); err != nil {
		return Binding{}, err
	}
	if breaksAlone(p, n) {
		return Binding{}, s.refuse(ctx, p, ActionManageSettings, n.Scope,
			"a role with an end is a break-glass role, which takes a second person: have another administrator give it to "+n.Subject, nil)
	}
	b := Binding{ID: newID("bnd"), Subject: n.Subject, Role: n.Role, Scope: n.Scope, CreatedBy: p.Name, Version: 1}
	err := s.write(ctx, func(tx Tx) error {
		b.CreatedAt, b.Expires = tx.Now(), time.Time{}
		if n.Lifetime > 0 {
			b.Expires = b.CreatedAt.Add(n.Lifetime)
		}
		if err := countAlone(tx); err != nil {
			return err
		}
		same, err := tx.Bindings(n.Subject)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(same, func(old Binding) bool {
			return old.Role == b.Role && old.Scope == b.Scope && (old.Expires.IsZero() || old.Expires.After(b.CreatedAt))
		}) {
			return Fail(CodeConflict, "%s has role %s in %s already", n.Subject, n.Role, n.Scope)
		}
		if err := tx.CreateBinding(b); err != nil {
			return err
		}
		if err := tellBreakGlass(tx, p, b); err != nil {
			return err
		}
		action := "binding.create"
		if n.Lifetime > 0 {
			action = "binding.break_glass"
		}
		return recordBy(tx, p, action, n.Scope, map[string]string{
			"id": b.ID, "subject": b.Subject, "role": string(b.Role), "lifetime": n.Lifetime.String(),
		})
	})
	if err != nil {
		return Binding{}, err
	}
	return b, nil
}

func (n NewBinding) check(f *findings) {
	kind, name, _ := strings.Cut(n.Subject, ":")
	if !slices.Contains([]string{string(Human), string(ServiceAccount), "group"}, kind) || name == "" {
		f.add("/subject", "must be user:<name>, service_account:<name> or group:<name>")
	}
	f.text("/subject", n.Subject, 1, 300)
	if !slices.Contains(Roles, n.Role) {
		f.add("/role", "%.40q is no role: one of %q", n.Role, Roles)
	}
	if n.Lifetime < 0 {
		f.add("/lifetime", "is %s: 0 for ever", n.Lifetime)
	}
	parts := strings.Split(n.Scope, "/")
	if n.Scope == "" || len(parts) > 3 || slices.Contains(parts, "") || len(n.Scope) > 300 {
		f.add("/scope", "must be an organization, organization/project or organization/project/stack, or * for everything")
	} else if _, err := path.Match(n.Scope, ""); err != nil {
		f.add("/scope", "is no pattern: %s", err)
	}
	f.text("/scope", n.Scope, 0, 300)
}

// mayBind says whether somebody may give a role in a scope, or take it away.
func (s *Service) mayBind(ctx context.Context, p Principal, role Role, scope string) error {
	on, actions := bindable(role, scope)
	return s.allowAny(ctx, p, actions, on, on.noun())
}

// bindable is the narrowest thing that has all of a scope in it, and what somebody
// must be allowed there.
func bindable(role Role, scope string) (on Resource, actions []Action) {
	actions = []Action{ActionManageSettings}
	parts := strings.Split(scope, "/")
	named := func(i int) bool { return len(parts) > i && parts[i] != "" && !strings.ContainsAny(parts[i], `*?[\`) }
	if !named(0) {
		return on, actions
	}
	on.Org = parts[0]
	if named(1) {
		on.Project = parts[1]
		if role != OrgAdmin {
			actions = append(actions, ActionManageProject)
		}
	}
	return on, actions
}

// Bindings returns the bindings that somebody may give and take away.
func (s *Service) Bindings(ctx context.Context, p Principal) ([]Binding, error) {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return nil, err
	}
	var all []Binding
	if err := s.read(ctx, func(tx Tx) (err error) { all, err = tx.Bindings(); return err }); err != nil {
		return nil, err
	}
	found := []Binding{}
	for _, b := range all {
		on, actions := bindable(b.Role, b.Scope)
		for _, a := range actions {
			d, err := judge(a, on)
			if err != nil {
				return nil, err
			}
			if d.Allowed {
				found = append(found, b)
				break
			}
		}
	}
	return found, nil
}

// DeleteBinding takes a role away, at once.
func (s *Service) DeleteBinding(ctx context.Context, p Principal, id string) error {
	var b Binding
	err := s.read(ctx, func(tx Tx) error {
		all, err := tx.Bindings()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(b Binding) bool { return b.ID == id })
		if i < 0 {
			return Fail(CodeNotFound, "there is no %s", named("binding", id))
		}
		b = all[i]
		return nil
	})
	if err != nil {
		return err
	}
	on, actions := bindable(b.Role, b.Scope)
	if err := s.allowAny(ctx, p, actions, on, named("binding", id)); err != nil {
		return err
	}
	return s.write(ctx, func(tx Tx) error {
		if err := tx.DeleteBinding(id); err != nil {
			if errors.Is(err, backend.ErrNotFound) {
				return nil // somebody else was faster
			}
			return err
		}
		return recordBy(tx, p, "binding.delete", b.Scope, map[string]string{"id": b.ID, "subject": b.Subject, "role": string(b.Role)})
	})
}
