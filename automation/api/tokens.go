package api

import (
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// Token is an access token without its secret.
type Token struct {
	ID        string `json:"id"`
	Name      string `json:"name" doc:"What it is for."`
	Principal string `json:"principal" doc:"Whom it speaks for; that of a service account begins with sa:."`
	// ServiceAccount is the name that bindings know it by.
	ServiceAccount string       `json:"service_account,omitempty" doc:"The service account, as bindings name it; missing for other tokens."`
	Human          string       `json:"human,omitempty" doc:"Who answers for it: they do not approve what it orders."`
	Grants         []TokenGrant `json:"grants"`
	CreatedAt      time.Time    `json:"created_at"`
	CreatedBy      string       `json:"created_by"`
	ExpiresAt      time.Time    `json:"expires_at,omitzero" doc:"Missing for never."`
	RevokedAt      time.Time    `json:"revoked_at,omitzero"`
	LastUsedAt     time.Time    `json:"last_used_at,omitzero" doc:"To the minute."`
}

// TokenGrant is what a token may do by the stock CLI's protocol.
type TokenGrant struct {
	Stacks string   `json:"stacks" minLength:"1" maxLength:"300" doc:"A pattern of organization/project/stack." example:"acme/shop/*"`
	Verbs  []string `json:"verbs" minItems:"1" maxItems:"8" enum:"read,write,decrypt,preview,apply,apply-protected,policy,admin" doc:"Of these read, preview, decrypt, write and apply can be given to service accounts."`
}

// NewToken asks for a token of a service account, which is made where there is none.
type NewToken struct {
	ServiceAccount string       `json:"service_account" minLength:"1" maxLength:"62" pattern:"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$" doc:"Its name: small letters, digits, dots, hyphens, underscores." example:"deploy"`
	Name           string       `json:"name" minLength:"1" maxLength:"100" doc:"What the token is for."`
	Grants         []TokenGrant `json:"grants" minItems:"1" maxItems:"20" doc:"Nothing that you may not do yourself."`
	Lifetime       Duration     `json:"lifetime,omitzero" doc:"How long it is good; 90 days where nothing is said, 366 at most."`
}

// CreatedToken is a new token with its credential, which is shown this once.
type CreatedToken struct {
	Token      Token  `json:"token"`
	Credential string `json:"credential" doc:"What Authorization: Bearer takes; shown this once."`
}

// ServiceAccount is a program that has, or had, a token.
type ServiceAccount struct {
	Name       string    `json:"name"`
	Subject    string    `json:"subject" doc:"For a role binding: service_account:deploy."`
	Human      string    `json:"human,omitempty" doc:"Who answers for it."`
	Tokens     int       `json:"tokens" doc:"How many of its tokens are good."`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero" doc:"To the minute."`
}

func tokenOf(t backend.Token) Token {
	out := Token{
		ID: t.ID, Name: t.Name, Principal: t.Principal, Human: t.Human, CreatedAt: t.CreatedAt, CreatedBy: t.CreatedBy,
		ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt, LastUsedAt: t.LastUsedAt,
		Grants: convertAll(t.Grants, func(g backend.Grant) TokenGrant {
			return TokenGrant{g.Stacks, convertAll(g.Verbs, func(v backend.Verb) string { return string(v) })}
		}),
	}
	out.ServiceAccount = provision.ServiceAccountOf(t)
	return out
}

func programOf(p provision.Program) ServiceAccount {
	return ServiceAccount{p.Name, string(provision.ServiceAccount) + ":" + p.Name, p.Human, p.Tokens, p.CreatedAt, p.LastUsedAt}
}

type tokenQuery struct {
	Paging
	ServiceAccount string `query:"service_account" maxLength:"100" doc:"Those of a service account, by its name."`
}

func (h *handlers) listTokens(c *call, in *tokenQuery) (*answer[page[Token]], error) {
	tokens, next, err := h.service.Tokens(c, c.principal, in.ServiceAccount, in.Cursor.after, in.Limit)
	return pageOf(tokens, next, tokenOf), err
}

type newTokenInput struct{ Body NewToken }

func (h *handlers) createToken(c *call, in *newTokenInput) (*answer[CreatedToken], error) {
	t, credential, err := h.service.CreateToken(c, c.principal, provision.NewToken{
		ServiceAccount: in.Body.ServiceAccount, Name: in.Body.Name, Lifetime: time.Duration(in.Body.Lifetime),
		Grants: convertAll(in.Body.Grants, func(g TokenGrant) backend.Grant {
			return backend.Grant{Stacks: g.Stacks, Verbs: convertAll(g.Verbs, func(v string) backend.Verb { return backend.Verb(v) })}
		}),
	})
	return &answer[CreatedToken]{CreatedToken{tokenOf(t), credential}}, err
}

func (h *handlers) revokeToken(c *call, in *WithID) (*nothing, error) {
	return &nothing{}, h.service.RevokeToken(c, c.principal, in.ID)
}

func (h *handlers) listServiceAccounts(c *call, _ *noInput) (*answer[page[ServiceAccount]], error) {
	programs, err := h.service.ServiceAccounts(c, c.principal)
	return pageOf(programs, "", programOf), err
}

// WithName is the input of endpoints on what has a name.
type WithName struct {
	Name string `path:"name" doc:"The name."`
}

func (h *handlers) revokeServiceAccount(c *call, in *WithName) (*nothing, error) {
	return &nothing{}, h.service.RevokeServiceAccount(c, c.principal, in.Name)
}
