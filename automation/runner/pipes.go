package runner

import (
	"errors"
	"fmt"
	"os"
)

// pipes tie parent and child.
type pipes struct {
	// control, messages and held are the parent's ends.
	control, messages, held *os.File
	// The child's ends.
	childControl, childMessages, childHeld *os.File
}

func newPipes() (*pipes, error) {
	p := &pipes{}
	var err error
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe() // closed in other children of this process
		}
		return r, w
	}
	p.childControl, p.control = pipe()
	p.messages, p.childMessages = pipe()
	p.held, p.childHeld = pipe()
	if err != nil {
		p.closeChild()
		p.closeParent()
		return nil, fmt.Errorf("no pipes for an operation: %w", err)
	}
	return p, nil
}

// closeChild closes the child's ends, which it has inherited.
func (p *pipes) closeChild() { closeAll(p.childControl, p.childMessages, p.childHeld) }

func (p *pipes) closeParent() { closeAll(p.control, p.messages, p.held) }

// closeAll closes files that may be nil or closed already.
func closeAll(files ...*os.File) {
	var failures []error
	for _, f := range files {
		if f != nil {
			failures = append(failures, f.Close())
		}
	}
	_ = errors.Join(failures...) // pipes: nothing is lost
}
