package provision

import "slices"

// State is where an operation is on its way.
type State string

// The states. See transitions for what follows what.
const (
	// Queued waits for a worker.
	Queued State = "queued"
	// Preparing has a worker, which reads the inputs and rehearses the order where
	// the project says so.
	Preparing State = "preparing"
	// Previewing runs the engine's preview with the policy pack.
	Previewing State = "previewing"
	// PolicyBlocked is the end of an operation with mandatory findings.
	PolicyBlocked State = "policy_blocked"
	// AwaitingApproval holds no worker and no claim.
	AwaitingApproval State = "awaiting_approval"
	// Approved waits for a worker to apply what was approved.
	Approved State = "approved"
	// Applying changes the stack.
	Applying State = "applying"
	// Verifying reads what the update left.
	Verifying State = "verifying"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	// Canceling waits for what has begun to end.
	Canceling State = "canceling"
	Canceled  State = "canceled"
	// Rejected was refused by an approver.
	Rejected State = "rejected"
	// Expired waited too long for approval.
	Expired State = "expired"
	// Skipped was overtaken by a newer operation, or waited too long in the queue.
	Skipped State = "skipped"
	// NeedsRecovery died in mid-update: a person looks at what is pending.
	NeedsRecovery State = "needs_recovery"
	// Recovering refreshes the stack after that.
	Recovering State = "recovering"
)

// transitions say what may follow what.
var transitions = map[State][]State{
	Queued:           {Preparing, Canceled, Skipped, Failed},
	Preparing:        {Previewing, Recovering, Queued, Canceled, Failed, PolicyBlocked},
	Previewing:       {PolicyBlocked, AwaitingApproval, Approved, Succeeded, Queued, Canceled, Failed},
	AwaitingApproval: {Approved, Rejected, Expired, Canceled, Skipped},
	// Back to AwaitingApproval where the plan is not the one that was approved,
	// to Succeeded where nothing is left to do.
	Approved:      {Applying, AwaitingApproval, PolicyBlocked, Succeeded, Canceled, Skipped, Failed},
	Applying:      {Verifying, Canceling, Failed, NeedsRecovery},
	Verifying:     {Succeeded, Failed, NeedsRecovery},
	Canceling:     {Canceled, Failed, NeedsRecovery, Succeeded},
	NeedsRecovery: {Recovering, Canceled, Failed},
	Recovering:    {Succeeded, Failed, NeedsRecovery},
}

// States are all of them.
func States() []State {
	return []State{
		Queued, Preparing, Previewing, PolicyBlocked, AwaitingApproval, Approved, Applying, Verifying, Succeeded, Failed,
		Canceling, Canceled, Rejected, Expired, Skipped, NeedsRecovery, Recovering,
	}
}

// May says whether a state may follow.
func (s State) May(next State) bool { return slices.Contains(transitions[s], next) }

// Final is true where nothing follows.
func (s State) Final() bool { return len(transitions[s]) == 0 }

// Claimed says whether an operation in the state has a worker, and its
// environment is claimed for it.
func (s State) Claimed() bool {
	return slices.Contains([]State{Preparing, Previewing, Applying, Verifying, Canceling, Recovering}, s)
}

// Runnable says whether a worker may take an operation in the state.
func (s State) Runnable() bool { return s == Queued || s == Approved }
