package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"redoubt/automation/backend"
)

// Node is a worker, as claims name it.
type Node struct {
	// ID is unique among all that run.
	ID string
	// Lease is how long a claim holds without a heartbeat; 0 for DefaultLease. There
	// are more than four heartbeats in it.
	Lease time.Duration
}

// The leases of claims. In the shortest one a heartbeat comes every two seconds, and
// several may be late on a database that is busy; in the longest one a stack whose
// worker died waits for it.
const (
	DefaultLease  = 45 * time.Second
	ShortestLease = 9 * time.Second
	LongestLease  = 10 * time.Minute
)

func (n Node) lease() time.Duration { return orDuration(n.Lease, DefaultLease) }

// beat is how often a claim is renewed.
func (n Node) beat() time.Duration { return n.lease() * 2 / 9 } // 10 s of 45 s

var (
	// ErrNotNow says that an operation cannot be taken at the moment: it is not to be
	// run, or not yet.
	ErrNotNow = errors.New("the operation cannot be taken now")
	// ErrClaimLost says that the operation is not the worker's any more. The worker
	// ends what it runs for it, and writes nothing.
	ErrClaimLost = errors.New("the claim on the operation is lost")
)

// Work is an operation that a worker has taken. As long as the claim is kept nobody
// else runs it, and nothing else runs on its environment. See Perform.
type Work struct {
	service *Service
	node    Node
	claim   Claim
	project Project
	env     Environment
	// blueprint is what runs: what the service has now.
	blueprint BlueprintRef
	limits    BlueprintLimits
	quota     Quota
	// savedPlan is that of the last preview, of an operation that is held to it. It is
	// in no store: what is approved is previewed again before it is applied.
	savedPlan []byte
	// begun is the admission of the preview that the claim has begun with; nil where it
	// begins with something else, and once it runs.
	begun *admission
	// deadline is when the operation has taken too long, by this machine's clock.
	deadline time.Time
	keeper   *keeper
	events   *emitter

	mu sync.Mutex
	// operation is as the last transaction left it.
	operation Operation
	left      bool
}

// Operation is the operation as it was last written.
func (w *Work) Operation() Operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.operation
}

// Runnable are operations that a worker may try to take, those first that are next;
// of drift or of all the others.
func (s *Service) Runnable(ctx context.Context, drift bool) (ids []string, err error) {
	const atOnce = 500
	var found []Operation
	err = s.store.View(ctx, func(tx Tx) (err error) { found, err = tx.Runnable(tx.Now(), atOnce); return err })
	for _, o := range found {
		if (o.Kind == KindDrift) == drift {
			ids = append(ids, o.ID)
		}
	}
	return ids, err
}

// Claim takes an operation for a worker, and its environment with it; ErrNotNow
// where that cannot be. An operation that can never be run is ended.
func (s *Service) Claim(ctx context.Context, operationID string, node Node) (*Work, error) {
	var w *Work
	var ended *Operation
	err := s.store.Update(ctx, func(tx Tx) error {
		w, ended = nil, nil
		seen, err := tx.Operation(operationID)
		if err != nil {
			return notNow(err)
		}
		env, err := tx.LockEnvironment(seen.StackID)
		if err != nil {
			return err
		}
		o, err := tx.LockOperation(operationID)
		if err != nil {
			return err
		}
		if !o.State.Runnable() {
			return ErrNotNow
		}
		if done, err := s.impossible(tx, env, &o); err != nil || done {
			ended = &o
			return err
		}
		project, err := tx.Project(o.ProjectID)
		if err != nil {
			return err
		}
		quota, err := s.quota(tx, project)
		if err != nil {
			return err
		}
		if err := s.mayRun(tx, project, quota, env, o); err != nil {
			return err
		}
		now := tx.Now()
		claim, err := tx.TakeClaim(Claim{StackID: env.ID, OperationID: o.ID, Node: node.ID, ExpiresAt: now.Add(node.lease())}, now)
		if err != nil {
			return notNow(err)
		}
		w = &Work{service: s, node: node, claim: claim, project: project, quota: quota, env: env}
		return w.begin(tx, o)
	})
	switch {
	case err != nil:
		return nil, err
	case ended != nil:
		s.changed.tell(ended.ID)
		return nil, fmt.Errorf("%w: it has ended as %s", ErrNotNow, ended.State)
	}
	s.changed.tell(operationID)
	return w, nil
}

// notNow is for what is missing, and for claims that others have.
func notNow(err error) error {
	if errors.Is(err, backend.ErrNotFound) || errors.Is(err, backend.ErrExists) {
		return ErrNotNow
	}
	return err
}

// begin writes that the worker has it. What was approved stays so until the worker
// has seen that it is still what was approved.
func (w *Work) begin(tx Tx, o Operation) error {
	b, err := w.service.catalog.Blueprint(o.Blueprint.Name, o.Blueprint.Version)
	if err != nil {
		return err // impossible has looked
	}
	w.blueprint, w.limits = b.BlueprintRef, b.Limits
	w.deadline = time.Now().Add(deadlineOf(b.Limits))
	o.Node, o.Fence = w.node.ID, w.claim.Fence
	if o.StartedAt.IsZero() {
		o.StartedAt = tx.Now()
	}
	if o.State == Queued {
		o.Blueprint = w.blueprint
		if err = move(tx, &o, Preparing, systemActor, "on "+w.node.ID); err == nil && w.previewsAtOnce(o) {
			err = w.beginPreview(tx, &o)
		}
	} else {
		err = tx.SaveOperation(&o)
	}
	w.operation = o
	return err
}

// previewsAtOnce says that nothing comes before the preview: then it begins in the
// transaction of the claim, and there is one less that the disk is waited for.
func (w *Work) previewsAtOnce(o Operation) bool {
	return o.Kind != KindRecover && !w.rehearses(o)
}

func (w *Work) beginPreview(tx Tx, o *Operation) error {
	if err := move(tx, o, Previewing, systemActor, ""); err != nil {
		return err
	}
	stack, err := tx.StackByID(o.StackID)
	if err != nil {
		return err
	}
	admitted, err := w.admission(tx, *o, previews[o.Kind], stack)
	w.begun = &admitted
	return err
}

// deadlineOf is how long an operation may take where its blueprint says nothing.
func deadlineOf(l BlueprintLimits) time.Duration {
	if l.Minutes == 0 {
		return 2 * time.Hour
	}
	return time.Duration(l.Minutes) * time.Minute
}

// impossible ends an operation that no worker can ever run.
func (s *Service) impossible(tx Tx, env Environment, o *Operation) (done bool, err error) {
	end := func(next State, code Code, format string, args ...any) (bool, error) {
		why := fmt.Sprintf(format, args...)
		o.Failure = &Failure{Code: code, Message: why}
		return true, move(tx, o, next, systemActor, why)
	}
	if !env.DeletedAt.IsZero() {
		return end(Skipped, CodeNotFound, "its stack was removed")
	}
	if _, err := s.catalog.Blueprint(o.Blueprint.Name, o.Blueprint.Version); err != nil {
		return end(Failed, CodeEngineUnavailable, "version %s of blueprint %s is not in the catalogue any more: order the operation again, with a version that is", o.Blueprint.Version, o.Blueprint.Name)
	}
	if o.Kind == KindDestroy && env.Protected {
		return end(Failed, CodeConflict, "the stack was protected after this was ordered: take the protection off, and order it again")
	}
	if !o.Kind.Changes() || o.Kind == KindRecover || o.Kind == KindRefresh {
		return false, nil
	}
	stack, err := tx.StackByID(env.ID)
	if err != nil {
		return false, err
	}
	if !stack.RestoredAt.IsZero() {
		return end(Failed, CodeNeedsRecovery, "the stack comes from a backup, and it may be that this was done already: order an operation of kind refresh, and then this one again")
	}
	died, err := tx.Operations(OperationQuery{StackID: env.ID, States: []State{NeedsRecovery}, Limit: 1})
	if err != nil {
		return false, err
	}
	if stack.PendingCreates > 0 || len(died) > 0 {
		return end(Failed, CodeNeedsRecovery, "the stack needs recovery: an update died in the middle of it. Look at what it left, order an operation of kind recover, and then this one again")
	}
	return false, nil
}

// mayRun is ErrNotNow where an operation must wait.
func (s *Service) mayRun(tx Tx, project Project, quota Quota, env Environment, o Operation) error {
	wait := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrNotNow}, args...)...)
	}
	if env.Lock != nil {
		return wait("the stack is locked by %s", env.Lock.By)
	}
	if o.State == Approved {
		if window, _, frozen := project.Settings.Frozen(tx.Now()); frozen {
			return wait("the project is frozen by %q", window.Name)
		}
	}
	// A claim may have ended, and the operation that it was for not yet have been
	// looked at: what that left is not known.
	running, err := tx.Operations(OperationQuery{StackID: env.ID, States: claimedStates(), Limit: 1})
	if err != nil {
		return err
	}
	if len(running) > 0 {
		return wait("operation %s has the stack", running[0].ID)
	}
	if o.State == Queued {
		first, err := comesFirst(tx, o)
		if err != nil {
			return err
		}
		if first != "" {
			return wait("operation %s comes first", first)
		}
	}
	if err := countAlone(tx); err != nil {
		return err
	}
	n, err := busy(tx, project.ID)
	if err != nil {
		return err
	}
	if most := quota.Concurrent; most > 0 && n >= most {
		return wait("the project runs %d of %d operations", n, most)
	}
	return nil
}

// comesFirst is the operation in a stack's queue that is to be taken before another
// one; empty where there is none. A worker that has looked at the queue a moment ago
// may have passed it over because the project's quota was used up then.
func comesFirst(tx Tx, o Operation) (id string, err error) {
	waiting, err := tx.Operations(OperationQuery{StackID: o.StackID, States: []State{Queued}})
	for _, other := range waiting {
		earlier := other.CreatedAt.Before(o.CreatedAt) || other.CreatedAt.Equal(o.CreatedAt) && other.ID < o.ID
		if other.Priority > o.Priority || other.Priority == o.Priority && earlier {
			id = other.ID
		}
	}
	return id, err
}

// busy counts a project's operations that have a worker: those in the states that
// say so, and those whose worker looks whether they are what was approved.
func busy(tx Tx, projectID string) (int, error) {
	n, err := tx.CountOperations(projectID, claimedStates()...)
	if err != nil {
		return 0, err
	}
	waiting, err := tx.Operations(OperationQuery{ProjectIDs: []string{projectID}, States: []State{Approved}})
	for _, o := range waiting {
		if o.Node != "" {
			n++
		}
	}
	return n, err
}

// claimedStates are those with a worker.
func claimedStates() (states []State) {
	for _, state := range States() {
		if state.Claimed() {
			states = append(states, state)
		}
	}
	return states
}
