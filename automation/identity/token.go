package identity

import (
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// administrator is the principal of the token that an installation starts with, and
// of the one that `redoubt token recover` makes.
const administrator = "admin"

// OfToken is who an access token speaks for: a person where the token is that
// person's own or the installation's first administrator's, and a program
// otherwise. A program has the groups of its token, and its owner's only in that
// nobody approves what they ordered through it.
func OfToken(c backend.Caller) provision.Principal {
	t := c.Token
	p := provision.Principal{
		Kind: provision.ServiceAccount, Name: strings.TrimPrefix(t.Principal, provision.ServiceAccountPrefix), Human: t.Human, Display: t.Name,
		Groups: t.Groups, AuthMethod: "token", Caller: c,
	}
	program := strings.HasPrefix(t.Principal, provision.ServiceAccountPrefix)
	if !program && t.Human != "" && t.Human == t.Principal || t.Principal == administrator && c.Administers() {
		p.Kind, p.Name, p.Human, p.Display = provision.Human, t.Principal, t.Principal, t.Principal
	}
	return p
}
