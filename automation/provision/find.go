package provision

import (
	"context"
	"strings"

	"redoubt/automation/backend"
)

// resource is the project, for an Authorizer.
func (p Project) resource() Resource { return Resource{Org: p.Org, Project: p.Name} }

// resource is the environment, for an Authorizer.
func (e Environment) resource() Resource {
	return Resource{
		Org: e.Name.Org, Project: e.Name.Project, Stack: e.Name.Stack, Tags: e.Labels, Protected: e.Protected, Owner: e.Owner,
		TTL: !e.ExpiresAt.IsZero(),
	}
}

// resource is an operation on the environment.
func (o Operation) resource(e Environment) Resource {
	r := e.resource()
	r.RequestedBy, r.State = o.RequestedBy.Human, o.State
	return r
}

// findProject finds a project by its id or as "org/name".
func findProject(tx Tx, id string) (p Project, err error) {
	if org, name, ok := strings.Cut(id, "/"); ok {
		p, err = tx.ProjectByName(org, name)
	} else {
		p, err = tx.Project(id)
	}
	return p, absent(err, named("project", id))
}

// findEnvironment finds an environment that is not deleted by its id or as
// "org/project/stack".
func findEnvironment(tx Tx, id string) (e Environment, err error) {
	if parts := strings.Split(id, "/"); len(parts) == 3 {
		e, err = tx.EnvironmentByName(backend.StackName{Org: parts[0], Project: parts[1], Stack: parts[2]})
	} else {
		e, err = tx.Environment(id)
	}
	if err == nil && !e.DeletedAt.IsZero() {
		err = backend.ErrNotFound
	}
	return e, absent(err, named("stack", id))
}

// projectFor finds a project for one of some actions.
func (s *Service) projectFor(ctx context.Context, p Principal, id string, actions ...Action) (found Project, err error) {
	if err := s.read(ctx, func(tx Tx) (err error) { found, err = findProject(tx, id); return err }); err != nil {
		return Project{}, err
	}
	return found, s.allowAny(ctx, p, actions, found.resource(), named("project", id))
}

// environmentFor finds an environment for one of some actions.
func (s *Service) environmentFor(ctx context.Context, p Principal, id string, actions ...Action) (found Environment, err error) {
	if err := s.read(ctx, func(tx Tx) (err error) { found, err = findEnvironment(tx, id); return err }); err != nil {
		return Environment{}, err
	}
	return found, s.allowAny(ctx, p, actions, found.resource(), named("stack", id))
}

// operationFor finds an operation for one of some actions. Operations of deleted
// environments are found too.
func (s *Service) operationFor(ctx context.Context, p Principal, id string, actions ...Action) (found Operation, on Environment, err error) {
	err = s.read(ctx, func(tx Tx) (err error) {
		if found, err = tx.Operation(id); err != nil {
			return absent(err, named("operation", id))
		}
		on, err = tx.Environment(found.StackID)
		return err
	})
	if err != nil {
		return Operation{}, Environment{}, err
	}
	return found, on, s.allowAny(ctx, p, actions, found.resource(on), named("operation", id))
}
