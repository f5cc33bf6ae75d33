package provision

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"redoubt/automation/backend"
)

const (
	// ServiceAccountPrefix starts the principal of a program's token: "sa:deploy".
	ServiceAccountPrefix = "sa:"
	// usualToken is how long a token is good where nothing is said, longestToken at
	// most.
	usualToken   = 90 * 24 * time.Hour
	longestToken = 366 * 24 * time.Hour
)

// serviceAccountName needs no escaping, in a path or in a shell.
var serviceAccountName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,60}[a-z0-9])?$`)

// verbActions are what somebody must be allowed themselves to have a token do it in
// the stock CLI's protocol. What passes by approvals, and what administers, is missing:
// nobody gives that here.
var verbActions = map[backend.Verb]Action{
	backend.Read: ActionRead, backend.Preview: ActionPreview, backend.Decrypt: ActionReveal,
	backend.Write: ActionManageProject, backend.Apply: ActionManageProject,
}

// NewToken describes a token of a service account.
type NewToken struct {
	// ServiceAccount is its name, without a prefix; it is made where there is none.
	ServiceAccount string
	// Name says what the token is for.
	Name   string
	Grants []backend.Grant
	// Lifetime is how long it is good; 0 for 90 days, at most a year.
	Lifetime time.Duration
}

// Program is a service account: what has, or had, a token.
type Program struct {
	Name string
	// Human is who answers for it: nobody else makes tokens of it, and they do not
	// approve what it has ordered.
	Human string
	// Tokens are how many of it are good.
	Tokens                int
	CreatedAt, LastUsedAt time.Time
}

// CreateToken makes a token of a service account, which is shown this once. Who makes
// it answers for it: four eyes are counted by them. It gives nothing in the CLI's
// protocol that they may not do themselves; what it may do here, its bindings say.
func (s *Service) CreateToken(ctx context.Context, p Principal, n NewToken) (token backend.Token, credential string, err error) {
	if err := s.mayMake(ctx, p, n); err != nil {
		return token, "", err
	}
	if err := n.check(); err != nil {
		return token, "", err
	}
	principal := ServiceAccountPrefix + n.ServiceAccount
	token, credential, err = backend.Mint(backend.NewToken{Name: n.Name, Principal: principal, Human: p.Human, Grants: n.Grants})
	if err != nil {
		return token, "", public(err)
	}
	token.CreatedBy = p.Name
	judge, err := s.judge(ctx, p)
	if err != nil {
		return token, "", err
	}
	err = s.write(ctx, func(tx Tx) error {
		if err := countAlone(tx); err != nil { // of two that take a new name, one is first
			return err
		}
		if err := mayAnswer(tx, judge, p, n.ServiceAccount); err != nil {
			return err
		}
		token.CreatedAt = tx.Now()
		token.ExpiresAt = token.CreatedAt.Add(orDuration(n.Lifetime, usualToken))
		if err := tx.CreateToken(token); err != nil {
			return err
		}
		return recordBy(tx, p, "token.create", token.ID, map[string]string{
			"name": token.Name, "principal": token.Principal, "human": token.Human, "grants": backend.GrantsText(token.Grants), "expires": token.ExpiresAt.Format(time.RFC3339),
		})
	})
	if err != nil {
		return backend.Token{}, "", err
	}
	token.Hash = nil
	return token, credential, nil
}

// mayMake says whether somebody may make a token that may do this.
func (s *Service) mayMake(ctx context.Context, p Principal, n NewToken) error {
	if p.Kind != Human {
		return s.refuse(ctx, p, ActionCreateToken, n.ServiceAccount, "only people make tokens: one that leaks must not make others", nil)
	}
	for _, g := range n.Grants {
		on := widest(g.Stacks)
		if err := s.allow(ctx, p, ActionCreateToken, on, on.noun()); err != nil {
			return err
		}
		for _, v := range g.Verbs {
			action, known := verbActions[v]
			if !known {
				continue // check says so
			}
			if err := s.allow(ctx, p, action, on, on.noun()); err != nil {
				return err
			}
		}
	}
	return nil
}

// widest is the narrowest thing that has all of a pattern of stacks in it.
func widest(pattern string) Resource {
	on, _ := bindable(Viewer, pattern)
	if parts := strings.Split(pattern, "/"); on.Project != "" && len(parts) == 3 && parts[2] != "" && !strings.ContainsAny(parts[2], `*?[\`) {
		on.Stack = parts[2]
	}
	return on
}

func (n NewToken) check() error {
	var f findings
	if !serviceAccountName.MatchString(n.ServiceAccount) {
		f.add("/service_account", "is a name of small letters, digits, dots, hyphens and underscores: at most 62, with a letter or a digit at each end")
	}
	f.text("/name", n.Name, 1, 100)
	if n.Lifetime < 0 || n.Lifetime > longestToken {
		f.add("/lifetime", "is %s: at most %s", n.Lifetime, longestToken)
	}
	if len(n.Grants) == 0 {
		f.add("/grants", "are missing: a token may at least read something, for example acme/shop/*")
	}
	for i, g := range n.Grants {
		for j, v := range g.Verbs {
			if _, known := verbActions[v]; !known {
				f.add(fmt.Sprintf("/grants/%d/verbs/%d", i, j), "%.40q is given by no service account's token: read, preview, decrypt, write or apply; an administrator makes others with `redoubt token create`", v)
			}
		}
	}
	return f.err()
}

// mayAnswer says whether somebody may answer for a service account: they do already,
// or it is new, and they may give every role that it has been given by name.
func mayAnswer(tx Tx, judge func(Action, Resource) (Decision, error), p Principal, name string) error {
	known, err := tx.AccessTokens(ServiceAccountPrefix+name, "", 0)
	if err != nil {
		return err
	}
	for _, token := range known {
		if token.Human != p.Human {
			return Fail(CodeConflict, "somebody else answers for service account %s: take another name", name)
		}
	}
	if len(known) > 0 {
		return nil
	}
	bindings, err := tx.Bindings(string(ServiceAccount) + ":" + name)
	if err != nil {
		return err
	}
	for _, b := range bindings {
		on, actions := bindable(b.Role, b.Scope)
		if ok, err := oneAllowed(judge, actions, on); err != nil || !ok {
			return orError(err, Fail(CodeConflict, "service account %s has roles that you may not give: take another name, or have its tokens made by who gave them", name))
		}
	}
	return nil
}

// oneAllowed says whether one of some actions is.
func oneAllowed(judge func(Action, Resource) (Decision, error), actions []Action, on Resource) (bool, error) {
	for _, a := range actions {
		d, err := judge(a, on)
		if err != nil || d.Allowed {
			return d.Allowed, err
		}
	}
	return false, nil
}

func orError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Tokens returns a page of the access tokens that somebody may end: their own, and
// those whose grants are all on what they manage the settings of. It says where the
// next one starts; empty for the last. account is a service account's name, or empty.
func (s *Service) Tokens(ctx context.Context, p Principal, account, after string, limit int) ([]backend.Token, string, error) {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return nil, "", err
	}
	principal := ""
	if account != "" {
		principal = ServiceAccountPrefix + account
	}
	return collect(page(limit), after, func(after string, n int) (found []backend.Token, err error) {
		err = s.read(ctx, func(tx Tx) (err error) { found, err = tx.AccessTokens(principal, after, n); return err })
		for i := range found {
			found[i].Hash = nil
		}
		return found, err
	}, func(t backend.Token) (string, bool, error) {
		ok, err := mayEnd(judge, p, t)
		return t.ID, ok, err
	})
}

// mayEnd says whether somebody may see a token, and end it. A program that leaks ends
// none of its owner's but itself.
func mayEnd(judge func(Action, Resource) (Decision, error), p Principal, t backend.Token) (bool, error) {
	if p.Kind == Human && t.Human == p.Human || t.ID == p.Caller.Token.ID {
		return true, nil
	}
	for _, g := range t.Grants {
		if d, err := judge(ActionManageSettings, widest(g.Stacks)); err != nil || !d.Allowed {
			return false, err
		}
	}
	return len(t.Grants) > 0, nil
}

// ServiceAccounts returns the service accounts with tokens that somebody may end,
// sorted by name.
func (s *Service) ServiceAccounts(ctx context.Context, p Principal) ([]Program, error) {
	var now time.Time
	if err := s.read(ctx, func(tx Tx) error { now = tx.Now(); return nil }); err != nil {
		return nil, err
	}
	by := map[string]*Program{}
	for after := ""; ; {
		tokens, next, err := s.Tokens(ctx, p, "", after, 0)
		if err != nil {
			return nil, err
		}
		for _, t := range tokens {
			name, ok := strings.CutPrefix(t.Principal, ServiceAccountPrefix)
			if !ok {
				continue
			}
			if by[name] == nil {
				by[name] = &Program{Name: name, CreatedAt: t.CreatedAt}
			}
			by[name].add(t, now)
		}
		if after = next; after == "" {
			break
		}
	}
	accounts := []Program{}
	for _, a := range by {
		accounts = append(accounts, *a)
	}
	slices.SortFunc(accounts, func(a, b Program) int { return strings.Compare(a.Name, b.Name) })
	return accounts, nil
}

func (a *Program) add(t backend.Token, now time.Time) {
	a.Human = t.Human
	if t.LastUsedAt.After(a.LastUsedAt) {
		a.LastUsedAt = t.LastUsedAt
	}
	if t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt)) {
		a.Tokens++
	}
}

// RevokeToken ends a token at once. Operations that were ordered with it go on.
func (s *Service) RevokeToken(ctx context.Context, p Principal, id string) error {
	return s.revoke(ctx, p, named("token", id), func(tx Tx) ([]backend.Token, error) {
		t, err := tx.Token(id)
		if errors.Is(err, backend.ErrNotFound) || t.IsOperation() {
			return nil, nil
		}
		return []backend.Token{t}, err
	})
}

// RevokeServiceAccount ends all tokens of a service account at once.
func (s *Service) RevokeServiceAccount(ctx context.Context, p Principal, name string) error {
	return s.revoke(ctx, p, named("service account", name), func(tx Tx) ([]backend.Token, error) {
		return tx.AccessTokens(ServiceAccountPrefix+name, "", 0)
	})
}

// revoke ends tokens, all or none: for who may not end one of them there is none.
func (s *Service) revoke(ctx context.Context, p Principal, noun string, find func(Tx) ([]backend.Token, error)) error {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return err
	}
	var refused bool
	err = s.write(ctx, func(tx Tx) error {
		refused = false
		tokens, err := find(tx)
		if err != nil {
			return err
		}
		if len(tokens) == 0 {
			return Fail(CodeNotFound, "there is no %s", noun)
		}
		for _, t := range tokens {
			if ok, err := mayEnd(judge, p, t); err != nil || !ok {
				refused = err == nil
				return orError(err, Fail(CodeNotFound, "there is no %s", noun))
			}
		}
		for _, t := range tokens {
			if err := endToken(tx, p, t.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if refused {
		if refusal := s.refuse(ctx, p, ActionManageSettings, noun, "not theirs to end", nil); CodeOf(refusal) != CodeForbidden {
			return refusal
		}
	}
	return err
}

func endToken(tx Tx, p Principal, id string) error {
	t, err := tx.LockToken(id)
	if err != nil || !t.RevokedAt.IsZero() {
		return err
	}
	t.RevokedAt = tx.Now()
	if err := tx.SaveToken(t); err != nil {
		return err
	}
	return recordBy(tx, p, "token.revoke", t.ID, map[string]string{"name": t.Name, "principal": t.Principal})
}

// ServiceAccountOf is the name of the service account that a token is of; empty for
// other tokens.
func ServiceAccountOf(t backend.Token) string {
	name, ok := strings.CutPrefix(t.Principal, ServiceAccountPrefix)
	if !ok {
		return ""
	}
	return name
}
