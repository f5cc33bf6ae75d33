package provision

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

const (
	// maxSchedules bounds a stack's.
	maxSchedules = 20
	// maxJitter spreads what many stacks' schedules would do at the same minute.
	maxJitter = 5 * time.Minute
	// minPeriod keeps a schedule from being a busy loop.
	minPeriod = 10 * time.Minute
)

// SetSchedules replaces a stack's schedules, of a version of its record. Their ids
// and times are set here.
func (s *Service) SetSchedules(ctx context.Context, p Principal, id string, version int64, schedules []Schedule) (Environment, error) {
	if findings := checkSchedules(schedules); len(findings) > 0 {
		return Environment{}, invalidFields("the schedules cannot be set", findings)
	}
	return s.changeEnvironment(ctx, p, id, version, "stack.schedules", func(tx Tx, e *Environment) (map[string]string, error) {
		if e.Protected && slices.ContainsFunc(schedules, func(s Schedule) bool { return s.Kind == ScheduleDestroy }) {
			return nil, Fail(CodeConflict, "stack %s is protected, and a schedule would destroy it: take the protection away first", e.Name)
		}
		e.Schedules = slices.Clone(schedules)
		for i := range e.Schedules {
			it := &e.Schedules[i]
			it.ID = newID("sch")
			it.Last = never
			if it.Kind == ScheduleDrift && it.Remediate == "" {
				it.Remediate = RemediateOff
			}
			it.Next = it.after(e.ID, tx.Now())
		}
		e.due()
		return map[string]string{"schedules": fmt.Sprint(len(schedules))}, nil
	})
}

func checkSchedules(schedules []Schedule) (findings []FieldError) {
	find := func(i int, field, format string, args ...any) {
		findings = append(findings, FieldError{Pointer: fmt.Sprintf("/schedules/%d/%s", i, field), Message: fmt.Sprintf(format, args...)})
	}
	if len(schedules) > maxSchedules {
		find(maxSchedules, "", "there are %d: at most %d", len(schedules), maxSchedules)
	}
	for i, it := range schedules {
		if !slices.Contains([]ScheduleKind{ScheduleDrift, ScheduleRefresh, ScheduleUp, ScheduleDestroy}, it.Kind) {
			find(i, "kind", "%.40q is no kind of schedule: drift, refresh, up or destroy", string(it.Kind))
		}
		switch {
		case it.Cron == "" && it.At.IsZero() || it.Cron != "" && !it.At.IsZero():
			find(i, "cron", "either cron, for again and again, or at, for once")
		case it.Cron != "":
			when, err := parseCron(it.Cron)
			if err != nil {
				find(i, "cron", "%.60q is no schedule of five fields (minute hour day month weekday, UTC): %v", it.Cron, err)
				break
			}
			if first := when.Next(time.Unix(0, 0).UTC()); !first.IsZero() && when.Next(first).Sub(first) < minPeriod {
				find(i, "cron", "%q is more often than every %s", it.Cron, minPeriod)
			}
		}
		if it.Kind == ScheduleDestroy && it.Cron != "" {
			find(i, "cron", "a stack is destroyed once: say at")
		}
		if it.Remediate != "" && it.Kind != ScheduleDrift {
			find(i, "remediate", "only drift is remediated")
		}
		if !slices.Contains([]Remediation{"", RemediateOff, RemediatePropose, RemediateAuto}, it.Remediate) {
			find(i, "remediate", "%.40q is no remediation: off, propose or auto", string(it.Remediate))
		}
	}
	return findings
}

// after is when a schedule is due next: of a recurring one a little later than it
// says, and always the same for one stack. Zero for never.
func (c Schedule) after(stackID string, now time.Time) time.Time {
	if c.Cron == "" {
		if c.At.After(now) || c.Last.IsZero() {
			return c.At
		}
		return never
	}
	when, err := parseCron(c.Cron)
	if err != nil {
		return never // it was checked when it was set
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(stackID + c.Cron)) // it does not fail
	jitter := time.Duration(hash.Sum64() % uint64(maxJitter))
	// From before the jitter, so that none is left out.
	next := when.Next(now.UTC().Add(-jitter))
	if next.IsZero() {
		return never
	}
	return next.Add(jitter).Truncate(time.Microsecond)
}

// due sets when the environment wants something next.
func (e *Environment) due() {
	e.DueAt = never
	consider := func(at time.Time) {
		if !at.IsZero() && (e.DueAt.IsZero() || at.Before(e.DueAt)) {
			e.DueAt = at
		}
	}
	for _, c := range e.Schedules {
		consider(c.Next)
	}
	consider(e.ttlDue())
}

// Tick does what schedules and expiries want: it orders operations, and warns. Any
// number of nodes may call it; it returns for how many stacks it did something.
func (s *Service) Tick(ctx context.Context) (int, error) {
	const atOnce = 50
	var due []Environment
	err := s.store.View(ctx, func(tx Tx) (err error) { due, err = tx.DueEnvironments(tx.Now(), atOnce); return err })
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, e := range due {
		if err := s.tick(ctx, e.ID); err != nil {
			failed = append(failed, fmt.Errorf("stack %s: %w", e.Name, err))
		}
	}
	return len(due), errors.Join(failed...)
}

// tick does what one stack wants. Each schedule is moved on in the transaction
// that orders its operation: no window is served twice.
func (s *Service) tick(ctx context.Context, id string) error {
	var ordered []Operation
	err := s.store.Update(ctx, func(tx Tx) error {
		ordered = nil
		e, err := tx.LockEnvironment(id)
		if err != nil || !e.DeletedAt.IsZero() {
			return err
		}
		now := tx.Now()
		for i := range e.Schedules {
			it := &e.Schedules[i]
			if it.Next.IsZero() || it.Next.After(now) {
				continue
			}
			it.Last = now
			it.Next = it.after(e.ID, now)
			o, err := s.orderScheduled(tx, e, it.Kind.operation(), it.ID)
			if err != nil {
				return err
			}
			if o != nil {
				ordered = append(ordered, *o)
			}
		}
		o, err := s.expire(tx, &e)
		if err != nil {
			return err
		}
		if o != nil {
			ordered = append(ordered, *o)
		}
		e.due()
		return tx.SaveEnvironment(&e)
	})
	for _, o := range ordered {
		s.changed.tell(o.ID)
		s.wake(ctx, o)
	}
	if errors.Is(err, ErrVersion) {
		return nil // somebody else changes it: the next tick
	}
	return err
}

func (k ScheduleKind) operation() OperationKind {
	switch k {
	case ScheduleDrift:
		return KindDrift
	case ScheduleRefresh:
		return KindRefresh
	case ScheduleDestroy:
		return KindDestroy
	default:
		return KindUp
	}
}

// orderScheduled orders an operation as the service itself, with what the stack has
// now; nil where the same kind waits or runs already, or the stack is kept from it.
func (s *Service) orderScheduled(tx Tx, e Environment, kind OperationKind, cause string) (*Operation, error) {
	if e.Lock != nil {
		return nil, nil
	}
	waiting, err := tx.Operations(OperationQuery{StackID: e.ID, Kinds: []OperationKind{kind}, States: openStates()})
	if err != nil || len(waiting) > 0 {
		return nil, err
	}
	o := Operation{
		ID: newID("op"), StackID: e.ID, ProjectID: e.ProjectID, Stack: e.Name, Kind: kind, State: Queued, Priority: priorities[kind],
		Blueprint: e.Blueprint, Inputs: e.Inputs, RequestedBy: systemActor,
		Options:   OperationOptions{Message: "ordered by " + cause, RemoveStack: kind == KindDestroy},
		CreatedAt: tx.Now(), UpdatedAt: tx.Now(), DeadlineAt: tx.Now().Add(s.opts.QueueExpiry),
	}
	if err := tx.CreateOperation(o); err != nil {
		return nil, err
	}
	return &o, announce(tx, o, stateChange{To: Queued, By: systemActor.Name, Why: cause}, systemActor)
}

// openStates are those of operations that have not ended.
func openStates() []State {
	var open []State
	for _, state := range States() {
		if !state.Final() {
			open = append(open, state)
		}
	}
	return open
}
