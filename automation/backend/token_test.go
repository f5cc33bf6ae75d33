package backend_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var tokenTests = []test{
	{"a token is shown once and kept as a hash", func(t *testing.T, w *world) {
		token, credential, err := w.CreateToken(t.Context(), w.admin, backend.NewToken{
			Name: "CI", Principal: "ci", Grants: []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Read}}},
		})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(credential, backend.TokenPrefix+strings.TrimPrefix(token.ID, "tok_")+"_"))
		secret := credential[strings.LastIndex(credential, "_")+1:]
		require.GreaterOrEqual(t, len(secret), 26, "128 bits in base32")
		hash := sha256.Sum256([]byte(secret))
		require.Equal(t, hash[:], token.Hash)
		require.Equal(t, "admin", token.CreatedBy)
		caller, err := w.Authenticate(t.Context(), credential)
		require.NoError(t, err)
		require.Equal(t, "ci", caller.Principal())
		tokens, err := w.Tokens(t.Context(), w.admin)
		require.NoError(t, err)
		require.Len(t, tokens, 2)
		for _, k := range tokens {
			require.Nil(t, k.Hash, "a list holds nothing to guess from")
		}
	}},
	{"a token that is not quite right is refused without a reason", func(t *testing.T, w *world) {
		good := w.credential
		id := strings.Split(good, "_")[1]
		for _, bad := range []string{
			"", "x", "redoubt_", "redoubt__", "redoubt_" + id, "redoubt_" + id + "_", good[:len(good)-1], good + "A",
			strings.ToLower(good), strings.TrimPrefix(good, backend.TokenPrefix), "pul-" + id, "redoubt_nobody_" + strings.Split(good, "_")[2], good + "\x00",
			"redoubt_\xff\xfe_x", "redoubt_" + strings.Repeat("x", 1<<16) + "_y",
		} {
			_, err := w.Authenticate(t.Context(), bad)
			fails(t, err, backend.CodeUnauthenticated, "the access token is not valid, has expired or was revoked")
		}
	}},
	{"a token expires to the moment", func(t *testing.T, w *world) {
		_, credential, err := w.CreateToken(t.Context(), w.admin, backend.NewToken{
			Name: "short", Principal: "ci", Lifetime: time.Hour, Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Read}}},
		})
		require.NoError(t, err)
		w.pass(59 * time.Minute)
		_, err = w.Authenticate(t.Context(), credential)
		require.NoError(t, err)
		w.pass(time.Minute)
		_, err = w.Authenticate(t.Context(), credential)
		fails(t, err, backend.CodeUnauthenticated)
	}},
	{"a revoked token is refused at once, and stays so", func(t *testing.T, w *world) {
		token, credential, err := w.CreateToken(t.Context(), w.admin, backend.NewToken{
			Name: "lost", Principal: "alice", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Read}}},
		})
		require.NoError(t, err)
		alice, err := w.Authenticate(t.Context(), credential)
		require.NoError(t, err)
		fails(t, w.RevokeToken(t.Context(), alice, w.admin.Token.ID), backend.CodeForbidden)
		fails(t, w.RevokeToken(t.Context(), w.admin, "tok_nobody"), backend.CodeNotFound, "tok_nobody")
		require.NoError(t, w.RevokeToken(t.Context(), alice, token.ID), "one's own")
		require.NoError(t, w.RevokeToken(t.Context(), w.admin, token.ID), "again")
		_, err = w.Authenticate(t.Context(), credential)
		fails(t, err, backend.CodeUnauthenticated)
	}},
	{"when a token was used is known to a minute", func(t *testing.T, w *world) {
		used := func() time.Time {
			tokens, err := w.Tokens(t.Context(), w.admin)
			require.NoError(t, err)
			return tokens[0].LastUsedAt
		}
		before := used()
		w.pass(30 * time.Second)
		_, err := w.Authenticate(t.Context(), w.credential)
		require.NoError(t, err)
		require.Equal(t, before, used())
		w.pass(time.Minute)
		_, err = w.Authenticate(t.Context(), w.credential)
		require.NoError(t, err)
		require.True(t, used().After(before))
	}},
	{"who cannot be noted is let in all the same", func(t *testing.T, w *world) {
		w.pass(time.Hour)
		w.store.wrap = func(tx backend.Tx) backend.Tx { return &unwritten{tx} }
		caller, err := w.Authenticate(t.Context(), w.credential)
		require.NoError(t, err)
		require.Equal(t, "admin", caller.Principal())
		require.Contains(t, w.log.String(), "could not be noted")
	}},
	{"only an administrator of everything makes tokens", func(t *testing.T, w *world) {
		for _, by := range []backend.Caller{
			w.person(t, "alice", "acme/*/*", backend.Admin), w.person(t, "bob", "*/*/*", backend.Write, backend.ApplyProtected), {},
		} {
			_, _, err := w.CreateToken(t.Context(), by, backend.NewToken{
				Name: "more", Principal: "root", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}},
			})
			fails(t, err, backend.CodeForbidden)
			require.True(t, w.last(t).Denied)
			_, err = w.Tokens(t.Context(), by)
			fails(t, err, backend.CodeForbidden)
			fails(t, w.CreateOrganization(t.Context(), by, "another"), backend.CodeForbidden)
			_, err = w.Audit(t.Context(), by, 0, 0)
			fails(t, err, backend.CodeForbidden)
			_, err = w.Rewrap(t.Context(), by)
			fails(t, err, backend.CodeForbidden)
		}
	}},
	{"a description of a token that cannot be right is refused", func(t *testing.T, w *world) {
		read := []backend.Verb{backend.Read}
		for words, n := range map[string]backend.NewToken{
			"needs a name":                    {Principal: "a", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: read}}},
			"1 to 100 characters that":        {Name: "a\nb", Principal: "a", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: read}}},
			"needs a principal":               {Name: "a", Principal: strings.Repeat("x", 101), Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: read}}},
			"cannot live":                     {Name: "a", Principal: "a", Lifetime: -1, Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: read}}},
			"without grants":                  {Name: "a", Principal: "a"},
			"no pattern of org":               {Name: "a", Principal: "a", Grants: []backend.Grant{{Stacks: "acme/*", Verbs: read}}},
			`"acme/[/x" is no pattern`:        {Name: "a", Principal: "a", Grants: []backend.Grant{{Stacks: "acme/[/x", Verbs: read}}},
			"has no verbs":                    {Name: "a", Principal: "a", Grants: []backend.Grant{{Stacks: "*/*/*"}}},
			`"Read" is no verb: one of read,`: {Name: "a", Principal: "a", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{"Read"}}}},
		} {
			_, _, err := w.CreateToken(t.Context(), w.admin, n)
			fails(t, err, backend.CodeInvalid, words)
		}
	}},
	{"the first token is made once", func(t *testing.T, w *world) {
		again, err := w.Bootstrap(t.Context(), org)
		require.NoError(t, err)
		require.Empty(t, again)
		_, err = w.Bootstrap(t.Context(), "../x")
		fails(t, err, backend.CodeInvalid)
	}},
}

func TestVerbsThatIncludeOthers(t *testing.T) {
	t.Parallel()
	includes := map[backend.Verb][]backend.Verb{
		backend.Read: {}, backend.Write: {backend.Read}, backend.Decrypt: {backend.Read}, backend.Preview: {backend.Read},
		backend.Apply:          {backend.Read, backend.Preview},
		backend.ApplyProtected: {backend.Read, backend.Preview, backend.Apply},
		backend.Policy:         {backend.Read},
		backend.Admin:          backend.Verbs,
	}
	require.Len(t, includes, len(backend.Verbs))
	name := backend.StackName{Org: "acme", Project: "shop", Stack: "dev"}
	for granted, others := range includes {
		may := append([]backend.Verb{granted}, others...)
		for _, v := range backend.Verbs {
			g := backend.Grant{Stacks: "*/*/*", Verbs: []backend.Verb{granted}}
			require.Equal(t, contains(may, v), g.Allows(v, name), "%s for %s", granted, v)
		}
	}
	require.False(t, backend.Grant{Stacks: "*/*/*"}.Allows(backend.Read, name))
}

func contains(list []backend.Verb, v backend.Verb) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func TestPatternsOfGrants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, stack string
		want           bool
	}{
		{"*/*/*", "acme/shop/dev", true},
		{"acme/*/*", "acme/shop/dev", true},
		{"ACME/Shop/*", "acme/shop/Dev", true},
		{"acme/*/*", "Acme/SHOP/DEV", true},
		{"acme/*/*", "acme2/shop/dev", false},
		{"acme/*/*", "xacme/shop/dev", false},
		{"acme/shop/prod-*", "acme/shop/prod-1", true},
		{"acme/shop/prod-*", "acme/shop/prod", false},
		{"acme/shop/dev", "acme/shop/dev2", false},
		{"acme/shop/dev?", "acme/shop/dev2", true},
		{"acme/shop/[a-d]*", "acme/shop/dev", true},
		{"*/shop/*", "acme/shop.x/dev", false},
		{"//", "acme/shop/dev", false},
		{"acme/[/x", "acme/[/x", false},
	} {
		part := strings.Split(c.stack, "/")
		name := backend.StackName{Org: part[0], Project: part[1], Stack: part[2]}
		g := backend.Grant{Stacks: c.pattern, Verbs: []backend.Verb{backend.Read}}
		require.Equal(t, c.want, g.Allows(backend.Read, name), "%s for %s", c.pattern, c.stack)
	}
}

// unwritten is a transaction that writes no tokens.
type unwritten struct{ backend.Tx }

func (unwritten) SaveToken(backend.Token) error { return errCut }
