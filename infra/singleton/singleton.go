// Package singleton says what a stack does about a thing of which an account,
// or an account's region, has only one: two stacks that both create it fail,
// and one that deletes it takes it from the other.
package singleton

import "fmt"

// Mode is what the stack does.
type Mode string

// The modes.
const (
	// Manage creates it and owns it; it is protected against deletion.
	Manage Mode = "manage"
	// Adopt uses the one that is there, by id or by looking it up, and never
	// changes or deletes it.
	Adopt Mode = "adopt"
	// Off does without.
	Off Mode = "off"
)

// Modes are all modes.
var Modes = []Mode{Manage, Adopt, Off}

// Singleton is one such thing in a stack's configuration.
type Singleton struct {
	// Mode is what the stack does: manage, adopt or off.
	Mode Mode `json:"mode"`
	// ID is the existing one's id or name, for Adopt; empty to look it up.
	ID string `json:"id,omitempty"`
}

// Validate says what is wrong with it, nil for nothing.
func (s Singleton) Validate() error {
	switch s.Mode {
	case Manage, Off:
		if s.ID != "" {
			return fmt.Errorf("id %q has no meaning with mode %s (remove it, or use mode adopt)", s.ID, s.Mode)
		}
		return nil
	case Adopt:
		return nil
	default:
		return fmt.Errorf("mode %q is not a choice (one of manage, adopt, off)", s.Mode)
	}
}

// Managed, Adopted and Used say what the mode means.
func (s Singleton) Managed() bool { return s.Mode == Manage }

// Adopted is true where an existing one is used.
func (s Singleton) Adopted() bool { return s.Mode == Adopt }

// Used is true where there is one at all.
func (s Singleton) Used() bool { return s.Mode != Off }
