package rehearsal

import (
	"fmt"
	"path"
	"time"
)

// Fault is a disturbance of the account's calls, to see how a stack and the
// tools around it take one.
type Fault struct {
	// Call is the kind of call: create, read, update, delete, check, diff,
	// invoke; empty for create, update and delete.
	Call string
	// Type is a pattern of resource types in the sense of path.Match, with the
	// token's colons and slashes taken as dots; empty for all.
	Type string
	// After is how many matching calls pass before the first that is disturbed.
	After int
	// Times is how many calls are disturbed; 0 for all that follow.
	Times int
	// Delay is added before the call goes on.
	Delay time.Duration
	// Code and Message refuse the call, if Code is set: "ThrottlingException".
	Code, Message string
}

type fault struct {
	Fault
	seen int
}

// Inject adds a fault and returns a function that lifts it.
func (a *Account) Inject(f Fault) (lift func(), err error) {
	if _, err := path.Match(f.Type, ""); err != nil {
		return nil, fmt.Errorf("rehearsal: fault: type pattern %q: %w", f.Type, err)
	}
	held := &fault{Fault: f}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, held)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		kept := a.faults[:0:0]
		for _, one := range a.faults {
			if one != held {
				kept = append(kept, one)
			}
		}
		a.faults = kept
	}, nil
}

// strike lets the faults act on a call. Delays run without the lock, so that
// they do not add up over calls in parallel.
func (a *Account) strike(op operation, token, urn string) error {
	a.mu.Lock()
	var delay time.Duration
	var refused error
	for _, f := range a.faults {
		if !f.matches(op, token) {
			continue
		}
		f.seen++
		if f.seen <= f.After || f.Times > 0 && f.seen > f.After+f.Times {
			continue
		}
		delay += f.Delay
		if f.Code != "" && refused == nil {
			k, _ := kindOf(token)
			c := &call{acct: a, kind: k, op: op, urn: urn, birth: f.seen}
			refused = c.refused(f.Code, 400, f.Message)
		}
	}
	a.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	return refused
}

func (f *fault) matches(op operation, token string) bool {
	if f.Call == "" && op != opCreate && op != opUpdate && op != opDelete || f.Call != "" && f.Call != op.name {
		return false
	}
	if f.Type == "" {
		return true
	}
	ok, err := path.Match(dotted(f.Type), dotted(token))
	return err == nil && ok
}

func dotted(token string) string {
	out := []byte(token)
	for i, b := range out {
		if b == ':' || b == '/' {
			out[i] = '.'
		}
	}
	return string(out)
}
