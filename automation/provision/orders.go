package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"redoubt/automation/backend"
)

// NewOperation describes an order on an environment.
type NewOperation struct {
	Kind OperationKind
	// Inputs are for previews and updates; nil for those that were applied last. A
	// secret that is sent back as it was read, sealed or as "[secret]", stays as it
	// is.
	Inputs  json.RawMessage
	Options OperationOptions
	// Confirm is for a destroy: the stack's name typed, "prod" or "acme/shop/prod".
	Confirm string
	// Trace is the W3C traceparent of the request.
	Trace string
}

// traceForm is that of a W3C traceparent.
var traceForm = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// The priorities of orders; others have 0.
var priorities = map[OperationKind]int{KindDrift: -10, KindRecover: 10}

// action is what somebody must be allowed to order a kind.
func (k OperationKind) action() Action {
	switch k {
	case KindPreview, KindDrift:
		return ActionPreview
	case KindDestroy:
		return ActionDestroy
	default:
		return ActionApply
	}
}

// Order orders an operation on an environment, by its id or "org/project/stack".
// It waits in the stack's queue when Order returns.
func (s *Service) Order(ctx context.Context, p Principal, stackID string, n NewOperation) (Operation, error) {
	env, err := s.environmentFor(ctx, p, stackID, n.Kind.action())
	if err != nil {
		return Operation{}, err
	}
	var f findings
	n.check(&f, env.Name)
	o := Operation{Kind: n.Kind, Options: n.Options, Trace: n.Trace, Blueprint: env.Blueprint, Inputs: env.Inputs}
	if err := s.fill(ctx, p, env, &o, n.Inputs, &f); err != nil {
		return Operation{}, err
	}
	if err := f.err(); err != nil {
		return Operation{}, err
	}
	return s.enqueue(ctx, p, env, o)
}

// check finds what is wrong with an order but its inputs.
func (n NewOperation) check(f *findings, name backend.StackName) {
	if !slices.Contains(kinds, n.Kind) {
		f.add("/kind", "%.40q is no kind of operation: preview, up, refresh, drift, destroy or recover", n.Kind)
	}
	if len(n.Inputs) > 0 && n.Kind != KindPreview && n.Kind != KindUp {
		f.add("/inputs", "are for previews and updates: a %s runs with those that were applied last", n.Kind)
	}
	if n.Kind == KindDestroy && !strings.EqualFold(n.Confirm, name.Stack) && !strings.EqualFold(n.Confirm, name.String()) {
		f.add("/confirm", "must be the stack's name, %q: it will be destroyed", name.Stack)
	}
	n.Options.check(f, n.Kind)
}

// check finds what is wrong with an order's options.
func (o OperationOptions) check(f *findings, kind OperationKind) {
	f.text("/options/message", o.Message, 0, 1000)
	if o.RemoveStack && kind != KindDestroy {
		f.add("/options/remove_stack", "is for a destroy")
	}
	if o.Strict && kind != KindUp {
		f.add("/options/strict", "is for an update: only that has a plan to keep to")
	}
}

// fill gives an operation its blueprint and inputs: those of the order, or those
// that were applied last where it has none.
func (s *Service) fill(ctx context.Context, p Principal, env Environment, o *Operation, inputs json.RawMessage, f *findings) error {
	b, err := s.catalog.Blueprint(o.Blueprint.Name, o.Blueprint.Version)
	if err != nil {
		// The service's newer release may not have the version any more.
		if b, err = s.catalog.Blueprint(o.Blueprint.Name, ""); err != nil {
			f.add("/blueprint", "%s is not in the catalogue any more", o.Blueprint.Name)
			return nil
		}
	}
	if len(inputs) == 0 && b.BlueprintRef == o.Blueprint {
		return nil // they were checked when they were ordered
	}
	if len(inputs) == 0 {
		inputs = o.Inputs
	}
	inputs, masks := unmasked(b.SecretInputs, inputs, env.Inputs)
	if *f = append(*f, masks...); len(masks) > 0 {
		return nil
	}
	plain, err := s.reopen(ctx, p, env.Name, b.SecretInputs, inputs)
	if CodeOf(err) == CodeInvalid {
		f.add("/inputs", "%s", err)
		return nil
	}
	if err != nil {
		return err
	}
	complete, wrong := checkInputs(b, plain)
	if err := s.checkReferences(ctx, p, b, complete, &wrong); err != nil {
		return err
	}
	if *f = append(*f, wrong...); len(wrong) > 0 {
		return nil
	}
	seal, err := s.backend.Sealer(ctx, env.ID)
	if err != nil {
		return public(err)
	}
	o.Blueprint = b.BlueprintRef
	o.Inputs, err = s.sealed(env.ID, b, seal, complete)
	return err
}

// reopen opens the secrets that were sent back as they were read.
func (s *Service) reopen(ctx context.Context, p Principal, name backend.StackName, secrets []string, inputs json.RawMessage) (json.RawMessage, error) {
	value, err := decoded(inputs)
	if err != nil {
		return inputs, nil //nolint:nilerr // checkInputs says so at its field
	}
	some := false
	for _, secret := range secrets {
		if _, err := at(value, "", tokens(secret), func(_ string, v any) (any, error) {
			_, ok := sealedOf(v)
			some = some || ok
			return v, nil
		}); err != nil {
			return nil, err
		}
	}
	if !some {
		return inputs, nil
	}
	open, _, err := s.openInputs(ctx, p, name, inputs, "a new order with secrets of an older one")
	return open, err
}

// enqueue puts an operation into its stack's queue, in one transaction with all
// that may keep it out.
func (s *Service) enqueue(ctx context.Context, p Principal, env Environment, draft Operation) (Operation, error) {
	draft.ID = newID("op")
	var o Operation
	var skipped []Operation
	err := s.write(ctx, func(tx Tx) error {
		o, skipped = draft, nil
		fresh, err := tx.LockEnvironment(env.ID)
		if err == nil && !fresh.DeletedAt.IsZero() {
			err = backend.ErrNotFound
		}
		if err != nil {
			return absent(err, named("stack", env.Name.String()))
		}
		project, err := tx.Project(fresh.ProjectID)
		if err != nil {
			return err
		}
		if err := admit(tx, project, fresh, o.Kind); err != nil {
			return err
		}
		if o.Options.Supersede {
			if skipped, err = supersede(tx, p, fresh.ID, o); err != nil {
				return err
			}
		}
		return s.create(tx, p, project, fresh, &o)
	})
	if err != nil {
		return Operation{}, err
	}
	for _, old := range skipped {
		s.changed.tell(old.ID)
	}
	s.wake(ctx, o)
	s.changed.tell(o.ID)
	return o, nil
}

// admit says whether an operation of a kind may be ordered on an environment that
// is locked in the transaction.
func admit(tx Tx, project Project, env Environment, kind OperationKind) error {
	if lock := env.Lock; lock != nil {
		return Fail(CodeFrozen, "stack %s is locked by %s since %s: %s", env.Name, lock.By, lock.At.UTC().Format("2006-01-02 15:04 UTC"), lock.Reason)
	}
	if kind == KindDestroy && env.Protected {
		return Fail(CodeConflict, "stack %s is protected: take the protection off first (PATCH /v1/stacks/%s with {\"protected\": false}), then order the destroy", env.Name, env.ID)
	}
	if err := project.Settings.thawed(kind, tx.Now()); err != nil {
		return err
	}
	if !project.Settings.allows(env.Blueprint.Name) && kind == KindUp {
		return Fail(CodeForbidden, "project %s/%s does not allow blueprint %s any more: the stack can be previewed, refreshed and destroyed", project.Org, project.Name, env.Blueprint.Name)
	}
	if kind == KindRecover || kind == KindRefresh {
		return nil
	}
	return recovered(tx, env)
}

// recovered says whether a stack may be worked on: nobody died in mid-update, or a
// person has looked at what that left.
func recovered(tx Tx, env Environment) error {
	stack, err := tx.StackByID(env.ID)
	if err != nil {
		return absent(err, named("stack", env.Name.String()))
	}
	if !stack.RestoredAt.IsZero() {
		return Fail(CodeNeedsRecovery, "stack %s comes from a backup, and the cloud may be ahead of its state: order an operation of kind refresh, look for what was made after the backup, and then order this again", env.Name)
	}
	if stack.PendingCreates > 0 {
		return Fail(CodeNeedsRecovery, "stack %s needs recovery: an update died while it created %d resource(s), which may exist. Order an operation of kind recover", env.Name, stack.PendingCreates)
	}
	died, err := tx.Operations(OperationQuery{StackID: env.ID, States: []State{NeedsRecovery}, Limit: 1})
	if err != nil || len(died) == 0 {
		return err
	}
	return &Error{Code: CodeNeedsRecovery, Operation: died[0].ID, Message: fmt.Sprintf(
		"stack %s needs recovery: operation %s died in mid-update. Look at what it left, and order an operation of kind recover, or cancel that one", env.Name, died[0].ID)}
}

// supersede skips the stack's operations that have not begun and that the new one
// makes pointless. One that changes nothing does not make those pointless that do.
func supersede(tx Tx, p Principal, stackID string, o Operation) ([]Operation, error) {
	older, err := tx.Operations(OperationQuery{StackID: stackID, States: []State{Queued, AwaitingApproval}})
	if err != nil {
		return nil, err
	}
	var skipped []Operation
	slices.Reverse(older) // all lock them in the same order
	for _, old := range older {
		if old.Kind.Changes() && !o.Kind.Changes() || old.Kind == KindRecover {
			continue
		}
		if old, err = tx.LockOperation(old.ID); err != nil {
			return nil, err
		}
		if old.State != Queued && old.State != AwaitingApproval {
			continue // a worker was faster
		}
		if err := move(tx, &old, Skipped, p.Actor(), "superseded by "+o.ID); err != nil {
			return nil, err
		}
		skipped = append(skipped, old)
	}
	return skipped, nil
}

// intake is an error where nothing more is to be ordered.
func (s *Service) intake() error {
	if s.opts.Intake == nil {
		return nil
	}
	return s.opts.Intake()
}

// create makes an operation in the transaction that has admitted it.
func (s *Service) create(tx Tx, p Principal, project Project, env Environment, o *Operation) error {
	if err := countAlone(tx); err != nil {
		return err
	}
	if p.Kind != System { // what has expired is destroyed whatever else there is
		if err := s.intake(); err != nil {
			return err
		}
		if err := s.operationLeft(tx, project); err != nil {
			return err
		}
	}
	o.StackID, o.ProjectID, o.Stack = env.ID, env.ProjectID, env.Name
	o.State, o.Version, o.Priority, o.RequestedBy = Queued, 1, priorities[o.Kind], p.Actor()
	o.CreatedAt = tx.Now()
	if !traceForm.MatchString(o.Trace) {
		o.Trace = "" // it came with the request, and goes on into the engine's environment
	}
	o.UpdatedAt, o.DeadlineAt = o.CreatedAt, o.CreatedAt.Add(s.opts.QueueExpiry)
	if err := tx.CreateOperation(*o); err != nil {
		return err
	}
	return announce(tx, *o, stateChange{To: Queued, By: p.Name}, p.Actor())
}
