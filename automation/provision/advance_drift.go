package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// The states of Drift.Status.
const (
	driftClean   = "clean"
	driftDrifted = "drifted"
	driftError   = "error"
)

// drifted ends a look for drift, and orders what the stack's schedule wants to
// follow.
func (w *Work) drifted(result Result, failed error) error {
	if failed != nil {
		f := w.failure(failed)
		return w.leave(Failed, f.Message, func(tx Tx, o *Operation, env *Environment) error {
			o.Result, o.Failure = &result, f
			env.Drift.Status, env.Drift.CheckedAt, env.Drift.Operation = driftError, tx.Now(), o.ID
			return tx.SaveEnvironment(env)
		})
	}
	var ordered *Operation
	err := w.leave(Succeeded, "", func(tx Tx, o *Operation, env *Environment) (err error) {
		ordered = nil
		o.Result = &result
		urns := env.Drift.found(result.Changes)
		if len(urns) == 0 {
			env.Drift.Operation = o.ID
			if err := env.cleared(tx, *o); err != nil {
				return err
			}
			return tx.SaveEnvironment(env)
		}
		if err := env.hasDrifted(tx, *o, urns); err != nil {
			return err
		}
		if err := tx.SaveEnvironment(env); err != nil {
			return err
		}
		ordered, err = w.service.remediate(tx, *o, *env)
		return err
	})
	if err == nil && ordered != nil {
		w.service.changed.tell(ordered.ID)
		w.service.wake(context.Background(), *ordered)
	}
	return err
}

// found are the URNs that drifted and are not ignored.
func (d Drift) found(changes []Change) (urns []string) {
	for _, c := range changes {
		if c.Op == "same" || c.Op == "read" || slices.ContainsFunc(d.Ignore, func(p string) bool { return wild(p, c.URN) }) {
			continue
		}
		urns = append(urns, c.URN)
	}
	slices.Sort(urns)
	return slices.Compact(urns)
}

// wild says whether a pattern, in which * is any text, is of the whole text.
func wild(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for star {
		var part string
		if part, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return text == ""
}

// hasDrifted notes drift, and tells of it when it is new.
func (e *Environment) hasDrifted(tx Tx, o Operation, urns []string) error {
	d := &e.Drift
	known := !d.Since.IsZero() && slices.Equal(d.Resources, urns)
	if d.Since.IsZero() {
		d.Since = tx.Now()
	}
	d.Status, d.CheckedAt, d.Operation, d.Resources = driftDrifted, tx.Now(), o.ID, urns
	if known {
		return nil
	}
	return e.tellDrift(tx, o, "stack.drifted")
}

// cleared notes that there is none, and tells of it where there was some.
func (e *Environment) cleared(tx Tx, o Operation) error {
	d := &e.Drift
	drifted := !d.Since.IsZero()
	d.Status, d.CheckedAt, d.Since, d.Resources = driftClean, tx.Now(), time.Time{}, nil
	if !drifted {
		return nil
	}
	return e.tellDrift(tx, o, "stack.drift_cleared")
}

func (e *Environment) tellDrift(tx Tx, o Operation, kind string) error {
	return notify(tx, e.Name.Org, e.ProjectID, kind, map[string]string{
		"stack_id": e.ID, "stack": e.Name.String(), "operation_id": o.ID, "url": "/v1/stacks/" + e.ID,
	})
}

// remediate orders an update that undoes drift, where a schedule found it that says
// so, and none waits already. A proposal waits for approval whatever the project's
// rules say.
func (s *Service) remediate(tx Tx, found Operation, env Environment) (*Operation, error) {
	how := env.remediation()
	if found.RequestedBy.Kind != System || how == RemediateOff || env.Lock != nil {
		return nil, nil //nolint:nilnil // nothing is ordered
	}
	// Not those that are over: one that people rejected is proposed again with the
	// next drift that is found, and no sooner.
	open := slices.DeleteFunc(States(), State.Final)
	waiting, err := tx.Operations(OperationQuery{StackID: env.ID, Kinds: []OperationKind{KindUp}, States: open, Limit: 1})
	if err != nil || len(waiting) > 0 {
		return nil, err
	}
	project, err := tx.Project(env.ProjectID)
	if err != nil {
		return nil, err
	}
	o := Operation{
		ID: newID("op"), Kind: KindUp, Blueprint: env.Blueprint, Inputs: env.Inputs,
		Options: OperationOptions{Refresh: true, Propose: how == RemediatePropose, Message: "undoes the drift that " + found.ID + " found"},
	}
	err = s.create(tx, Principal{Kind: System, Name: systemActor.Name, AuthMethod: "system"}, project, env, &o)
	if err != nil {
		return nil, errors.Join(errors.New("the remediation could not be ordered"), err)
	}
	return &o, nil
}

// remediation is what the stack's schedules for drift want, the strongest of them.
func (e Environment) remediation() Remediation {
	strength := []Remediation{RemediateOff, RemediatePropose, RemediateAuto}
	how := RemediateOff
	for _, c := range e.Schedules {
		if c.Kind == ScheduleDrift && slices.Index(strength, c.Remediate) > slices.Index(strength, how) {
			how = c.Remediate
		}
	}
	return how
}
