package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// one moves a stack.
func (m *mover) one(ctx context.Context, mv move) Result {
	r := Result{Stack: mv.source.name.String(), Target: mv.target.String()}
	if !mv.source.lastUpdate.IsZero() {
		at := mv.source.lastUpdate.UTC()
		r.LastUpdate = &at
	}
	err := m.state(ctx, mv, &r)
	var refusal *refused
	switch {
	case err == nil:
	case errors.As(err, &refusal):
		r.Outcome, r.Problem = Refused, refusal.Error()
	default:
		r.Outcome, r.Problem = Failed, err.Error()
	}
	if r.Outcome != Moved && r.Outcome != Equal && r.Outcome != WouldMove && r.Outcome != WouldReplace {
		return r
	}
	if m.ConfigDir != "" {
		config := m.config(ctx, mv)
		r.Config = &config
	}
	return r
}

// refused says that a person has to decide first.
type refused struct{ why string }

func (r *refused) Error() string { return r.why }

func refuse(format string, args ...any) error {
	return &refused{why: fmt.Errorf(format, args...).Error()}
}

// source reads the state that the target is to have.
func (m *mover) source(ctx context.Context, mv move) (*state, error) {
	s, err := m.from.read(ctx, mv.source.name, m.Passphrases)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	if s, err = s.renamed(mv.source.name, mv.target); err != nil {
		return nil, fmt.Errorf("the state cannot be renamed: %w", err)
	}
	return s, nil
}

// state moves the state and the tags.
func (m *mover) state(ctx context.Context, mv move, r *Result) error {
	if err := m.from.checkIdle(ctx, mv.source.name, !m.DryRun); err != nil {
		return idle(err)
	}
	wanted, err := m.source(ctx, mv)
	if err != nil {
		return err
	}
	r.Resources, r.Secrets, r.Pending = len(wanted.resources()), wanted.secrets, len(wanted.pending())
	drop := m.to.service == nil && r.Pending > 0
	if drop && !m.DropPending {
		return refuse("it has %d pending operations, which the Pulumi CLI drops when it imports into a backend without a service: settle them first (`pulumi refresh`), or accept that with --drop-pending", r.Pending)
	}
	if drop {
		wanted = withoutPending(wanted)
		r.Notes = append(r.Notes, fmt.Sprintf("%d pending operations were left out", r.Pending))
	}
	// Tags are read before anything is written: what fails, fails early.
	tags, err := m.from.tags(ctx, mv.source.name)
	if err != nil {
		return fmt.Errorf("the source's tags: %w", err)
	}
	tags = carried(tags, m.from.Side, mv.source)

	there, exists, err := m.target(ctx, mv.target)
	if err != nil {
		return err
	}
	replaces := exists && !there.empty()
	if exists {
		// An empty state is no other state; of two empty ones nothing is moved.
		if found := compare(wanted, there); len(found) == 0 {
			r.Outcome = Equal
			return m.tag(ctx, mv.target, tags)
		} else if replaces && !m.Force {
			r.Differences = found
			return refuse("the target holds another state: look at the differences, and overwrite it with --force if it is to go")
		}
	}
	if m.DryRun {
		r.Outcome = WouldMove
		if replaces {
			r.Outcome = WouldReplace
		}
		return nil
	}
	if err := m.put(ctx, mv.target, exists, there, wanted, tags); err != nil {
		return err
	}
	if err := m.verify(ctx, mv, drop, r); err != nil {
		r.Outcome = Differs
		r.Problem = fmt.Sprintf("the state was written, and whether both sides are equal could not be found out: %v", err)
		return nil
	}
	if r.Outcome != Moved {
		return nil
	}
	if exists {
		if err := m.tag(ctx, mv.target, tags); err != nil {
			r.Notes = append(r.Notes, err.Error())
		}
	}
	return nil
}

// idle makes a running update a refusal.
func idle(err error) error {
	if errors.Is(err, errRunning) {
		return &refused{why: err.Error()}
	}
	return err
}

// exists says whether the target has a stack.
func (m *mover) exists(ctx context.Context, n Name) (bool, error) {
	if m.to.service == nil {
		return m.there[n], nil
	}
	_, err := m.to.service.stack(ctx, n)
	if errors.Is(err, errNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the target: %w", err)
	}
	return true, nil
}

// target reads what is there.
func (m *mover) target(ctx context.Context, n Name) (_ *state, exists bool, err error) {
	if exists, err := m.exists(ctx, n); err != nil || !exists {
		return nil, false, err
	}
	if err := m.to.checkIdle(ctx, n, !m.DryRun); err != nil {
		return nil, true, idle(err)
	}
	s, err := m.to.read(ctx, n, m.Passphrases)
	if err != nil {
		return nil, true, fmt.Errorf("the target: %w", err)
	}
	return s, true, nil
}

// cleanUp is how long taking back may last after an interruption.
const cleanUp = time.Minute

// put writes the state. A stack that it made goes away again if the state does
// not get there.
func (m *mover) put(ctx context.Context, n Name, exists bool, there, wanted *state, tags map[string]string) (err error) {
	if !exists {
		if err := m.to.create(ctx, n, tags, m.Passphrases); err != nil {
			return fmt.Errorf("the stack cannot be made in the target: %w", err)
		}
		defer func() {
			if err == nil {
				return
			}
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
			defer cancel()
			if failed := m.to.remove(after, n); failed != nil {
				err = fmt.Errorf("%w; and the stack that was made for it could not be removed: %w", err, failed)
			}
		}()
		if m.to.service == nil {
			if err := m.to.setTags(ctx, n, tags); err != nil {
				return fmt.Errorf("the target's tags: %w", err)
			}
			if there, err = m.to.read(ctx, n, m.Passphrases); err != nil {
				return fmt.Errorf("the target: %w", err)
			}
		}
	}
	provider, err := m.to.providerOf(n, there)
	if err != nil {
		return err
	}
	if err := m.to.write(ctx, n, wanted, provider, m.Passphrases); err != nil {
		return fmt.Errorf("the target did not take the state: %w", err)
	}
	return nil
}

// verify reads both sides again. The source is read too: an update that began
// meanwhile would be lost.
func (m *mover) verify(ctx context.Context, mv move, dropped bool, r *Result) error {
	source, err := m.source(ctx, mv)
	if err != nil {
		return err
	}
	if dropped {
		source = withoutPending(source)
	}
	target, err := m.to.read(ctx, mv.target, m.Passphrases)
	if err != nil {
		return fmt.Errorf("the target: %w", err)
	}
	r.Outcome = Moved
	if r.Differences = compare(source, target); len(r.Differences) > 0 {
		r.Outcome = Differs
		r.Problem = "the state was written, and it is not equal to the source's now"
	}
	return nil
}

// tag carries tags over where the state needed no writing.
func (m *mover) tag(ctx context.Context, n Name, tags map[string]string) error {
	if m.DryRun {
		return nil
	}
	if err := m.to.setTags(ctx, n, tags); err != nil {
		return fmt.Errorf("the target's tags: %w", err)
	}
	return nil
}
