package backend

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// TokenPrefix starts every access token, so that scanners of leaked secrets
// know one: "redoubt_<id>_<secret>".
const TokenPrefix = "redoubt_"

// usedPrecision is how exact Token.LastUsedAt is: a write for each request
// would be dear.
const usedPrecision = time.Minute

// Caller is who asks, and with which token.
type Caller struct {
	Token Token
	// Address is where from, for the audit log.
	Address string
	// Decided says that a part of this process asks, which has asked the policies
	// already: Options.Authorize is not asked again. No request brings it.
	Decided bool `json:"-"`
}

// Principal is whom the caller speaks for.
func (c Caller) Principal() string { return c.Token.Principal }

// May says whether the caller may do something to a stack.
func (c Caller) May(v Verb, name StackName) bool {
	return slices.ContainsFunc(c.Token.Grants, func(g Grant) bool { return g.Allows(v, name) })
}

// mayInOrg says whether the caller may do something somewhere in an organization.
func (c Caller) mayInOrg(v Verb, org string) bool {
	return slices.ContainsFunc(c.Token.Grants, func(g Grant) bool { return g.has(v) && g.touches(org) })
}

// mayAllOver says whether the caller may do something to every stack of an
// organization.
func (c Caller) mayAllOver(v Verb, org string) bool {
	return slices.ContainsFunc(c.Token.Grants, func(g Grant) bool {
		return g.has(v) && g.touches(org) && strings.HasSuffix(g.Stacks, "/*/*")
	})
}

// mayEverywhere says whether the caller may do something to every stack.
func (c Caller) mayEverywhere(v Verb) bool {
	return slices.ContainsFunc(c.Token.Grants, func(g Grant) bool { return g.has(v) && g.Stacks == everything })
}

// everything is the pattern of every stack.
const everything = "*/*/*"

// errToken is for every reason alike: which one it was is nobody's business.
var errToken = &Error{Code: CodeUnauthenticated, Message: "the access token is not valid, has expired or was revoked"}

// Authenticate returns who a token speaks for.
func (s *Service) Authenticate(ctx context.Context, credential string) (Caller, error) {
	id, hash, ok := splitToken(credential)
	if !ok {
		return Caller{}, errToken
	}
	var token Token
	var now time.Time
	err := s.store.View(ctx, func(tx Tx) (err error) {
		now = tx.Now()
		token, err = tx.Token(id)
		return err
	})
	switch {
	case err == ErrNotFound: //nolint:errorlint // a Store returns it bare
		return Caller{}, errToken
	case err != nil:
		return Caller{}, err
	}
	expired := !token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt)
	if subtle.ConstantTimeCompare(token.Hash, hash) != 1 || !token.RevokedAt.IsZero() || expired {
		return Caller{}, errToken
	}
	if now.Sub(token.LastUsedAt) >= usedPrecision {
		if err := s.store.Update(ctx, func(tx Tx) error {
			fresh, err := tx.LockToken(id) // it may just be being revoked
			if err != nil {
				return err
			}
			fresh.LastUsedAt = now
			return tx.SaveToken(fresh)
		}); err != nil {
			// A full disk keeps nobody from reading.
			s.opts.Log.WarnContext(ctx, "when a token was used could not be noted", "token", id, "error", err)
		}
	}
	return Caller{Token: token}, nil
}

func splitToken(credential string) (id string, hash []byte, ok bool) {
	rest, ok := strings.CutPrefix(credential, TokenPrefix)
	if !ok {
		return "", nil, false
	}
	id, secret, ok := strings.Cut(rest, "_")
	if _, err := ulid.ParseStrict(id); err != nil || !ok || secret == "" {
		return "", nil, false
	}
	return "tok_" + id, digest([]byte(secret)), true
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// maxGroups is how many groups a token has at most.
const maxGroups = 50

// NewToken describes a token to be made.
type NewToken struct {
	Name      string
	Principal string
	// Human and Groups are Token's.
	Human  string
	Groups []string
	Grants []Grant
	// Lifetime is 0 for a token that does not expire.
	Lifetime time.Duration
}

// CreateToken makes a token; the credential is shown this once.
func (s *Service) CreateToken(ctx context.Context, by Caller, n NewToken) (Token, string, error) {
	if err := n.check(); err != nil {
		return Token{}, "", err
	}
	if !by.mayEverywhere(Admin) {
		return Token{}, "", s.refuse(ctx, by, "token.create", n.Name, "only an administrator of everything makes tokens")
	}
	token, credential := mint(n)
	token.CreatedBy = by.Principal()
	err := s.saveNewToken(ctx, by, &token, n.Lifetime)
	return token, credential, err
}

func (s *Service) saveNewToken(ctx context.Context, by Caller, token *Token, lifetime time.Duration) error {
	return s.store.Update(ctx, func(tx Tx) error {
		token.CreatedAt = tx.Now()
		if lifetime > 0 {
			token.ExpiresAt = token.CreatedAt.Add(lifetime)
		}
		if err := tx.CreateToken(*token); err != nil {
			return err
		}
		detail := map[string]string{"name": token.Name, "principal": token.Principal}
		if token.Human != "" {
			detail["human"] = token.Human
		}
		if len(token.Groups) > 0 {
			detail["groups"] = strings.Join(token.Groups, ", ")
		}
		return record(tx, by, "token.create", token.ID, detail)
	})
}

// Mint makes a token and its credential, to be stored in the transaction of who has
// decided that they may be made.
func Mint(n NewToken) (Token, string, error) {
	if err := n.check(); err != nil {
		return Token{}, "", err
	}
	token, credential := mint(n)
	return token, credential, nil
}

// mint makes a token and its credential.
func mint(n NewToken) (Token, string) {
	id, secret := newID("tok"), rand.Text()
	return Token{
			ID: id, Hash: digest([]byte(secret)), Name: n.Name, Principal: n.Principal, Human: n.Human, Groups: n.Groups, Grants: n.Grants,
		},
		TokenPrefix + strings.TrimPrefix(id, "tok_") + "_" + secret
}

func (n NewToken) check() error {
	if n.Name == "" || len(n.Name) > 100 || strings.ContainsFunc(n.Name, control) {
		return Fail(CodeInvalid, "a token needs a name of 1 to 100 characters that says what it is for")
	}
	if n.Principal == "" || len(n.Principal) > 100 || strings.ContainsFunc(n.Principal, control) {
		return Fail(CodeInvalid, "a token needs a principal of 1 to 100 characters: whom it speaks for")
	}
	if len(n.Human) > 200 || strings.ContainsFunc(n.Human, control) {
		return Fail(CodeInvalid, "the person behind a token has a name of at most 200 characters: the one that the identity provider knows them by")
	}
	if len(n.Groups) > maxGroups || slices.ContainsFunc(n.Groups, func(g string) bool {
		return g == "" || len(g) > 200 || strings.ContainsFunc(g, control)
	}) {
		return Fail(CodeInvalid, "a token has at most %d groups, with names of 1 to 200 characters", maxGroups)
	}
	if n.Lifetime < 0 {
		return Fail(CodeInvalid, "a token cannot live for %s", n.Lifetime)
	}
	if len(n.Grants) == 0 {
		return Fail(CodeInvalid, "a token without grants may do nothing: name stacks and verbs, for example acme/*/* and read")
	}
	for _, g := range n.Grants {
		if strings.Count(g.Stacks, "/") != 2 {
			return Fail(CodeInvalid, "%s is no pattern of organization/project/stack, for example acme/shop/* or */*/*", quoted(g.Stacks))
		}
		if _, err := path.Match(g.Stacks, ""); err != nil {
			return Fail(CodeInvalid, "%s is no pattern: %s", quoted(g.Stacks), err)
		}
		if len(g.Verbs) == 0 {
			return Fail(CodeInvalid, "the grant for %s has no verbs: some of %s", quoted(g.Stacks), verbList())
		}
		for _, v := range g.Verbs {
			if !slices.Contains(Verbs, v) {
				return Fail(CodeInvalid, "%s is no verb: one of %s", quoted(string(v)), verbList())
			}
		}
	}
	return nil
}

func verbList() string {
	names := make([]string, len(Verbs))
	for i, v := range Verbs {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// RevokeToken ends a token at once. Updates that run with it go on: their
// leases are their own.
func (s *Service) RevokeToken(ctx context.Context, by Caller, id string) error {
	if !by.mayEverywhere(Admin) && by.Token.ID != id {
		return s.refuse(ctx, by, "token.revoke", id, "only an administrator of everything revokes other people's tokens")
	}
	return s.store.Update(ctx, func(tx Tx) error {
		token, err := tx.LockToken(id)
		if err != nil {
			return missing(err, "there is no token %s", quoted(id))
		}
		if token.RevokedAt.IsZero() {
			token.RevokedAt = tx.Now()
		}
		if err := tx.SaveToken(token); err != nil {
			return err
		}
		return record(tx, by, "token.revoke", id, map[string]string{"name": token.Name})
	})
}

// Tokens lists all tokens, without what would let somebody use them.
func (s *Service) Tokens(ctx context.Context, by Caller) (tokens []Token, err error) {
	if !by.mayEverywhere(Admin) {
		return nil, s.refuse(ctx, by, "token.list", "", "only an administrator of everything lists tokens")
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { tokens, err = tx.Tokens(); return err })
	for i := range tokens {
		tokens[i].Hash = nil
	}
	return tokens, err
}

// bootstrapName is the first token's.
const bootstrapName = "bootstrap administrator"

// Bootstrap makes the first token of an installation that has none, and
// returns its credential; empty where there are tokens already.
func (s *Service) Bootstrap(ctx context.Context, org string) (credential string, err error) {
	if err := CheckOrg(org); err != nil {
		return "", err
	}
	token, fresh := mint(NewToken{Name: bootstrapName, Principal: "admin", Grants: []Grant{{Stacks: everything, Verbs: []Verb{Admin}}}})
	err = s.store.Update(ctx, func(tx Tx) error {
		credential = ""
		tokens, err := tx.Tokens()
		if err != nil || len(tokens) > 0 {
			return err
		}
		token.CreatedAt, token.CreatedBy = tx.Now(), "redoubt serve"
		if err := tx.CreateToken(token); err != nil {
			return err
		}
		switch err := tx.CreateOrganization(Organization{ID: newID("org"), Name: org, CreatedAt: tx.Now()}); err {
		case nil, ErrExists: //nolint:errorlint // a Store returns it bare
		default:
			return err
		}
		credential = fresh
		return record(tx, Caller{Token: token}, "token.bootstrap", token.ID, map[string]string{"organization": org})
	})
	return credential, err
}

// missing turns a Store's ErrNotFound into an Error that names the thing.
func missing(err error, format string, args ...any) error {
	if err == ErrNotFound { //nolint:errorlint // a Store returns it bare
		return &Error{Code: CodeNotFound, Message: fmt.Sprintf(format, args...)}
	}
	return err
}

// GrantsText is grants in one line, as people write them: "acme/*/*:read,apply …".
func GrantsText(grants []Grant) string {
	texts := make([]string, len(grants))
	for i, g := range grants {
		verbs := make([]string, len(g.Verbs))
		for j, v := range g.Verbs {
			verbs[j] = string(v)
		}
		texts[i] = g.Stacks + ":" + strings.Join(verbs, ",")
	}
	return strings.Join(texts, " ")
}
