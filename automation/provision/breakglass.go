package provision

import (
	"path"
	"slices"
	"strings"
	"time"
)

// A role with an end is a break-glass role: for what must be done now by somebody who
// otherwise may not. It takes a second person, and everybody hears of it.

// breaksAlone says whether somebody gives a break-glass role to themselves, or to a
// group that they are in.
func breaksAlone(p Principal, n NewBinding) bool { return n.Lifetime > 0 && own(p, n.Subject) }

// own says whether a subject is somebody, or a group with them in it.
func own(p Principal, subject string) bool {
	return slices.Contains(append(p.subjects(), string(Human)+":"+p.Human), subject)
}

// tellBreakGlass tells the webhooks of all organizations that a role is about that it
// was given for a while, or by somebody to themselves.
func tellBreakGlass(tx Tx, p Principal, b Binding) error {
	kind := "access.break_glass"
	if b.Expires.IsZero() {
		if !own(p, b.Subject) {
			return nil
		}
		kind = "access.self_granted"
	}
	orgs, err := tx.Organizations()
	if err != nil {
		return err
	}
	pattern, _, _ := strings.Cut(strings.ToLower(b.Scope), "/")
	for _, org := range orgs {
		if about, err := path.Match(pattern, strings.ToLower(org.Name)); err != nil || !about {
			continue // the pattern was checked
		}
		data := map[string]string{"binding_id": b.ID, "subject": b.Subject, "role": string(b.Role), "scope": b.Scope, "by": p.Name}
		if !b.Expires.IsZero() {
			data["expires_at"] = b.Expires.Format(time.RFC3339)
		}
		if err := notify(tx, org.Name, "", kind, data); err != nil {
			return err
		}
	}
	return nil
}
