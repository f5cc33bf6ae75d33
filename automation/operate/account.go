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
	"time"

	"github.com/gofrs/flock"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/internal/rehearsal"
)

// accounts are the simulated accounts of organizations, opened when they are first
// wanted.
type accounts struct {
	folder string
	// shared accounts are other processes' too: each has one while it runs operations
	// there, and the others wait for it.
	shared bool

	mu     sync.Mutex
	open   map[string]*served
	closed bool
}

// served is an account that engines reach.
type served struct {
	account *rehearsal.Account
	server  *rehearsal.Server
	// lock keeps other processes from a shared one, and users are the operations that
	// have it here.
	lock  *flock.Flock
	users int
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
	return &served{account: account, server: server}, nil
}

func (s *served) close() error {
	err := errors.Join(s.server.Close(), s.account.Close())
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

// errElsewhere is for a shared account that another process has.
var errElsewhere = errors.New("another process runs operations in it")

// askAgain is how often somebody looks whether a shared account is free.
const askAgain = 100 * time.Millisecond

// use has an organization's account until leave is called. Where another process has
// it, use waits until that has no operation there any more, ctx ends or kill is closed.
func (a *accounts) use(ctx context.Context, org string, kill <-chan struct{}) (s *served, leave func() error, err error) {
	for {
		if s, err = a.of(org); err == nil {
			return s, func() error { return a.leave(org, s) }, nil
		}
		if !errors.Is(err, errElsewhere) {
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-kill:
			return nil, nil, err
		case <-time.After(askAgain):
		}
	}
}

// leave closes a shared account that no operation uses any more.
func (a *accounts) leave(org string, s *served) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.users--; s.users > 0 || !a.shared || a.open[org] != s {
		return nil
	}
	delete(a.open, org)
	return s.close()
}

// of is an organization's account, which has one user more. Its name is a file's: the
// backend's grammar for names has nothing in it that leads elsewhere.
func (a *accounts) of(org string) (*served, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errors.New("the rehearsal accounts are closed")
	}
	if s, ok := a.open[org]; ok {
		s.users++
		return s, nil
	}
	if err := os.MkdirAll(a.folder, 0o700); err != nil {
		return nil, fmt.Errorf("the rehearsal accounts: %w", err)
	}
	s, err := a.serve(org)
	if err != nil {
		return nil, fmt.Errorf("the rehearsal account of %s: %w", org, err)
	}
	s.users = 1
	if a.open == nil {
		a.open = map[string]*served{}
	}
	a.open[org] = s
	return s, nil
}

func (a *accounts) serve(org string) (*served, error) {
	path := filepath.Join(a.folder, org+".jsonl")
	if !a.shared {
		return serve(path)
	}
	// Not the account's own lock, which there is only with its first resource.
	lock := flock.New(filepath.Join(a.folder, org+".lock"), flock.SetPermissions(0o600))
	switch free, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("it cannot be locked (is the data folder on a file system without locks?): %w", err)
	case !free:
		return nil, errElsewhere
	}
	s, err := serve(path)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s.lock = lock
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
func (e *Engine) nowhere(_ context.Context, spec *runner.Spec, r provision.Run, folder *scratch, _ <-chan struct{}) (placed, error) {
	work, err := folder.make()
	if err != nil {
		return placed{}, err
	}
	state := filepath.Join(work, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		return placed{}, err
	}
	s, err := serve("")
	if err != nil {
		return placed{}, err
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
	return placed{leave: s.close, began: func(*runner.Operation) {}}, nil
}
