package operate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/internal/rehearsal"
)

// accounts are the simulated accounts of organizations, opened when they are first
// wanted.
type accounts struct {
	folder string

	mu     sync.Mutex
	open   map[string]*served
	closed bool
}

// served is an account that engines reach.
type served struct {
	account *rehearsal.Account
	server  *rehearsal.Server
}

func serve(path string) (*served, error) {
	account, err := rehearsal.Open(path)
	if err != nil {
		return nil, err
	}
	server, err := rehearsal.Serve(context.Background(), account, "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, account.Close())
	}
	return &served{account, server}, nil
}

func (s *served) close() error { return errors.Join(s.server.Close(), s.account.Close()) }

// of is an organization's account. Its name is a file's: the backend's grammar for
// names has nothing in it that leads elsewhere.
func (a *accounts) of(org string) (*served, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errors.New("the rehearsal accounts are closed")
	}
	if s, ok := a.open[org]; ok {
		return s, nil
	}
	if err := os.MkdirAll(a.folder, 0o700); err != nil {
		return nil, fmt.Errorf("the rehearsal accounts: %w", err)
	}
	s, err := serve(filepath.Join(a.folder, org+".jsonl"))
	if err != nil {
		return nil, fmt.Errorf("the rehearsal account of %s: %w", org, err)
	}
	if a.open == nil {
		a.open = map[string]*served{}
	}
	a.open[org] = s
	return s, nil
}

func (a *accounts) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	var failures []error
	for _, s := range a.open {
		failures = append(failures, s.close())
	}
	a.open = nil
	return errors.Join(failures...)
}

// Account is the simulated account of an organization, for tests and tours that
// change something behind Pulumi's back.
func (e *Engine) Account(org string) (*rehearsal.Account, error) {
	s, err := e.accounts.of(org)
	if err != nil {
		return nil, err
	}
	return s.account, nil
}

// attach has an operation use a simulated account, and keeps the real AWS out.
func attach(spec *runner.Spec, s *served) {
	maps.Copy(spec.Env, engine.WithoutAWS)
	spec.Env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d", s.server.Port())
}

// nowhere has the operation run where nothing is real: in an account in memory, and
// on a stack in a folder.
func (e *Engine) nowhere(spec *runner.Spec, r provision.Run, folder *scratch) (leave func() error, err error) {
	work, err := folder.make()
	if err != nil {
		return nil, err
	}
	state := filepath.Join(work, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		return nil, err
	}
	s, err := serve("")
	if err != nil {
		return nil, err
	}
	attach(spec, s)
	// What backends in folders call theirs.
	spec.Stack = "organization/" + r.Stack.Project + "/" + r.Stack.Stack
	// With metadata the file's neighbour is rewritten in place, and a read at that
	// moment fails (gocloud.dev/blob/fileblob).
	spec.Backend = engine.Backend{URL: "file://" + state + "?metadata=skip"}
	spec.Create, spec.Passphrase = true, rand.Text()
	// Nothing is kept: without a checkpoint per step it is faster.
	spec.Env["PULUMI_EXPERIMENTAL"], spec.Env["PULUMI_SKIP_CHECKPOINTS"] = "true", "true"
	for name, value := range e.opts.Env {
		if _, set := spec.Env[name]; !set {
			spec.Env[name] = value
		}
	}
	return s.close, nil
}
