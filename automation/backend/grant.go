package backend

import (
	"path"
	"slices"
	"strings"
)

// Verb is one thing that a token may do.
type Verb string

// The verbs. Each that does more includes Read, and Apply includes Preview.
const (
	// Read sees stacks, states without secrets, and history.
	Read Verb = "read"
	// Write creates, renames, tags and deletes stacks, imports states, and
	// encrypts secrets.
	Write Verb = "write"
	// Decrypt reads secrets. The CLI needs it for every preview.
	Decrypt Verb = "decrypt"
	// Preview runs the program and changes nothing.
	Preview Verb = "preview"
	// Apply updates, refreshes and destroys.
	Apply Verb = "apply"
	// ApplyProtected does that to protected stacks too.
	ApplyProtected Verb = "apply-protected"
	// Policy publishes packs and says which are required.
	Policy Verb = "policy"
	// Admin makes organizations and tokens, protects stacks and reads the audit
	// log; it includes every other verb.
	Admin Verb = "admin"
)

// Verbs are all of them.
var Verbs = []Verb{Read, Write, Decrypt, Preview, Apply, ApplyProtected, Policy, Admin}

// Grant allows verbs on stacks.
type Grant struct {
	// Stacks is a pattern of org/project/stack, in which * stands for any part
	// of one of the three: "acme/*/*", "acme/shop/prod-*".
	Stacks string `json:"stacks"`
	Verbs  []Verb `json:"verbs"`
}

// Allows says whether the grant is for a verb on a stack.
func (g Grant) Allows(v Verb, name StackName) bool {
	return g.has(v) && g.matches(name)
}

func (g Grant) has(v Verb) bool {
	return slices.ContainsFunc(g.Verbs, func(granted Verb) bool { return granted.includes(v) })
}

// includes says whether who may do one thing may do another.
func (v Verb) includes(other Verb) bool {
	switch {
	case v == other, v == Admin, other == Read:
		return true
	case other == Preview:
		return v == Apply || v == ApplyProtected
	case other == Apply:
		return v == ApplyProtected
	default:
		return false
	}
}

func (g Grant) matches(name StackName) bool {
	ok, err := path.Match(strings.ToLower(g.Stacks), strings.ToLower(name.String()))
	return err == nil && ok
}

// touches says whether the grant is for anything in an organization.
func (g Grant) touches(org string) bool {
	pattern, _, _ := strings.Cut(g.Stacks, "/")
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(org))
	return err == nil && ok
}
