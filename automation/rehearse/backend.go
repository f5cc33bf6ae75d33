package rehearse

import (
	"context"
	"errors"
	"fmt"
	"os"

	"redoubt/automation/backend"
	"redoubt/automation/engine"
	"redoubt/automation/server"
)

// organization is what the backends in folders call theirs, so that a program
// that names it is the same program here.
const organization = "organization"

// service is the backend of a rehearsal: Redoubt's own, as `redoubt serve` runs
// it, on a free port and with a database that goes with it.
type service struct {
	server *server.Server
	admin  backend.Caller
	stop   func() error
}

func startService(ctx context.Context) (_ *service, err error) {
	folder, err := os.MkdirTemp("", "redoubt-backend-")
	if err != nil {
		return nil, fmt.Errorf("no folder for the rehearsal's backend: %w", err)
	}
	config := server.Defaults()
	config.Listen, config.Data, config.Organization = "127.0.0.1:0", folder, organization
	s := &service{}
	if s.server, err = server.Open(ctx, config); err != nil {
		return nil, errors.Join(fmt.Errorf("the rehearsal's backend: %w", err), os.RemoveAll(folder))
	}
	// It outlives ctx: an operation that is interrupted still writes its state.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.server.Run(running) }()
	s.stop = func() error {
		cancel()
		return errors.Join(<-ended, s.server.Close(), os.RemoveAll(folder))
	}
	token, err := s.server.Bootstrap(ctx)
	if err == nil {
		s.admin, err = s.server.Service().Authenticate(ctx, token)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the rehearsal's backend: %w", err), s.stop())
	}
	return s, nil
}

// backend is what the operations of one stack get: a token for that stack and
// for what they do, and to read the stacks that it refers to, by full name.
func (s *service) backend(ctx context.Context, stack string, reads ...string) (*engine.Backend, error) {
	grants := []backend.Grant{{Stacks: organization + "/*/" + stack, Verbs: []backend.Verb{backend.Write, backend.Apply, backend.Decrypt}}}
	for _, name := range reads {
		grants = append(grants, backend.Grant{Stacks: name, Verbs: []backend.Verb{backend.Read, backend.Decrypt}})
	}
	_, token, err := s.server.Service().CreateToken(ctx, s.admin, backend.NewToken{
		Name: "rehearsal of " + stack, Principal: "rehearsal",
		Grants: grants,
	})
	if err != nil {
		return nil, fmt.Errorf("the rehearsal's backend: %w", err)
	}
	return &engine.Backend{URL: s.server.URL(), Token: token}, nil
}

// close stops the server and removes what it kept.
func (s *service) close() error { return s.stop() }
