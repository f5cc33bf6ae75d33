package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// Bounds of what a token may say.
const (
	maxToken  = 32 << 10
	maxGroups = 500
	maxName   = 200
)

// claims are what a token says.
type claims map[string]any

// refused is why a token is not believed.
func refused(format string, args ...any) error {
	return provision.Fail(provision.CodeUnauthenticated, "the token was refused: "+format, args...)
}

// Verify returns who a bearer token speaks for: an ID token or a JWT access token
// of the issuer, for one of the audiences.
func (p *Provider) Verify(ctx context.Context, token string) (provision.Principal, error) {
	c, err := p.verify(ctx, token)
	if err != nil {
		return provision.Principal{}, err
	}
	return p.principal(c)
}

// verify returns what a token says, once all but who it is about was checked.
func (p *Provider) verify(ctx context.Context, token string) (claims, error) {
	if err := p.checkHeader(token); err != nil {
		return nil, err
	}
	known, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	var silent unanswered
	verified, err := known.verifier.Verify(context.WithValue(ctx, unansweredKey{}, &silent), token)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err() // the caller left; that says nothing of the token
	case silent.err != nil:
		return nil, p.away(silent.err)
	case err != nil:
		return nil, &provision.Error{
			Code: provision.CodeUnauthenticated, Cause: err,
			Message: "the token was refused: its signature is none of the keys' that " + p.config.Issuer + " publishes",
		}
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		return nil, refused("what it says is no JSON object")
	}
	return c, p.check(c)
}

// checkHeader looks at what a token says of its own signature, before it is
// checked, to say more than that it does not fit.
func (p *Provider) checkHeader(token string) error {
	head, _, _ := strings.Cut(token, ".")
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return refused("it is no signed JSON Web Token (of at most %d KiB)", maxToken>>10)
	}
	text, err := base64.RawURLEncoding.DecodeString(head)
	var h struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
	}
	if err != nil || json.Unmarshal(text, &h) != nil {
		return refused("its header is not one of a JSON Web Token")
	}
	if !slices.Contains(p.config.Algorithms, h.Algorithm) {
		return refused("it is signed by %s, which is not among the allowed algorithms (%s)", shown(h.Algorithm), strings.Join(p.config.Algorithms, ", "))
	}
	// A logout token has subject and audience too, and signs nobody in.
	if strings.EqualFold(h.Type, "logout+jwt") {
		return refused("it is a logout token")
	}
	return nil
}

// check looks at all that a signature does not tell.
func (p *Provider) check(c claims) error {
	now, skew := p.config.Now(), p.config.Skew
	if iss, _ := c["iss"].(string); iss != p.config.Issuer {
		return refused("it was issued by %s, and not by %s", shown(iss), p.config.Issuer)
	}
	if aud := c.list("aud"); !slices.ContainsFunc(p.config.audiences(), func(a string) bool { return slices.Contains(aud, a) }) {
		return refused("it is for another audience, %s", shown(strings.Join(aud, " ")))
	}
	if _, logout := c["events"]; logout {
		return refused("it is a logout token")
	}
	expires, ok := c.time("exp")
	if !ok {
		return refused("it does not say when it expires")
	}
	if !now.Before(expires.Add(skew)) {
		return refused("it expired at %s, and it is %s", stamp(expires), stamp(now))
	}
	for _, claim := range []string{"nbf", "iat"} {
		at, ok := c.time(claim)
		if _, there := c[claim]; there && !ok {
			return refused("%s is no time", claim)
		}
		if ok && now.Add(skew).Before(at) {
			return refused("it is not good before %s (%s), and it is %s: is one of the two clocks wrong?", stamp(at), claim, stamp(now))
		}
	}
	for claim, want := range p.config.Required {
		if got, there := c.find(claim); !there || !slices.Contains(values(got), want) {
			return refused("it does not say that %s is %q, as the configuration wants", claim, want)
		}
	}
	return nil
}

// reserved are names that mean something else here.
func reserved(name string) bool {
	return name == "admin" || name == "redoubt" || strings.HasPrefix(name, "sa:") || strings.HasPrefix(name, "operation/")
}

// principal is who the claims are about.
func (p *Provider) principal(c claims) (provision.Principal, error) {
	value, _ := c.find(p.config.NameClaim)
	name, _ := value.(string)
	switch {
	case name == "":
		return provision.Principal{}, refused("it does not say who it is about: there is no claim %s", p.config.NameClaim)
	case len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return provision.Principal{}, refused("%s cannot be a name (claim %s): at most %d bytes, without control characters", shown(name), p.config.NameClaim, maxName)
	case reserved(name):
		return provision.Principal{}, refused("%s is a name of the service's own (claim %s)", shown(name), p.config.NameClaim)
	}
	who := provision.Principal{Kind: provision.Human, Name: name, Human: name, AuthMethod: "oidc"}
	who.Caller.Token = backend.Token{Principal: name} // without grants: the backend's own protocol is not for it
	if display, ok := c[p.config.DisplayClaim].(string); ok && utf8.ValidString(display) && len(display) <= maxName {
		who.Display = strings.Map(printable, display)
	}
	groups, _ := c.find(p.config.GroupsClaim)
	for _, g := range texts(groups) {
		if g != "" && len(g) <= maxName && !strings.ContainsFunc(g, unicode.IsControl) && !slices.Contains(who.Groups, g) {
			who.Groups = append(who.Groups, g)
		}
	}
	if len(who.Groups) > maxGroups {
		return provision.Principal{}, refused("it is about somebody in %d groups: have the issuer name those that matter here, at most %d", len(who.Groups), maxGroups)
	}
	acr, _ := c["acr"].(string)
	who.MFA = slices.Contains(p.config.MFAContexts, acr) ||
		slices.ContainsFunc(c.list("amr"), func(m string) bool { return slices.Contains(p.config.MFAMethods, m) })
	return who, nil
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
}

// find returns a claim by its name, or by a path of names.
func (c claims) find(name string) (any, bool) {
	if v, ok := c[name]; ok {
		return v, true
	}
	head, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	inner, ok := c[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return claims(inner).find(rest)
}

// list is a claim that is a list of texts, or one.
func (c claims) list(name string) []string { return texts(c[name]) }

// values are texts, or a truth value or a number as it is written.
func values(v any) []string {
	switch v.(type) {
	case bool, float64:
		return []string{fmt.Sprint(v)}
	}
	return texts(v)
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

// time is a claim in seconds since 1970.
func (c claims) time(name string) (time.Time, bool) {
	n, ok := c[name].(float64)
	if !ok || math.IsNaN(n) || math.Abs(n) > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(n), 0), true
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// shown makes a hostile value fit for a message: quoted, and not endless.
func shown(s string) string {
	const limit = 80
	if len(s) > limit {
		return fmt.Sprintf("%q…", s[:limit])
	}
	return fmt.Sprintf("%q", s)
}
