package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// slowProgress says what goes on, once that takes long: a command that is done at
// once says nothing. On a terminal it is a line that is rewritten.
type slowProgress struct {
	to   io.Writer
	live bool

	mu    sync.Mutex
	now   string
	shown string
	stop  func()
}

// How long a command may be silent, and how often it then says something: to a
// terminal, and to a log.
const (
	silent      = 2 * time.Second
	liveEvery   = 250 * time.Millisecond
	loggedEvery = 10 * time.Second
)

func newSlowProgress(to io.Writer) *slowProgress {
	p := &slowProgress{to: to, live: isTerminal(to)}
	every := loggedEvery
	if p.live {
		every = liveEvery
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for wait := silent; ; wait = every {
			select {
			case <-ended:
				return
			case <-time.After(wait):
				p.show()
			}
		}
	}()
	p.stop = sync.OnceFunc(func() { close(ended); <-done })
	return p
}

// say sets what goes on.
func (p *slowProgress) say(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = what
}

func (p *slowProgress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.now == p.shown:
	case p.live:
		fmt.Fprintf(p.to, "\r\033[K… %s", p.now)
	default:
		fmt.Fprintf(p.to, "… %s\n", p.now)
	}
	p.shown = p.now
}

// end stops it, and leaves the cursor on a fresh line. It may be called again.
func (p *slowProgress) end() {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live && p.shown != "" {
		fmt.Fprint(p.to, "\r\033[K")
	}
	p.shown = ""
}
