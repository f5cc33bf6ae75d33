package provision

import "sync"

// notifier tells goroutines of this process that an operation has new events.
// Other processes find out by asking the database.
type notifier struct {
	mu      sync.Mutex
	waiting map[string]*waiters
}

// waiters wait for one operation.
type waiters struct {
	told  chan struct{}
	count int
}

// wait returns a channel that is closed at the next tell of the operation. done is
// called by who does not wait any more: most operations are told of by another
// process, and nothing may be left of those here.
func (n *notifier) wait(operationID string) (told <-chan struct{}, done func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting == nil {
		n.waiting = map[string]*waiters{}
	}
	w, ok := n.waiting[operationID]
	if !ok {
		w = &waiters{told: make(chan struct{})}
		n.waiting[operationID] = w
	}
	w.count++
	return w.told, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if w.count--; w.count == 0 && n.waiting[operationID] == w {
			delete(n.waiting, operationID)
		}
	}
}

func (n *notifier) tell(operationID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w, ok := n.waiting[operationID]; ok {
		close(w.told)
		delete(n.waiting, operationID)
	}
}
