package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// previews are the phases that show what a kind of operation would do.
var previews = map[OperationKind]Phase{
	KindPreview: PhasePreview, KindUp: PhasePreview, KindDestroy: PhasePreviewDestroy, KindRefresh: PhasePreviewRefresh, KindDrift: PhasePreviewRefresh,
}

// preview runs the preview, in a state of the operation's or in the one that it has,
// and deals with all that ends there. Where it does not end there, the plan is what is
// to be decided on.
func (w *Work) preview(ctx context.Context, engine Engine, open opened, state State) (plan Plan, done bool, err error) {
	kind := w.Operation().Kind
	before, err := w.admitPreview(state)
	if err != nil {
		return plan, true, err
	}
	result, err := w.run(ctx, engine, before, open)
	if done, err := w.interrupted(err); done {
		return plan, true, err
	}
	if kind == KindDrift {
		return plan, true, w.drifted(result, err)
	}
	// Before anything else is looked at: a pack that found nothing because it did not
	// run is an error too.
	if result.mandatory() > 0 || CodeOf(err) == CodePolicyBlocked {
		plan, planErr := w.plan(before.version, engine, result)
		if planErr != nil {
			return plan, true, planErr
		}
		return plan, true, w.blocked(result, func(_ Tx, o *Operation, _ *Environment) error {
			o.Plan = &plan
			return nil
		})
	}
	if err != nil {
		return plan, true, w.broke(err)
	}
	if plan, err = w.plan(before.version, engine, result); err != nil {
		return plan, true, err
	}
	if kind == KindPreview {
		return plan, true, w.leave(Succeeded, "", func(_ Tx, o *Operation, _ *Environment) error {
			o.Plan, o.Result = &plan, &result
			return nil
		})
	}
	if most := w.mostResources(); most > 0 && kind == KindUp && result.resources() > most {
		return plan, true, w.fail(CodeQuotaExceeded, fmt.Sprintf("the stack would have %d resources, and may have %d: order less, or have the quota raised", result.resources(), most))
	}
	if result.changed() == 0 {
		return plan, true, w.unchanged(plan, before.version)
	}
	return plan, false, nil
}

// mostResources is how many the stack may have; 0 for any number.
func (w *Work) mostResources() int {
	quota, limit := w.quota.ResourcesPerStack, w.limits.Resources
	if quota == 0 || limit > 0 && limit < quota {
		return limit
	}
	return quota
}

// plan is what a preview found, with its digests.
func (w *Work) plan(version int64, engine Engine, result Result) (Plan, error) {
	plan := Plan{StateVersion: version, PackDigests: engine.Packs(), Result: result}
	var err error
	if plan.ChangeDigest, err = ChangeDigest(result.Changes); err != nil {
		return plan, err
	}
	o := w.Operation()
	o.Blueprint = w.blueprint
	plan.Digest, err = PlanDigest(o, plan)
	return plan, err
}

// unchanged ends an operation that has nothing to do.
func (w *Work) unchanged(plan Plan, version int64) error {
	return w.leave(Succeeded, "there is nothing to change", func(tx Tx, o *Operation, env *Environment) error {
		result := plan.Result
		result.StateVersion = version
		o.Plan, o.Result = &plan, &result
		return settle(tx, *o, env)
	})
}

// decided goes on with a plan: to people where the project wants them to look at it,
// else on at once.
func (w *Work) decided(ctx context.Context, engine Engine, open opened, plan Plan) error {
	if waits, err := w.ask(plan, ""); err != nil || waits {
		return err
	}
	admitted, err := w.applying(plan)
	if errors.Is(err, errMoved) {
		if err := w.step(func(tx Tx, o *Operation, _ *Environment) error {
			o.Plan = &plan
			if err := w.unasked(tx, o); err != nil {
				return err
			}
			return tx.SaveOperation(o)
		}); err != nil {
			return err
		}
		return w.recheck(ctx, engine, open)
	}
	if err != nil || w.gone() {
		return err
	}
	return w.apply(ctx, engine, admitted, open)
}

// unasked approves a plan that nobody needs to look at; the caller saves the operation.
func (w *Work) unasked(tx Tx, o *Operation) error {
	if err := move(tx, o, Approved, systemActor, "no approval is required"); err != nil {
		return err
	}
	o.Node, o.Fence = w.node.ID, w.claim.Fence // it has a worker nevertheless
	return nil
}

// ask hands the plan to people, if some are to approve it: then the operation waits,
// without a worker.
func (w *Work) ask(plan Plan, why string) (waits bool, err error) {
	o := w.Operation()
	required, expiry := w.service.RequiredApprovals(w.project, o, plan)
	if o.Options.Propose && len(required) == 0 {
		required, expiry = []RequiredApproval{{Rule: "proposal", Required: 1}}, w.service.opts.ApprovalExpiry
	}
	if len(required) == 0 {
		return false, nil
	}
	if why == "" {
		names := make([]string, len(required))
		for i, r := range required {
			names[i] = r.Rule
		}
		why = "approval is required by " + strings.Join(names, ", ")
	}
	return true, w.leave(AwaitingApproval, why, func(tx Tx, o *Operation, _ *Environment) error {
		o.Plan, o.Required, o.Blueprint = &plan, required, w.blueprint
		o.DeadlineAt = tx.Now().Add(expiry)
		return nil
	})
}

// recheck sees whether what was approved is what would be done now: it previews
// again, and compares. What is not the same goes back to who approved it.
func (w *Work) recheck(ctx context.Context, engine Engine, open opened) error {
	approved := *w.Operation().Plan
	plan, done, err := w.preview(ctx, engine, open, "")
	if err != nil || done {
		return err
	}
	if plan.Digest != approved.Digest && !w.same(approved, plan) {
		why := "plan_stale: " + w.difference(approved, plan) + " since the plan was approved"
		if waits, err := w.askAgain(plan, why); err != nil || waits {
			return err
		}
	}
	if err := w.step(func(tx Tx, o *Operation, _ *Environment) error {
		o.Plan, o.Blueprint = &plan, w.blueprint
		return tx.SaveOperation(o)
	}); err != nil {
		return err
	}
	admitted, err := w.applying(plan)
	if errors.Is(err, errMoved) {
		return w.leave(Approved, "", nil) // somebody updates the stack by hand: later
	}
	if err != nil || w.gone() {
		return err
	}
	return w.apply(ctx, engine, admitted, open)
}

// same says whether a plan may stand for the one that was approved: the same would
// be done, and the project's rules let that do.
func (w *Work) same(approved, plan Plan) bool {
	return plan.ChangeDigest == approved.ChangeDigest && Reapproves(w.project, w.Operation(), plan)
}

// difference says what is not as it was approved.
func (w *Work) difference(approved, plan Plan) string {
	switch {
	case plan.ChangeDigest != approved.ChangeDigest:
		return "what would be changed is not the same"
	case plan.StateVersion != approved.StateVersion:
		return fmt.Sprintf("the stack's state moved from version %d to %d", approved.StateVersion, plan.StateVersion)
	default:
		return "the blueprint or the policy pack changed"
	}
}

// askAgain is ask, with an event that says why approvals do not count any more.
func (w *Work) askAgain(plan Plan, why string) (waits bool, err error) {
	required, _ := w.service.RequiredApprovals(w.project, w.Operation(), plan)
	if len(required) == 0 && !w.Operation().Options.Propose {
		return false, nil
	}
	w.events.emit(Event{At: time.Now(), Type: EventApproval, Data: textual(map[string]string{"decision": "dropped", "plan_digest": plan.Digest, "why": why})})
	return w.ask(plan, why)
}

// gone says whether the worker has let the operation go.
func (w *Work) gone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}
