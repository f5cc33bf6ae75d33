package transfer

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// Passphrases find the passphrase of a stack.
type Passphrases struct {
	// Files are by the stack's name, in any of the forms that Options.Stacks
	// takes; the one of "" is for all others.
	Files map[string]string
	// Lookup reads the environment; nil is the process's.
	Lookup func(string) (string, bool)
	// Ask asks a person; nil where nobody is there. An empty answer is that of
	// the stack before.
	Ask func(stack string) (string, error)

	mu    sync.Mutex
	asked map[Name]string
	last  string
}

// errNoPassphrase is what there is to do about it.
var errNoPassphrase = errors.New("its secrets are encrypted with a passphrase and there is none: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, name --passphrase-file [STACK=]FILE, or run this on a terminal")

// of returns a stack's passphrase.
func (p *Passphrases) of(n Name) (string, error) {
	if p == nil {
		p = &Passphrases{}
	}
	for _, name := range []string{n.String(), n.short(), n.Stack, ""} {
		if file, ok := p.Files[name]; ok {
			return readPassphrase(file)
		}
	}
	lookup := p.Lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	if text, ok := lookup("PULUMI_CONFIG_PASSPHRASE"); ok {
		return text, nil
	}
	if file, ok := lookup("PULUMI_CONFIG_PASSPHRASE_FILE"); ok && file != "" {
		return readPassphrase(file)
	}
	if p.Ask == nil {
		return "", errNoPassphrase
	}
	return p.ask(n)
}

func (p *Passphrases) ask(n Name) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text, ok := p.asked[n]; ok {
		return text, nil
	}
	text, err := p.Ask(n.String())
	if err != nil {
		return "", fmt.Errorf("no passphrase was given: %w", err)
	}
	if text == "" {
		text = p.last
	}
	if p.asked == nil {
		p.asked = map[Name]string{}
	}
	p.asked[n], p.last = text, text
	return text, nil
}

// readPassphrase reads a file as the CLI does.
func readPassphrase(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the passphrase cannot be read: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
