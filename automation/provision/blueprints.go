package provision

import (
	"context"
	"slices"
)

// Blueprints returns what can be ordered, for everybody who has signed in: the
// newest version of each.
func (s *Service) Blueprints(_ context.Context, _ Principal) ([]Blueprint, error) {
	return s.catalog.Blueprints(), nil
}

// Blueprint returns one version of a blueprint, the newest where version is empty.
func (s *Service) Blueprint(_ context.Context, _ Principal, name, version string) (Blueprint, error) {
	found, err := s.catalog.Blueprint(name, version)
	if err == nil {
		return found, nil
	}
	noun := named("blueprint", name)
	if version != "" {
		noun += named(" with version", version)
	}
	return Blueprint{}, &Error{Code: CodeNotFound, Message: "there is no " + noun, Cause: err}
}

// allows says whether a project may order a blueprint.
func (s ProjectSettings) allows(blueprint string) bool {
	return len(s.Blueprints) == 0 || slices.Contains(s.Blueprints, blueprint)
}
