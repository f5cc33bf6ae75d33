// Package identity says who sends a request: the bearer of one of redoubt's access
// tokens or of an identity provider's token, or a browser with a session.
package identity

import (
	"errors"
	"net"
	"net/http"
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/oidc"
	"redoubt/automation/provision"
	"redoubt/automation/session"
)

// Options of an identifier. Backend is needed.
type Options struct {
	// Backend knows access tokens.
	Backend *backend.Service
	// OIDC knows the tokens of an identity provider; nil for none.
	OIDC *oidc.Provider
	// Sessions knows browsers; nil for none.
	Sessions *session.Manager
	// Address is where a request comes from; nil for the connection's other end.
	Address func(*http.Request) string
}

// Identifier says who sends a request; it is safe for concurrent use.
type Identifier struct {
	opts     Options
	failures *failures
}

// New makes an identifier.
func New(o Options) *Identifier {
	if o.Address == nil {
		o.Address = func(r *http.Request) string {
			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				return r.RemoteAddr
			}
			return host
		}
	}
	return &Identifier{opts: o, failures: newFailures()}
}

// Challenge is the WWW-Authenticate of an answer to who is not known (RFC 6750).
const Challenge = `Bearer realm="redoubt"`

// Identify returns who sends a request. The errors are *provision.Error:
// CodeUnauthenticated for who is not known, CodeQuotaExceeded for an address from
// which too much was tried, CodeForbidden for a session's browser on another site's
// page, CodeUnavailable for an identity provider that does not answer.
//
// A request with credentials is judged by those alone: where they are wrong, a
// session does not help.
func (i *Identifier) Identify(r *http.Request) (provision.Principal, error) {
	address := i.opts.Address(r)
	p, err := i.identify(r, address)
	p.Caller.Address = address
	if err != nil {
		return provision.Principal{}, err
	}
	return p, nil
}

func (i *Identifier) identify(r *http.Request, address string) (provision.Principal, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		if i.opts.Sessions != nil && i.opts.Sessions.Has(r) {
			return i.opts.Sessions.Authenticate(r)
		}
		return provision.Principal{}, i.nobody()
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if len(headers) > 1 || token == "" || !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token") {
		return provision.Principal{}, provision.Fail(provision.CodeUnauthenticated, "there must be one header Authorization: Bearer <token>")
	}
	return i.Token(r, address, token)
}

// nobody is the error for a request without credentials.
func (i *Identifier) nobody() error {
	how := "an access token (`redoubt token create`)"
	if i.opts.OIDC != nil {
		how += ", or a token of " + i.opts.OIDC.Issuer() + " (`redoubt login`)"
	}
	return provision.Fail(provision.CodeUnauthenticated, "who are you? Send Authorization: Bearer with %s", how)
}

// Token returns whom a token speaks for. Wrong ones count against the address that
// they come from.
func (i *Identifier) Token(r *http.Request, address, token string) (provision.Principal, error) {
	if err := i.failures.check(address); err != nil {
		return provision.Principal{}, err
	}
	p, err := i.token(r, token)
	if provision.CodeOf(err) == provision.CodeUnauthenticated {
		i.failures.add(address)
	}
	return p, err
}

func (i *Identifier) token(r *http.Request, token string) (provision.Principal, error) {
	switch {
	case strings.HasPrefix(token, backend.TokenPrefix):
		caller, err := i.opts.Backend.Authenticate(r.Context(), token)
		if err != nil {
			return provision.Principal{}, ofBackend(err)
		}
		return OfToken(caller), nil
	case i.opts.OIDC != nil:
		return i.opts.OIDC.Verify(r.Context(), token)
	}
	return provision.Principal{}, provision.Fail(provision.CodeUnauthenticated, "the token is not one of redoubt's (%s…), and no identity provider is configured", backend.TokenPrefix)
}

// ofBackend makes an error of the backend's one of ours.
func ofBackend(err error) error {
	var e *backend.Error
	if !errors.As(err, &e) {
		return err
	}
	code := provision.CodeUnauthenticated
	if e.Code == backend.CodeUnavailable {
		code = provision.CodeUnavailable
	}
	return &provision.Error{Code: code, Message: e.Message, Cause: e.Cause}
}
