package pulumiapi

import (
	"net/http"
	"strings"

	"redoubt/automation/backend"
)

// authenticate checks the credential that the endpoint needs, before the body
// is read.
func (c *call) authenticate() (err error) {
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	switch c.endpoint.needs {
	case accessToken:
		if !strings.EqualFold(scheme, "token") || token == "" {
			return backend.Fail(backend.CodeUnauthenticated, "an access token is needed: `pulumi login` with one")
		}
		c.caller, err = c.service.Authenticate(c.ctx(), token)
		c.caller.Address = c.opts.TrustedProxies.Address(c.r)
		return err
	case leaseToken:
		// Never 401: the CLI would ask for a login, and would not take it for the
		// end of the lease (pkg/backend/httpstate/token_source.go).
		if !strings.EqualFold(scheme, "update-token") || token == "" {
			return backend.Fail(backend.CodeForbidden, "the token of a running update is needed here")
		}
		c.lease = token
		return c.service.CheckLease(c.ctx(), c.update())
	case signature:
		return c.verify()
	default:
		return nil
	}
}

// origin is the address of this service that people know.
func (c *call) origin() string {
	if c.opts.PublicURL != "" {
		return c.opts.PublicURL
	}
	return c.asked()
}

// address is the one that the client has signed in to: the CLI looks for its token
// under it. Operations of self-service may reach their process by another than people.
func (c *call) address() string {
	if c.caller.Token.IsOperation() {
		return c.asked()
	}
	return c.origin()
}

// asked is the address that the request was sent to.
func (c *call) asked() string {
	scheme := "http"
	if c.opts.TrustedProxies.TLS(c.r) {
		scheme = "https"
	}
	return scheme + "://" + c.r.Host
}

var _ http.Handler = (*Server)(nil)
