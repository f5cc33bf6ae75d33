package chaos

import "sync"

// trap is sprung at one of the moments of an operation: before or after a call
// of the provider, before or after a request to the server.
type trap struct {
	mu    sync.Mutex
	stack string
	count int
	at    int
	// spring does the damage; it says whether who made the call is dead by it.
	spring func() bool
	sprung bool
}

// set makes the trap spring at a moment of a stack's operations, counted from
// one; at zero it only counts.
func (t *trap) set(stack string, at int, spring func() bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stack, t.count, t.at, t.spring, t.sprung = stack, 0, at, spring, false
}

// pass is a moment; it returns true if who made the call is dead by now. All
// calls of the stack wait while the damage is done.
func (t *trap) pass(stack string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if stack != t.stack {
		return false
	}
	t.count++
	if t.count != t.at {
		return false
	}
	t.sprung = true
	return t.spring()
}

// seen is how many moments there were since it was set, and whether it sprang.
func (t *trap) seen() (moments int, sprung bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count, t.sprung
}
