// Package guide holds the bullets of the Security Guide (guide.md) as typed
// constants. Components and rules name the bullets that they serve, so that
// the way bullet → component → rule → test can be generated (docs/coverage.md)
// and no bullet is lost. The package imports nothing.
package guide

import _ "embed"

// Text is the Security Guide itself, the requirement, in Markdown.
//
//go:embed guide.md
var Text string

// ID names a bullet: lower case, dotted, stable across releases, for example
// "architecture.vpc.flow-logs".
type ID string

// Bullet is one line of the guide.
type Bullet struct {
	ID ID
	// Section is the way to the bullet through the guide's headings,
	// for example "Security Architecture / Network Security / VPC Configuration".
	Section string
	// Text is the bullet's own words; for a diagram edge or a snippet's value
	// it is a short description.
	Text string
}

// Component says which bullets a Pulumi component serves.
type Component struct {
	// Token is the component's type, "redoubt:<layer>:<Type>".
	Token string
	// Serves are the bullets that the component's resources fulfil.
	Serves []ID
}

var byID = func() map[ID]Bullet {
	m := make(map[ID]Bullet, len(bullets))
	for _, b := range bullets {
		m[b.ID] = b
	}
	return m
}()

// All returns every bullet in the guide's order. The slice is the caller's.
func All() []Bullet { return append([]Bullet(nil), bullets...) }

// Lookup returns the bullet with that id; ok is false where there is none.
func Lookup(id ID) (b Bullet, ok bool) {
	b, ok = byID[id]
	return b, ok
}

// String returns the bullet as people cite it: "Security Groups: ALB: HTTPS inbound only".
// An id that does not exist is returned as it is.
func (id ID) String() string {
	b, ok := byID[id]
	if !ok {
		return string(id)
	}
	return b.group() + ": " + b.Text
}

// group is the innermost heading above the bullet.
func (b Bullet) group() string {
	for i := len(b.Section) - 1; i >= 0; i-- {
		if b.Section[i] == '/' {
			return b.Section[i+2:]
		}
	}
	return b.Section
}
