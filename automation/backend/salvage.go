package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// An update whose journal cannot be folded cannot be closed, and holds its stack
// for ever. Salvage is the way out: an administrator closes it with what can be
// folded. Nothing is thrown away: the journal stays, see Update.LeftOut, and the
// stack takes no update before a refresh.

// damaged is why a row is left out that does not open.
const damaged = "it cannot be decrypted with the stack's keys, so the row in the database is damaged"

// LeftOut is what a salvage left out of a state.
type LeftOut struct {
	// Sequence is the journal entry's.
	Sequence int64 `json:"sequence"`
	// Partly says that the rest of the entry is in the state.
	Partly bool   `json:"partly"`
	Reason string `json:"reason"`
}

// SalvageOrder says why a stack is salvaged, and whether it is.
type SalvageOrder struct {
	// Reason is for the audit log; a dry run needs none.
	Reason string
	// DryRun changes nothing, and says what would be kept.
	DryRun bool
}

// Salvaged is what a salvage keeps of an update, and what not.
type Salvaged struct {
	// Update is the one that was stuck.
	Update Update
	// State is the state that it leaves.
	State json.RawMessage
	// Resources is how many that has.
	Resources int64
	// Pending are the steps that may have happened.
	Pending []PendingStep
	LeftOut []LeftOut
	// Findings are what is wrong with the state: the CLI refuses to work on one
	// that has any, until `pulumi state repair` has been run.
	Findings []string
}

// PendingStep is a step of which nobody knows whether it happened.
type PendingStep struct {
	// Type is "creating", "updating", "deleting", "reading" or "importing".
	Type string `json:"type"`
	URN  string `json:"urn"`
}

// Salvage closes the update that holds a stack, and whose journal cannot be
// folded, as interrupted. It refuses where the update is alive or can be closed as
// any other.
func (s *Service) Salvage(ctx context.Context, by Caller, name StackName, order SalvageOrder) (Salvaged, error) {
	if err := order.check(); err != nil {
		return Salvaged{}, err
	}
	stack, err := s.stackFor(ctx, by, Admin, name)
	if err != nil {
		return Salvaged{}, err
	}
	// Read now: what a key does not open that another process has just made would
	// count as damaged.
	keys, err := s.keys.load(ctx, stack.ID, nil)
	if err != nil {
		return Salvaged{}, err
	}
	update, f, err := s.planSalvage(ctx, keys)
	if err != nil || order.DryRun {
		return salvagedOf(update, f, err)
	}
	if update, err = s.disown(ctx, stack.ID, update.ID); err != nil {
		return Salvaged{}, err
	}
	f, err = s.closeWith(ctx, keys, update, closing{status: StatusInterrupted, by: by, why: order.Reason, salvage: true})
	if err != nil {
		return Salvaged{}, err
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { update, err = tx.Update(update.ID); return err })
	return salvagedOf(update, f, err)
}

// planSalvage is the update that holds a stack, and what can be folded of it.
func (s *Service) planSalvage(ctx context.Context, keys *stackKeys) (update Update, f folded, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		stack, err := tx.StackByID(keys.stackID)
		if err != nil {
			return missing(err, "the stack was deleted")
		}
		update, err = salvageable(tx, stack, tx.Update)
		return err
	})
	if err != nil {
		return update, f, err
	}
	if f, err = s.fold(ctx, keys, update, true); err == nil && len(f.leftOut) == 0 {
		err = Fail(CodeConflict, "the journal of update %s folds, and nothing is to be salvaged: its stack is free within moments, or at once after `pulumi cancel`", update.ID)
	}
	return update, f, err
}

// disown takes a dead update's tokens. Its client may have come back since it was
// looked at; from here on it writes nothing more, so that what is folded is all
// that was acknowledged.
func (s *Service) disown(ctx context.Context, stackID, updateID string) (update Update, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		stack, err := tx.LockStack(stackID)
		if err != nil {
			return missing(err, "the stack was deleted")
		}
		if update, err = salvageable(tx, stack, tx.LockUpdate); err != nil {
			return err
		}
		if update.ID != updateID {
			return Fail(CodeConflict, "stack %s is held by another update since, %s: look again with --dry-run", stack.Name, update.ID)
		}
		update.TokenHashes = nil
		return tx.SaveUpdate(update)
	})
	return update, err
}

func (o SalvageOrder) check() error {
	const most = 500
	switch {
	case strings.TrimSpace(o.Reason) == "" && !o.DryRun:
		return Fail(CodeInvalid, "a salvage leaves something out of a state: say why it is done, for the audit log (--reason)")
	case len(o.Reason) > most || strings.ContainsFunc(o.Reason, control):
		return Fail(CodeInvalid, "the reason must be one line of at most %d bytes", most)
	}
	return nil
}

// salvageable is the update that holds a stack, if its client is gone.
func salvageable(tx Tx, stack Stack, find func(id string) (Update, error)) (Update, error) {
	if stack.ActiveUpdate == "" {
		return Update{}, Fail(CodeConflict, "no update holds stack %s: there is nothing to salvage", stack.Name)
	}
	update, err := find(stack.ActiveUpdate)
	if err != nil {
		return Update{}, err
	}
	if tx.Now().Before(update.LeaseExpiresAt) {
		return Update{}, Fail(CodeConflict, "update %s of %s is still alive: it has stack %s until %s, and longer if its client is heard of. "+
			"Wait, or end it with `pulumi cancel`; salvage is for an update that cannot be closed after that",
			update.ID, update.Principal, stack.Name, update.LeaseExpiresAt.UTC().Format(time.RFC3339))
	}
	return update, nil
}

func salvagedOf(update Update, f folded, err error) (Salvaged, error) {
	if err != nil {
		return Salvaged{}, err
	}
	out := Salvaged{Update: update, State: f.state, LeftOut: f.leftOut, Findings: f.trouble}
	d, err := parseDeployment(f.state)
	if err != nil || d.Deployment == nil {
		return out, err
	}
	out.Resources = d.resources()
	for _, op := range d.Deployment.PendingOperations {
		out.Pending = append(out.Pending, PendingStep{Type: op.Type, URN: op.Resource.URN})
	}
	return out, nil
}

// nothingOf leaves a journal out whole: the state that it counts from cannot be
// read, and stays as it is.
func (f *folded) nothingOf(tx Tx, update Update, base json.RawMessage, why error) error {
	f.state = base
	return tx.Journal(update.ID, func(r JournalRow) error {
		f.leftOut = append(f.leftOut, LeftOut{Sequence: r.Sequence, Reason: why.Error()})
		return nil
	})
}

// salvaged is for the audit log: what was left out, as far as it is read.
func (c closing) salvaged(update Update, leftOut []LeftOut) map[string]string {
	const most = 50
	sequences := make([]string, 0, most)
	for _, l := range leftOut[:min(len(leftOut), most)] {
		sequences = append(sequences, fmt.Sprint(l.Sequence))
	}
	if len(leftOut) > most {
		sequences = append(sequences, "…")
	}
	return map[string]string{
		"update": update.ID, "reason": c.why, "leftOut": fmt.Sprint(len(leftOut)), "entries": strings.Join(sequences, " "),
		"version": fmt.Sprint(update.Version), "pending": fmt.Sprint(update.PendingOperations),
	}
}

// stillLeftOut is how much of a stack's PendingCreates an earlier salvage left out,
// and is not in the state: it counts until a refresh has succeeded. Until then
// nobody has looked.
func stillLeftOut(tx Tx, keys *stackKeys, stack Stack, closed Update) (int, error) {
	if stack.PendingCreates == 0 || closed.Status == StatusSucceeded {
		return 0, nil
	}
	base, err := openState(tx, keys, stack.Version)
	if err != nil {
		return 0, err
	}
	d, err := parseDeployment(base)
	return max(0, stack.PendingCreates-d.pendingCreates()), err
}

// stuck is the error of an update that cannot be closed.
func stuck(tx Tx, update Update, cause error) error {
	stack, err := tx.StackByID(update.StackID)
	if err != nil {
		return missing(err, "the stack was deleted")
	}
	return &Error{
		Code: CodeConflict, Cause: cause,
		Message: fmt.Sprintf("what update %s sent cannot be folded into a state (%v); it is kept, and stack %s stays locked until an administrator salvages it with %s",
			update.ID, cause, stack.Name, salvageCommand(stack.Name)),
	}
}

// lostBase is stuck for an update whose first state does not open: there is
// nothing that a journal could be folded into, nor anything to salvage.
func lostBase(update Update, cause error) error {
	return &Error{
		Code: CodeConflict, Cause: cause,
		Message: fmt.Sprintf("state %d of the stack, which update %s began with, cannot be decrypted: its row in the database is damaged; restore the database from a backup", update.BaseVersion, update.ID),
	}
}

// overdue is busy for an update whose lease has ended.
func overdue(stack Stack, active Update) error {
	return Fail(CodeConflict, "stack %s is held by an update of %s whose lease ended at %s: it is closed within moments. If it is not, `pulumi cancel` says why, and an administrator frees the stack with %s",
		stack.Name, active.Principal, active.LeaseExpiresAt.UTC().Format(time.RFC3339), salvageCommand(stack.Name))
}

func salvageCommand(name StackName) string {
	return "`redoubt stack salvage " + name.String() + " --reason …` (--dry-run shows first what would be left out)"
}
