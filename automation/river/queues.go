package river

import "redoubt/automation/provision"

// The queues. Checks for drift have one of their own, and slots of their own,
// so that a thousand of them keep no order waiting.
const (
	Default = provision.QueueDefault
	Drift   = provision.QueueDrift
)

// Queues are all of them.
var Queues = provision.QueueNames

// QueueOf is the queue of a kind of operation.
func QueueOf(kind provision.OperationKind) string {
	if kind == provision.KindDrift {
		return Drift
	}
	return Default
}

// Share divides a worker's slots between the queues: drift gets a quarter, and at
// least one, because a check that never runs finds nothing.
func Share(slots int) map[string]int {
	drift := max(1, slots/4)
	return map[string]int{Default: max(1, slots-drift), Drift: drift}
}

// priority is River's: those are 1 to 4, the most urgent first; an operation's are any
// number, higher first.
func priority(p int) int {
	switch {
	case p > 0:
		return 1
	case p == 0:
		return 2
	case p > -10:
		return 3
	default:
		return 4
	}
}
