package worker

import (
	"time"

	"redoubt/automation/provision"
)

// Metrics is told what a worker does. It must not block.
type Metrics interface {
	// Began: an operation has a slot of a queue.
	Began(queue string, kind provision.OperationKind)
	// Left: it has none any more; state is where it is now, err why the worker could
	// not move it along: provision.ErrClaimLost, or a fault of the service's own.
	Left(queue string, kind provision.OperationKind, state provision.State, after time.Duration, err error)
	// Found: a run of the engine reported what a policy found, once for each.
	Found(pack, policy, level string)
	// Swept: a sweep took so many operations from workers that are not heard of, or
	// ended them because they had waited too long.
	Swept(n int)
}

type nobody struct{}

func (nobody) Began(string, provision.OperationKind)                                       {}
func (nobody) Left(string, provision.OperationKind, provision.State, time.Duration, error) {}
func (nobody) Found(string, string, string)                                                {}
func (nobody) Swept(int)                                                                   {}
