package replay

import (
	"encoding/json"
	"net/url"
	"strings"
)

// Readdress rewrites where a state, an apitype.UntypedDeployment as JSON, says that
// the service is which opens its secrets: at the address, which the asking client
// knows. The CLI looks nowhere else, and only where it has signed in
// (pkg/v3/secrets/service), so that a service that moved, or is known by several
// addresses, would lock its users out of their states.
//
// A state of another stack, or of a service that is not this one, comes back as it
// went in, and so does one that cannot be read.
func Readdress(deployment json.RawMessage, of StackIdentity, address string) json.RawMessage {
	inner, _, err := unwrap(deployment)
	if err != nil || inner.from == inner.to {
		return deployment
	}
	e := &editor{doc: deployment}
	err = eachField(e.doc, inner, func(key []byte, value span) error {
		if keyIs(key, "secrets_providers") {
			return e.readdress(value, of, address)
		}
		return nil
	})
	if err != nil {
		return deployment
	}
	return e.apply()
}

// readdress rewrites the address in a secrets manager.
func (e *editor) readdress(manager span, of StackIdentity, address string) error {
	kind, state, err := secretsManagerOf(manager.of(e.doc))
	if err != nil || kind != "service" {
		return err
	}
	var s struct{ URL, Owner, Project, Stack string }
	if err := json.Unmarshal(state, &s); err != nil {
		return err
	}
	if (StackIdentity{Org: s.Owner, Project: s.Project, Stack: s.Stack}) != of || s.URL == address || pulumis(s.URL) {
		return nil
	}
	return eachField(e.doc, manager, func(key []byte, value span) error {
		if !keyIs(key, "state") {
			return nil
		}
		return eachField(e.doc, value, func(key []byte, value span) error {
			if keyIs(key, "url") {
				e.replace(value, address)
			}
			return nil
		})
	})
}

// pulumis says whether an address is Pulumi's own service's: what it has encrypted
// nobody else can open, whatever the stack is called here.
func pulumis(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "pulumi.com" || strings.HasSuffix(u.Hostname(), ".pulumi.com"))
}
