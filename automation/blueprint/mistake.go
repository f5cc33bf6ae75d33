package blueprint

import (
	"slices"
	"strings"
)

// Mistake is one known mistake, planted into the program as it registers its
// resources.
type Mistake struct {
	// Name is what `--break` takes; Family is the subject that it belongs to;
	// Deed says the mistake in words.
	Name, Family, Deed string
	// Rule is the policy that must refuse it, at preview, and the only one that may.
	Rule string
	// Change is the mistake itself.
	Change
	// Beside are what else the program must say for it to be a mistake, and no
	// other one.
	Beside []Change
	// At is the resource that the finding names, where that is not On.
	At Target
}

// Change is a resource that is not as the program has it, or is too many.
type Change struct {
	On Target
	// Set is what properties become, by path: see edit. Gone takes a property or
	// an element away.
	Set map[string]any
	// Ignore is added to the resource's option ignoreChanges.
	Ignore []string
	// Add is the inputs of a resource that the program does not have. Of is a
	// value of another resource.
	Add map[string]any
}

// Target names a resource of any environment's stack.
type Target struct {
	// Type is the short token ("kms/key"), or a full one of no AWS type.
	Type string
	// Name is how its logical name ends, after the stack's prefix ("app-key");
	// empty for the only resource of its type.
	Name string
}

// theStack is what a finding names that is about the stack as a whole.
var theStack = Target{Type: "pulumi:pulumi:Stack"}

// Gone, as a value of Change.Set, takes the property or the element away.
var Gone = gone{}

type gone struct{}

// Of, as a value of Change.Add, is a property of a resource of the program.
type Of struct {
	Target
	// Property is its name in the schema, "id" or "arn".
	Property string
}

// Subject is the resource that the finding names.
func (m Mistake) Subject() Target {
	if m.At.Type != "" {
		return m.At
	}
	return m.On
}

// Changes are all that the mistake does to the program.
func (m Mistake) Changes() []Change { return append([]Change{m.Change}, m.Beside...) }

// Disturbs says whether two mistakes cannot be told apart in one preview: they
// write the same property, or the same finding is expected of both.
func (m Mistake) Disturbs(other Mistake) bool {
	if m.Rule == other.Rule && m.Subject() == other.Subject() {
		return true
	}
	return slices.ContainsFunc(m.Changes(), func(a Change) bool {
		return slices.ContainsFunc(other.Changes(), a.overlaps)
	})
}

// overlaps compares properties by their first word: two changes of a list move
// each other's elements.
func (c Change) overlaps(other Change) bool {
	if c.On != other.On {
		return false
	}
	if c.Add != nil || other.Add != nil {
		return true
	}
	for path := range c.Set {
		for theirs := range other.Set {
			if steps(path)[0] == steps(theirs)[0] {
				return true
			}
		}
	}
	return false
}

// Matches says whether a resource of the stack is the target.
func (t Target) Matches(token, name string) bool {
	return token == t.Token() && (t.Name == "" || name == t.Name || strings.HasSuffix(name, "-"+t.Name))
}

// Token is the target's whole type token.
func (t Target) Token() string {
	if strings.Contains(t.Type, ":") {
		return t.Type
	}
	_, name, _ := strings.Cut(t.Type, "/")
	return "aws:" + t.Type + ":" + strings.ToUpper(name[:1]) + name[1:]
}

// String is the target as a message names it.
func (t Target) String() string { return strings.TrimSpace(t.Type + " " + t.Name) }
