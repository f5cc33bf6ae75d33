package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"redoubt/automation/backend"
)

// NewEnvironment describes a stack to be ordered.
type NewEnvironment struct {
	// ProjectID is a project's id, or "org/name".
	ProjectID string
	// Name is the stack's, in the backend's grammar.
	Name string
	// Blueprint is a name of the catalogue; BlueprintVersion is empty for the newest.
	Blueprint, BlueprintVersion string
	Inputs                      json.RawMessage
	Labels                      map[string]string
	// TTL is how long it lives; 0 for ever.
	TTL time.Duration
	// Protected keeps it from being destroyed until somebody takes that back; nil
	// for yes, or no where it has a TTL.
	Protected *bool
	// Options are the first operation's.
	Options OperationOptions
	// Trace is the W3C traceparent of the request.
	Trace string
}

// CreateEnvironment makes a stack of a blueprint and orders its first update, all
// in one transaction. The backend's stack is protected whatever Protected says:
// people's own CLI may preview it, and only ordered operations change it.
func (s *Service) CreateEnvironment(ctx context.Context, p Principal, n NewEnvironment) (Environment, Operation, error) {
	var project Project
	var quota Quota
	if err := s.read(ctx, func(tx Tx) (err error) {
		if project, err = findProject(tx, n.ProjectID); err != nil {
			return err
		}
		quota, err = s.quota(tx, project)
		return err
	}); err != nil {
		return Environment{}, Operation{}, err
	}
	draft := Environment{
		ProjectID: project.ID, Name: backend.StackName{Org: project.Org, Project: project.Name, Stack: n.Name},
		Labels: n.Labels, Owner: p.Human, Protected: n.TTL == 0, Version: 1,
	}
	if draft.Owner == "" {
		draft.Owner = p.Name
	}
	if n.Protected != nil {
		draft.Protected = *n.Protected
	}
	on := draft.resource()
	on.TTL = n.TTL > 0
	if err := s.allow(ctx, p, ActionApply, on, named("project", n.ProjectID)); err != nil {
		return Environment{}, Operation{}, err
	}
	var f findings
	b, found := s.findings(&f, project, quota, n)
	var inputs json.RawMessage
	if found {
		given, masks := unmasked(b.SecretInputs, n.Inputs, nil)
		complete, wrong := checkInputs(b, given)
		if err := s.checkReferences(ctx, p, b, complete, &wrong); err != nil {
			return Environment{}, Operation{}, err
		}
		inputs, f = complete, append(append(f, masks...), wrong...)
	}
	if err := f.err(); err != nil {
		return Environment{}, Operation{}, err
	}
	stack, err := s.backend.PrepareStack(ctx, draft.Name, stackTags(b.Name), true)
	if err != nil {
		return Environment{}, Operation{}, public(err)
	}
	draft.ID, draft.Blueprint = stack.ID, b.BlueprintRef
	if draft.Inputs, err = s.sealed(stack.ID, b, stack.Seal, inputs); err != nil {
		return Environment{}, Operation{}, err
	}
	first := Operation{ID: newID("op"), Kind: KindUp, Options: n.Options, Trace: n.Trace, Blueprint: draft.Blueprint, Inputs: draft.Inputs}
	var env Environment
	var o Operation
	err = s.write(ctx, func(tx Tx) error {
		env, o = draft, first
		fresh, err := tx.Project(project.ID)
		if err != nil {
			return absent(err, named("project", n.ProjectID))
		}
		if err := fresh.Settings.thawed(KindUp, tx.Now()); err != nil {
			return err
		}
		if err := stack.Write(tx); err != nil {
			return err
		}
		env.CreatedAt = stack.CreatedAt
		if n.TTL > 0 {
			env.ExpiresAt = env.CreatedAt.Add(n.TTL)
			env.Warned = warned(n.TTL)
			env.due()
		}
		if err := countAlone(tx); err != nil {
			return err
		}
		if err := s.stackLeft(tx, fresh); err != nil {
			return err
		}
		if err := tx.CreateEnvironment(env); err != nil {
			return err
		}
		if err := recordBy(tx, p, "stack.create", env.Name.String(), map[string]string{
			"id": env.ID, "blueprint": b.Name + " " + b.Version, "owner": env.Owner, "protected": fmt.Sprint(env.Protected),
		}); err != nil {
			return err
		}
		if err := notify(tx, env.Name.Org, env.ProjectID, "stack.created", map[string]string{
			"stack_id": env.ID, "stack": env.Name.String(), "url": "/v1/stacks/" + env.ID,
		}); err != nil {
			return err
		}
		return s.create(tx, p, fresh, env, &o)
	})
	if err != nil {
		return Environment{}, Operation{}, err
	}
	stack.Written()
	s.wake(ctx, o)
	s.changed.tell(o.ID)
	return env, o, nil
}

// stackTags are the backend's, by which the stock CLI's lists show what it is.
func stackTags(blueprint string) map[string]string {
	return map[string]string{"redoubt:blueprint": blueprint}
}

// findings finds what is wrong with an order of a stack but its inputs, and
// returns the blueprint where there is one.
func (s *Service) findings(f *findings, project Project, quota Quota, n NewEnvironment) (b Blueprint, found bool) {
	nameFindings(f, backend.StackName{Org: project.Org, Project: project.Name, Stack: n.Name})
	checkLabels(f, n.Labels)
	n.Options.check(f, KindUp)
	b, err := s.catalog.Blueprint(n.Blueprint, n.BlueprintVersion)
	switch {
	case err != nil && n.BlueprintVersion != "":
		f.add("/blueprint", "there is no blueprint %.100q with version %.40q", n.Blueprint, n.BlueprintVersion)
	case err != nil:
		f.add("/blueprint", "there is no blueprint %.100q", n.Blueprint)
	case !project.Settings.allows(b.Name):
		f.add("/blueprint", "project %s/%s does not allow blueprint %s", project.Org, project.Name, b.Name)
	}
	if n.TTL > 0 && n.Protected != nil && *n.Protected {
		f.add("/protected", "a stack with a TTL is destroyed at its end: it cannot be protected")
	}
	if most := longestLife(quota, b); n.TTL < 0 || n.TTL > 0 && n.TTL < minPeriod {
		f.add("/ttl", "is %s: at least %s, or 0 for ever", n.TTL, minPeriod)
	} else if most > 0 && (n.TTL == 0 || n.TTL > most) {
		f.add("/ttl", "must be at most %s, by the blueprint or the project's quota", most)
	}
	return b, err == nil
}

// longestLife is the longest time that a stack may live; 0 for no bound.
func longestLife(q Quota, b Blueprint) time.Duration {
	most := q.MaxTTL
	if limit := time.Duration(b.Limits.MaxTTLHours) * time.Hour; limit > 0 && (most == 0 || limit < most) {
		most = limit
	}
	return most
}

// checkLabels finds what is wrong with labels.
func checkLabels(f *findings, labels map[string]string) {
	const most = 50
	if len(labels) > most {
		f.add("/labels", "has %d labels: at most %d", len(labels), most)
		return
	}
	for name, value := range labels {
		if err := backend.CheckTags(map[string]string{name: value}); err != nil {
			f.add("/labels"+pointer([]string{name}), "%s", err)
		}
	}
}

// Environment returns an environment by its id or as "org/project/stack".
func (s *Service) Environment(ctx context.Context, p Principal, id string) (Environment, error) {
	env, err := s.environmentFor(ctx, p, id, ActionRead)
	if err != nil {
		return Environment{}, err
	}
	return env, nil
}

// Environments returns a page of the environments that somebody may read, and
// where the next one starts; empty for the last.
func (s *Service) Environments(ctx context.Context, p Principal, q EnvironmentQuery) ([]Environment, string, error) {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return nil, "", err
	}
	return collect(page(q.Limit), q.After, func(after string, n int) (found []Environment, err error) {
		q.After, q.Limit = after, n
		err = s.read(ctx, func(tx Tx) (err error) { found, err = tx.Environments(q); return err })
		return found, err
	}, func(env Environment) (id string, readable bool, err error) {
		d, err := judge(ActionRead, env.resource())
		return env.ID, d.Allowed, err
	})
}

// EnvironmentPatch changes an environment; nil leaves what is there.
type EnvironmentPatch struct {
	// Labels replace all of them.
	Labels    map[string]string
	Protected *bool
}

// UpdateEnvironment changes an environment of the version that the caller has
// seen; 0 for whatever there is.
func (s *Service) UpdateEnvironment(ctx context.Context, p Principal, id string, version int64, patch EnvironmentPatch) (Environment, error) {
	return s.changeEnvironment(ctx, p, id, version, "stack.update", func(_ Tx, env *Environment) (map[string]string, error) {
		var f findings
		checkLabels(&f, patch.Labels)
		if patch.Protected != nil && *patch.Protected && !env.ExpiresAt.IsZero() {
			f.add("/protected", "the stack has an end, at which it would not be destroyed: take its TTL away first")
		}
		if err := f.err(); err != nil {
			return nil, err
		}
		if patch.Labels != nil {
			env.Labels = patch.Labels
		}
		if patch.Protected != nil {
			env.Protected = *patch.Protected
		}
		return map[string]string{"labels": fmt.Sprint(len(env.Labels)), "protected": fmt.Sprint(env.Protected)}, nil
	})
}

// changeEnvironment lets somebody who manages the stack change it: in one
// transaction with its entry in the audit log, whose details change returns.
func (s *Service) changeEnvironment(ctx context.Context, p Principal, id string, version int64, action string, change func(Tx, *Environment) (map[string]string, error)) (Environment, error) {
	env, err := s.environmentFor(ctx, p, id, ActionManageStack)
	if err != nil {
		return Environment{}, err
	}
	var changed Environment
	err = s.write(ctx, func(tx Tx) error {
		fresh, err := tx.LockEnvironment(env.ID)
		if err == nil && !fresh.DeletedAt.IsZero() {
			err = backend.ErrNotFound
		}
		if err != nil {
			return absent(err, named("stack", env.Name.String()))
		}
		if err := sameVersion(version, fresh.Version); err != nil {
			return err
		}
		detail, err := change(tx, &fresh)
		if err != nil {
			return err
		}
		if err := tx.SaveEnvironment(&fresh); err != nil {
			return err
		}
		changed = fresh
		return recordBy(tx, p, action, fresh.Name.String(), detail)
	})
	if err != nil {
		return Environment{}, err
	}
	return changed, nil
}

// SetLock keeps operations out of a stack, with a reason that everybody sees who
// orders one.
func (s *Service) SetLock(ctx context.Context, p Principal, id, reason string) (Environment, error) {
	return s.changeEnvironment(ctx, p, id, 0, "stack.lock", func(tx Tx, env *Environment) (map[string]string, error) {
		var f findings
		f.text("/reason", reason, 1, 500)
		if err := f.err(); err != nil {
			return nil, err
		}
		if env.Lock != nil && env.Lock.By != p.Name {
			return nil, Fail(CodeConflict, "stack %s is locked already, by %s: %s", env.Name, env.Lock.By, env.Lock.Reason)
		}
		env.Lock = &MaintenanceLock{By: p.Name, Reason: reason, At: tx.Now()}
		return map[string]string{"reason": reason}, nil
	})
}

// ClearLock lets operations in again. Nothing happens where there is no lock.
func (s *Service) ClearLock(ctx context.Context, p Principal, id string) (Environment, error) {
	return s.changeEnvironment(ctx, p, id, 0, "stack.unlock", func(_ Tx, env *Environment) (map[string]string, error) {
		detail := map[string]string{}
		if env.Lock != nil {
			detail["by"], detail["reason"] = env.Lock.By, env.Lock.Reason
		}
		env.Lock = nil
		return detail, nil
	})
}
