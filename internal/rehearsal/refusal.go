package rehearsal

import (
	"slices"
	"strings"
)

// refusal is one reason why AWS says no.
type refusal struct {
	// name tells refusals apart: "ec2-subnet-in-vpc".
	name string
	// at are the operations that it stands against; creating and updating if
	// empty.
	at []operation
	// code is AWS's error code, status the HTTP status (400 if 0).
	code   string
	status int
	// source is the page or issue that says so.
	source string
	// because says what is wrong, or nothing.
	because func(c *call) string
}

func (r refusal) applies(op operation) bool {
	if len(r.at) == 0 {
		return op == opCreate || op == opUpdate
	}
	return slices.Contains(r.at, op)
}

// refusals is everything that AWS would say against the call in hand. AWS stops
// at the first; a rehearsal says all at once.
func (c *call) refusals() []error {
	var out []error
	if c.op != opDelete {
		out = append(out, c.missing()...)
		out = append(out, c.taken()...)
	}
	for _, r := range c.kind.refuses {
		if !r.applies(c.op) {
			continue
		}
		if message := r.because(c); message != "" {
			out = append(out, c.refused(r.code, r.status, message))
		}
	}
	return out
}

// taken is a refusal for every unique key that another live resource holds.
func (c *call) taken() []error {
	var out []error
	for i, u := range c.kind.unique {
		k, ok := c.uniqueKey(i)
		if !ok {
			continue
		}
		if holder, held := c.acct.index.unique[k]; held && (c.old == nil || holder != c.old.key) {
			message, _ := c.expand(u.message)
			out = append(out, c.refused(u.code, 409, message))
		}
	}
	if len(c.kind.unique) == 0 && c.old == nil && c.kind.overwrites == "" && !c.kind.once {
		if _, held := c.acct.live[c.key()]; held {
			out = append(out, c.refused("ResourceAlreadyExistsException", 409, c.id+" already exists"))
		}
	}
	return out
}

// Refusal documents one reason why the account says no.
type Refusal struct {
	// Type is the resource type, Name the reason's name.
	Type, Name string
	// Code is AWS's error code; "Check" where the provider itself refuses, at
	// preview.
	Code string
	// Source is the page or issue that says so; empty for references, names that
	// are taken and things in use, which the API reference lists per operation.
	Source string
}

// Refusals lists every reason why the account says no, sorted.
func Refusals() []Refusal {
	var out []Refusal
	for token, k := range kinds {
		for _, r := range k.refuses {
			out = append(out, Refusal{token, r.name, r.code, r.source})
		}
		for _, l := range k.limits {
			out = append(out, Refusal{token, "limit of " + l.path, "Check", l.source})
		}
		for _, r := range k.refs {
			if r.to.code != "" {
				out = append(out, Refusal{Type: token, Name: "reference of " + r.path, Code: r.to.code})
			}
		}
		for _, u := range k.unique {
			out = append(out, Refusal{Type: token, Name: "unique " + u.key, Code: u.code})
		}
		for _, b := range k.blocks {
			out = append(out, Refusal{Type: token, Name: "in use", Code: b.code})
		}
	}
	slices.SortFunc(out, func(a, b Refusal) int {
		return strings.Compare(a.Type+a.Name+a.Code, b.Type+b.Name+b.Code)
	})
	return out
}
