package pulumiapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
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
		c.caller.Address = c.address()
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

// address is where the request comes from: the connection's other end, or what
// trusted proxies say of theirs.
func (c *call) address() string {
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		host = c.r.RemoteAddr
	}
	if !c.trusted(host) {
		return host
	}
	// The last one is what the nearest proxy saw; those before it may be made up.
	hops := strings.Split(strings.Join(c.r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if _, err := netip.ParseAddr(hop); err != nil {
			return host
		}
		host = hop
		if !c.trusted(hop) {
			return host
		}
	}
	return host
}

func (c *call) trusted(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(c.opts.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
}

// origin is the address of this service, as the client sees it.
func (c *call) origin() string {
	if c.opts.PublicURL != "" {
		return c.opts.PublicURL
	}
	scheme := "http"
	if c.r.TLS != nil || c.behindTLS() {
		scheme = "https"
	}
	return scheme + "://" + c.r.Host
}

func (c *call) behindTLS() bool {
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	return err == nil && c.trusted(host) && strings.EqualFold(c.r.Header.Get("X-Forwarded-Proto"), "https")
}

var _ http.Handler = (*Server)(nil)
