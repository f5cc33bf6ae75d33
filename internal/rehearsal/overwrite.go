package rehearsal

import "slices"

// Overwrite is a creation that changed what another resource had made: AWS
// takes it and says nothing. The one that was there first has drifted since,
// and whoever deletes it deletes it for both.
type Overwrite struct {
	// Type and ID are of what both mean.
	Type, ID string
	// By is the URN of the resource that came later, Of that of the first.
	By, Of string
	// Source is the page or issue that says so.
	Source string
}

// Overwritten lists what was overwritten since the account was opened, in
// order. Two stacks of one account that should not know of each other leave it
// empty; so does a single stack that declares everything once.
func (a *Account) Overwritten() []Overwrite {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.overwritten)
}

// overwrite notes what the creation in hand is about to overwrite.
func (c *call) overwrite() {
	if r, held := c.acct.live[c.key()]; held {
		c.acct.overwritten = append(c.acct.overwritten, Overwrite{Type: r.typ, ID: r.id, By: c.urn, Of: r.urn, Source: c.kind.overwrites})
	}
}
