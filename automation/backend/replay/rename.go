package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// StackIdentity is what URNs and the service's secrets manager know a stack by.
type StackIdentity struct {
	Project, Stack string
	// Org is in no URN. Where both identities have one, the secrets manager's
	// owner changes too.
	Org string
}

// Rename rewrites a state, an apitype.UntypedDeployment as JSON, for a stack that
// gets another name: every URN of the old stack and project in resources, in
// pending operations, in references to resources inside their properties and in
// snippets; the name of the root resource, which is made from both; and what the
// service's secrets manager knows the stack by. All other bytes stay as they are,
// and a state without any of that comes back as it went in.
//
// It is what the CLI does for backends without a service (pkg/v3/resource/edit,
// RenameStack), which leaves snippets and the secrets manager out and refuses a
// state with a malformed reference to a provider; here that stays malformed.
func Rename(deployment json.RawMessage, from, to StackIdentity) (json.RawMessage, error) {
	for _, name := range []string{from.Project, from.Stack, to.Project, to.Stack} {
		if name == "" || strings.Contains(name, urn.NameDelimiter) {
			return nil, fmt.Errorf("%q cannot be the name of a project or a stack in a URN", name)
		}
	}
	inner, _, err := unwrap(deployment)
	if err == nil && inner.from != inner.to {
		r := &renamer{from: from, to: to, prefix: prefixOf(from), editor: editor{doc: deployment}}
		err = r.deployment(inner)
		deployment = r.apply()
	}
	if err != nil {
		return nil, fmt.Errorf("the state cannot be read: %w", err)
	}
	return deployment, nil
}

// prefixOf is what every URN of a stack begins with.
func prefixOf(s StackIdentity) string {
	return urn.Prefix + s.Stack + urn.NameDelimiter + s.Project + urn.NameDelimiter
}

// renamer goes through a document and notes what to write instead.
type renamer struct {
	editor
	from, to StackIdentity
	prefix   string
}

// rename returns the new form of a URN, or of a reference to a provider, which
// begins with one; false for any that is another stack's.
func (r *renamer) rename(s string) (string, bool) {
	rest, ours := strings.CutPrefix(s, r.prefix)
	kind, _, whole := strings.Cut(rest, urn.NameDelimiter)
	switch {
	case !ours || !whole:
		return "", false
	case kind == string(tokens.RootStackType):
		rest = kind + urn.NameDelimiter + r.to.Project + "-" + r.to.Stack
	}
	return prefixOf(r.to) + rest, true
}

// urn renames the string at s, if it is one.
func (r *renamer) urn(s span) error {
	if r.doc[s.from] == '"' {
		if renamed, ours := r.rename(unquote(s.of(r.doc))); ours {
			r.replace(s, renamed)
		}
	}
	return nil
}

func (r *renamer) urns(s span) error { return eachElement(r.doc, s, r.urn) }

func (r *renamer) deployment(s span) error {
	return eachField(r.doc, s, func(key []byte, value span) error {
		switch string(keyName(key)) {
		case "resources":
			return eachElement(r.doc, value, r.resource)
		case "pending_operations":
			return eachElement(r.doc, value, func(operation span) error {
				return r.field(operation, "resource", r.resource)
			})
		case "snippets":
			return eachElement(r.doc, value, func(snippet span) error {
				return r.field(snippet, "references", r.urnsOfFields)
			})
		case "secrets_providers":
			return r.secretsManager(value)
		}
		return nil
	})
}

// field calls f with the field of that name of the object at s.
func (r *renamer) field(s span, name string, f func(span) error) error {
	return eachField(r.doc, s, func(key []byte, value span) error {
		if keyIs(key, name) {
			return f(value)
		}
		return nil
	})
}

func (r *renamer) urnsOfFields(s span) error {
	return eachField(r.doc, s, func(_ []byte, value span) error { return r.urn(value) })
}

func (r *renamer) resource(s span) error {
	return eachField(r.doc, s, func(key []byte, value span) error {
		switch string(keyName(key)) {
		case "urn", "parent", "provider", "deletedWith", "viewOf":
			return r.urn(value)
		case "dependencies", "replaceWith", "aliases":
			return r.urns(value)
		case "propertyDependencies":
			return eachField(r.doc, value, func(_ []byte, value span) error { return r.urns(value) })
		case "inputs", "outputs":
			return eachField(r.doc, value, func(_ []byte, value span) error {
				r.property(value.from, nil)
				return nil
			})
		case "replacementTrigger":
			r.property(value.from, nil)
		}
		return nil
	})
}

// errForeign says that the secrets manager belongs to another stack.
var errForeign = errors.New("another stack's")

// secretsManager rewrites the state of the service's own, so that later commands
// ask the service for this stack's key. Others do not know the stack.
func (r *renamer) secretsManager(s span) error {
	kind, state, err := secretsManagerOf(s.of(r.doc))
	if err != nil || kind != "service" || len(state) == 0 || state[0] != '{' {
		return err
	}
	return r.field(s, "state", func(state span) error {
		before := len(r.edits)
		err := eachField(r.doc, state, func(key []byte, value span) error {
			switch string(keyName(key)) {
			case "project":
				return r.exactly(value, r.from.Project, r.to.Project)
			case "stack":
				return r.exactly(value, r.from.Stack, r.to.Stack)
			case "owner":
				if r.from.Org != "" && r.to.Org != "" {
					return r.exactly(value, r.from.Org, r.to.Org)
				}
			}
			return nil
		})
		if errors.Is(err, errForeign) {
			r.edits, err = r.edits[:before], nil
		}
		return err
	})
}

// exactly replaces a string that must be the old one.
func (r *renamer) exactly(s span, from, to string) error {
	switch old, err := stringAt(r.doc, s); {
	case err != nil:
		return err
	case old != from:
		return errForeign
	case from != to:
		r.replace(s, to)
	}
	return nil
}
