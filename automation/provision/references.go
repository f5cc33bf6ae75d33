package provision

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"redoubt/automation/backend"
)

// references are the stacks whose outputs a blueprint reads, as inputs name them
// ("organization/project/stack"), by where that is said. Inputs that do not fit the
// schema have none.
func references(b Blueprint, inputs json.RawMessage) map[string]backend.StackName {
	value, err := decoded(inputs)
	if err != nil {
		return nil
	}
	found := map[string]backend.StackName{}
	for _, where := range b.StackInputs {
		_, _ = at(value, "", tokens(where), func(pointer string, v any) (any, error) {
			text, ok := v.(string)
			parts := strings.Split(text, "/")
			if ok && len(parts) == 3 {
				found[pointer] = backend.StackName{Org: parts[0], Project: parts[1], Stack: parts[2]}
			}
			return v, nil
		}) // it changes nothing, and cannot fail
	}
	return found
}

// checkReferences finds the stacks among them that are not there, or not the
// principal's to read: what their outputs say would become the principal's.
func (s *Service) checkReferences(ctx context.Context, p Principal, b Blueprint, inputs json.RawMessage, f *findings) error {
	for pointer, name := range references(b, inputs) {
		missing := func() { f.add("/inputs"+pointer, "there is no stack %s that %s may read", name, p.Name) }
		if backend.CheckStackName(name) != nil {
			missing()
			continue
		}
		var stack backend.Stack
		err := s.read(ctx, func(tx Tx) (err error) { stack, err = tx.Stack(name); return err })
		if errors.Is(err, backend.ErrNotFound) {
			missing()
			continue
		}
		if err != nil {
			return err
		}
		err = s.allow(ctx, p, ActionRead, Resource{Org: name.Org, Project: name.Project, Stack: name.Stack, Tags: stack.Tags}, named("stack", name.String()))
		switch CodeOf(err) {
		case CodeForbidden, CodeNotFound:
			missing()
		default:
			if err != nil {
				return err
			}
		}
	}
	return nil
}
