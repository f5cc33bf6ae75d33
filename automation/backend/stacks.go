package backend

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"redoubt/automation/backend/replay"
)

// stackFor finds a stack for a verb. Who may not even read it is told that it
// does not exist.
func (s *Service) stackFor(ctx context.Context, by Caller, v Verb, name StackName) (Stack, error) {
	if err := CheckStackName(name); err != nil {
		return Stack{}, err
	}
	var stack Stack
	err := s.store.View(ctx, func(tx Tx) (err error) { stack, err = tx.Stack(name); return err })
	if errors.Is(err, ErrNotFound) {
		return Stack{}, Fail(CodeNotFound, "there is no stack %s", name)
	}
	if err == nil {
		err = s.authorized(ctx, by, v, name)
	}
	if err != nil {
		return Stack{}, err
	}
	return stack, nil
}

// NewStack describes a stack to be made.
type NewStack struct {
	Name StackName
	Tags map[string]string
	// State is the first state, an apitype.UntypedDeployment as JSON; nil for
	// none.
	State json.RawMessage
}

// CreateStack makes a stack with a key of its own.
func (s *Service) CreateStack(ctx context.Context, by Caller, n NewStack) (Stack, error) {
	if err := errors.Join(CheckStackName(n.Name), CheckTags(n.Tags)); err != nil {
		return Stack{}, joined(err)
	}
	if n.State != nil {
		if err := checkDeployment(n.State); err != nil {
			return Stack{}, err
		}
	}
	if !by.May(Write, n.Name) {
		return Stack{}, s.refuse(ctx, by, "stack.create", n.Name.String(), "the token may not create stack "+n.Name.String())
	}
	if err := s.authorizedAs(ctx, by, "stack.create", Write, n.Name); err != nil {
		return Stack{}, err
	}
	stack := Stack{ID: newID("stk"), Name: n.Name, Tags: n.Tags}
	key, keys, err := s.keys.fresh(ctx, stack.ID, 1)
	if err != nil {
		return Stack{}, err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Organization(n.Name.Org); err != nil {
			return missing(err, "there is no organization %s (an administrator makes one with `redoubt org create`)", quoted(n.Name.Org))
		}
		stack.CreatedAt, key.CreatedAt = tx.Now(), tx.Now()
		if err := tx.CreateStack(stack); err != nil {
			if errors.Is(err, ErrExists) {
				// The CLI knows these words.
				return Fail(CodeConflict, "stack %s already exists", n.Name)
			}
			return err
		}
		if err := tx.PutDataKey(key); err != nil {
			return err
		}
		if n.State != nil {
			if err := putState(tx, keys, &stack, n.State); err != nil {
				return err
			}
			if err := tx.SaveStack(stack); err != nil {
				return err
			}
		}
		return record(tx, by, "stack.create", n.Name.String(), map[string]string{"id": stack.ID})
	})
	if err == nil {
		s.keys.put(keys)
	}
	return stack, err
}

// joined makes one Error of several.
func joined(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Code: e.Code, Message: err.Error()}
}

// Stack returns a stack, and its running update if there is one.
func (s *Service) Stack(ctx context.Context, by Caller, name StackName) (Stack, *Update, error) {
	stack, err := s.stackFor(ctx, by, Read, name)
	if err != nil || stack.ActiveUpdate == "" {
		return stack, nil, err
	}
	var active Update
	err = s.store.View(ctx, func(tx Tx) (err error) { active, err = tx.Update(stack.ActiveUpdate); return err })
	return stack, &active, err
}

// ListStacks returns a page of the stacks that the caller may read, and where
// the next one starts; empty for the last.
func (s *Service) ListStacks(ctx context.Context, by Caller, q StackQuery) (page []Stack, next string, err error) {
	const pageSize = 200
	for {
		q.Limit = pageSize
		var found []Stack
		if err := s.store.View(ctx, func(tx Tx) (err error) { found, err = tx.Stacks(q); return err }); err != nil {
			return nil, "", err
		}
		for _, stack := range found {
			answer, err := s.authorize(ctx, by, Read, stack.Name)
			if err != nil {
				return nil, "", err
			}
			if answer.allowed {
				page = append(page, stack)
			}
		}
		if len(found) < pageSize {
			return page, "", nil
		}
		q.After = found[len(found)-1].ID
		if len(page) >= pageSize/2 {
			return page, q.After, nil
		}
	}
}

// ProjectExists says whether an organization has a stack of a project.
func (s *Service) ProjectExists(ctx context.Context, by Caller, org, project string) (exists bool, err error) {
	if !by.mayInOrg(Read, org) {
		return false, nil
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { exists, err = tx.ProjectExists(org, project); return err })
	return exists, err
}

// SetTags replaces a stack's tags.
func (s *Service) SetTags(ctx context.Context, by Caller, name StackName, tags map[string]string) error {
	if err := CheckTags(tags); err != nil {
		return err
	}
	return s.change(ctx, by, Write, name, "stack.tag", nil, func(_ Tx, stack *Stack) error {
		stack.Tags = tags
		return nil
	})
}

// Protect makes a stack take updates only from tokens that may apply to
// protected stacks, or takes that back.
func (s *Service) Protect(ctx context.Context, by Caller, name StackName, protected bool) error {
	action := map[bool]string{true: "stack.protect", false: "stack.unprotect"}[protected]
	return s.change(ctx, by, Admin, name, action, nil, func(_ Tx, stack *Stack) error {
		stack.Protected = protected
		return nil
	})
}

// change writes a stack in one transaction with its audit entry.
func (s *Service) change(ctx context.Context, by Caller, v Verb, name StackName, action string, detail map[string]string, do func(Tx, *Stack) error) error {
	stack, err := s.stackFor(ctx, by, v, name)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		fresh, err := tx.LockStack(stack.ID)
		if err != nil {
			return missing(err, "there is no stack %s", name)
		}
		if err := do(tx, &fresh); err != nil {
			return err
		}
		if err := tx.SaveStack(fresh); err != nil {
			return err
		}
		return record(tx, by, action, name.String(), detail)
	})
}

// DeleteStack deletes a stack; force deletes one that has resources.
func (s *Service) DeleteStack(ctx context.Context, by Caller, name StackName, force bool) error {
	stack, err := s.stackFor(ctx, by, Write, name)
	if err != nil {
		return err
	}
	if stack.Protected && !by.May(ApplyProtected, name) {
		return s.refuse(ctx, by, "stack.delete", name.String(), "stack "+name.String()+" is protected")
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		fresh, err := tx.LockStack(stack.ID)
		if err != nil {
			return missing(err, "there is no stack %s", name)
		}
		if err := idle(tx, fresh); err != nil {
			return err
		}
		if fresh.Resources > 0 && !force {
			// The CLI compares the whole sentence to advise --force.
			return Fail(CodeInvalid, "Bad Request: Stack still contains resources.")
		}
		if err := tx.DeleteStack(fresh.ID); err != nil {
			return err
		}
		return record(tx, by, "stack.delete", name.String(), map[string]string{"id": fresh.ID})
	})
	if err == nil {
		s.keys.forget(stack.ID)
	}
	return err
}

// idle refuses while an update holds the stack.
func idle(tx Tx, stack Stack) error {
	if stack.ActiveUpdate == "" {
		return nil
	}
	active, err := tx.Update(stack.ActiveUpdate)
	if err != nil {
		return err
	}
	if active.Status == StatusRunning && !tx.Now().Before(active.LeaseExpiresAt) {
		return overdue(stack, active)
	}
	return busy(stack, active)
}

// busy says who holds a stack, and what to do about it.
func busy(stack Stack, active Update) error {
	return Fail(CodeConflict, "stack %s is being changed: %s of %s since %s (wait for it, or end it with `pulumi cancel`)",
		stack.Name, active.Kind, active.Principal, active.StartedAt.UTC().Format(time.RFC3339))
}

// RenameStack gives a stack another name, in its organization, and rewrites
// its state to it.
func (s *Service) RenameStack(ctx context.Context, by Caller, name StackName, project, newName string) error {
	stack, err := s.stackFor(ctx, by, Write, name)
	if err != nil {
		return err
	}
	to := StackName{Org: name.Org, Project: orElse(project, name.Project), Stack: orElse(newName, name.Stack)}
	if err := CheckStackName(to); err != nil {
		return err
	}
	if stack.Protected && !by.May(ApplyProtected, name) {
		return s.refuse(ctx, by, "stack.rename", name.String(), "stack "+name.String()+" is protected: its state changes by approved operations only")
	}
	if !by.May(Write, to) {
		return s.refuse(ctx, by, "stack.rename", name.String(), "the token may not write stack "+to.String())
	}
	if err := s.authorizedAs(ctx, by, "stack.rename", Write, to); err != nil {
		return err
	}
	rename := func(tx Tx, keys *stackKeys) error {
		fresh, err := tx.LockStack(stack.ID)
		if err != nil {
			return missing(err, "there is no stack %s", name)
		}
		if err := idle(tx, fresh); err != nil {
			return err
		}
		if fresh.Version > 0 {
			if err := s.rewriteState(tx, keys, &fresh, by, to); err != nil {
				return err
			}
		}
		fresh.Name = to
		if err := tx.SaveStack(fresh); err != nil {
			if errors.Is(err, ErrExists) {
				return Fail(CodeConflict, "stack %s already exists", to)
			}
			return err
		}
		return record(tx, by, "stack.rename", name.String(), map[string]string{"to": to.String()})
	}
	return s.keys.use(ctx, stack.ID, func(keys *stackKeys) error {
		return s.store.Update(ctx, func(tx Tx) error { return rename(tx, keys) })
	})
}

// rewriteState puts the state with the new name as a version of its own.
func (s *Service) rewriteState(tx Tx, keys *stackKeys, stack *Stack, by Caller, to StackName) error {
	state, err := openState(tx, keys, stack.Version)
	if err != nil {
		return err
	}
	renamed, err := replay.Rename(state,
		replay.StackIdentity{Project: stack.Name.Project, Stack: stack.Name.Stack},
		replay.StackIdentity{Project: to.Project, Stack: to.Stack})
	if err != nil {
		return &Error{Code: CodeInvalid, Message: "the state cannot be rewritten to the new name; export it and see what is wrong with it", Cause: err}
	}
	return s.putByHand(tx, keys, stack, by, KindRename, renamed)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Organizations are those that the caller may see something in.
func (s *Service) Organizations(ctx context.Context, by Caller) (orgs []Organization, err error) {
	err = s.store.View(ctx, func(tx Tx) (err error) { orgs, err = tx.Organizations(); return err })
	return slices.DeleteFunc(orgs, func(o Organization) bool { return !by.mayInOrg(Read, o.Name) }), err
}

// CreateOrganization makes an organization.
func (s *Service) CreateOrganization(ctx context.Context, by Caller, name string) error {
	if err := CheckOrg(name); err != nil {
		return err
	}
	if !by.mayEverywhere(Admin) {
		return s.refuse(ctx, by, "org.create", name, "only an administrator of everything makes organizations")
	}
	return s.store.Update(ctx, func(tx Tx) error {
		if err := tx.CreateOrganization(Organization{ID: newID("org"), Name: name, CreatedAt: tx.Now()}); err != nil {
			if errors.Is(err, ErrExists) {
				return Fail(CodeConflict, "organization %s already exists", name)
			}
			return err
		}
		return record(tx, by, "org.create", name, nil)
	})
}
