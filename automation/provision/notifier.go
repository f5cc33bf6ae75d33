package provision

import "sync"

// notifier tells goroutines of this process that an operation has new events.
// Other processes find out by asking the database.
type notifier struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// wait returns a channel that is closed at the next tell of the operation.
func (n *notifier) wait(operationID string) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting == nil {
		n.waiting = map[string]chan struct{}{}
	}
	c, ok := n.waiting[operationID]
	if !ok {
		c = make(chan struct{})
		n.waiting[operationID] = c
	}
	return c
}

func (n *notifier) tell(operationID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c, ok := n.waiting[operationID]; ok {
		close(c)
		delete(n.waiting, operationID)
	}
}
