package adminapi

import (
	"net/http"
	"strconv"
	"time"

	"redoubt/automation/backend"
)

// endpoint is a row of the table.
type endpoint struct {
	method, path string
	// status of an answer that is good.
	status int
	do     func(*call) (any, error)
}

// maxAudit is how many entries of the audit log an answer has at most.
const maxAudit = 1000

func endpoints() []endpoint {
	const (
		get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
		aStack              = "stacks/{org}/{project}/{stack}"
		policies            = "organizations/{org}/policies"
		ok, made, done      = http.StatusOK, http.StatusCreated, http.StatusNoContent
	)
	return []endpoint{
		{get, "organizations", ok, listOrganizations},
		{post, "organizations", made, createOrganization},
		{get, "tokens", ok, listTokens},
		{post, "tokens", made, createToken},
		{del, "tokens/{token}", done, revokeToken},
		{put, aStack + "/protection", done, func(c *call) (any, error) { return nil, c.service.Protect(c.ctx(), c.caller, c.stack(), true) }},
		{del, aStack + "/protection", done, func(c *call) (any, error) { return nil, c.service.Protect(c.ctx(), c.caller, c.stack(), false) }},
		{post, aStack + "/keys", done, func(c *call) (any, error) { return nil, c.service.RotateKey(c.ctx(), c.caller, c.stack()) }},
		{post, aStack + "/salvage", ok, salvage},
		{get, aStack + "/updates/{update}/journal", ok, journal},
		{post, "keys/rewrap", ok, rewrap},
		{get, policies, ok, listRequirements},
		{put, policies + "/{pack}", done, requirePack},
		{del, policies + "/{pack}", done, func(c *call) (any, error) {
			return nil, c.service.ReleasePack(c.ctx(), c.caller, c.r.PathValue("org"), c.r.PathValue("pack"), "")
		}},
		{get, "audit", ok, audit},
	}
}

func listOrganizations(c *call) (any, error) {
	orgs, err := c.service.Organizations(c.ctx(), c.caller)
	return listOf(orgs, func(o backend.Organization) Organization { return Organization{o.Name, o.CreatedAt} }), err
}

func createOrganization(c *call) (any, error) {
	in, err := body[Organization](c)
	if err != nil {
		return nil, err
	}
	return Organization{Name: in.Name}, c.service.CreateOrganization(c.ctx(), c.caller, in.Name)
}

func listTokens(c *call) (any, error) {
	tokens, err := c.service.Tokens(c.ctx(), c.caller)
	return listOf(tokens, tokenOf), err
}

func createToken(c *call) (any, error) {
	in, err := body[NewToken](c)
	if err != nil {
		return nil, err
	}
	const most = int64(100 * 365 * 24 * time.Hour / time.Second)
	if in.LifetimeSeconds > most {
		return nil, backend.Fail(backend.CodeInvalid, "a token cannot live for %d seconds: at most %d, or 0 for ever", in.LifetimeSeconds, most)
	}
	token, credential, err := c.service.CreateToken(c.ctx(), c.caller, backend.NewToken{
		Name: in.Name, Principal: in.Principal, Human: in.Human, Groups: in.Groups, Grants: in.Grants,
		Lifetime: time.Duration(in.LifetimeSeconds) * time.Second,
	})
	return CreatedToken{tokenOf(token), credential}, err
}

func revokeToken(c *call) (any, error) {
	return nil, c.service.RevokeToken(c.ctx(), c.caller, c.r.PathValue("token"))
}

func rewrap(c *call) (any, error) {
	n, err := c.service.Rewrap(c.ctx(), c.caller)
	return Rewrapped{n}, err
}

func listRequirements(c *call) (any, error) {
	list, err := c.service.Requirements(c.ctx(), c.caller, c.r.PathValue("org"))
	return listOf(list, func(r backend.PackRequirement) Requirement { return Requirement{r.Pack, r.Tag, r.Config} }), err
}

func requirePack(c *call) (any, error) {
	in, err := body[Requirement](c)
	if err != nil {
		return nil, err
	}
	return nil, c.service.RequirePack(c.ctx(), c.caller, backend.PackRequirement{
		Org: c.r.PathValue("org"), Pack: c.r.PathValue("pack"), Tag: in.Version, Config: in.Config,
	})
}

func audit(c *call) (any, error) {
	after, err := c.number("after", 0)
	if err != nil {
		return nil, err
	}
	limit, err := c.number("limit", maxAudit)
	if err != nil {
		return nil, err
	}
	entries, err := c.service.Audit(c.ctx(), c.caller, after, int(min(max(limit, 1), maxAudit)))
	return listOf(entries, auditOf), err
}

// number reads a parameter of the query.
func (c *call) number(name string, otherwise int64) (int64, error) {
	text := c.r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, backend.Fail(backend.CodeInvalid, "parameter %s takes a number from 0", name)
	}
	return n, nil
}

func listOf[From, To any](items []From, convert func(From) To) list[To] {
	out := list[To]{Items: make([]To, len(items))}
	for i, item := range items {
		out.Items[i] = convert(item)
	}
	return out
}
