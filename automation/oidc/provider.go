package oidc

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"redoubt/automation/provision"
)

// Provider is an issuer that people sign in with. It is safe for concurrent use.
type Provider struct {
	config Config
	limit  *rate.Limiter

	mu    sync.Mutex
	known *known
	// asked is closed when the question that is on its way was answered; nil without
	// one.
	asked chan struct{}
	// failed is the last answer that did not come, so that an issuer that is away
	// is not waited for by every request.
	failed   error
	failedAt time.Time
}

// known is what the issuer says of itself.
type known struct {
	at        time.Time
	verifier  *oidc.IDTokenVerifier
	endpoint  oauth2.Endpoint
	endClient string // address that ends the issuer's own session; empty for none
	revoke    string // address that ends tokens; empty for none
	offline   bool   // refresh tokens are to be asked for
}

// Keys that an issuer withdraws are believed for so long at most; and one that is
// away is asked again after so long.
const (
	knownFor   = time.Hour
	retryAfter = 5 * time.Second
)

// patience is how long an answer of the issuer may take.
const patience = 10 * time.Second

// New makes a provider; the issuer is not asked before the first token comes, so
// that the service starts without it. The error is a *provision.Error with a field
// for each finding of Check.
func New(c Config) (*Provider, error) {
	if findings := c.Check(); len(findings) > 0 {
		lines := []string{fmt.Sprintf("the identity provider's configuration has %d error(s):", len(findings))}
		for _, f := range findings {
			lines = append(lines, "  "+strings.TrimPrefix(f.Pointer, "/")+": "+f.Message)
		}
		return nil, &provision.Error{Code: provision.CodeInvalid, Message: strings.Join(lines, "\n"), Fields: findings}
	}
	return &Provider{config: c.withDefaults(), limit: rate.NewLimiter(rate.Every(keyEvery), keyBurst)}, nil
}

// Issuer is its address.
func (p *Provider) Issuer() string { return p.config.Issuer }

// LoginClient is the public client that command lines sign in with.
func (p *Provider) LoginClient() string { return p.config.LoginClientID }

// away is the error for an issuer that does not answer.
func (p *Provider) away(cause error) error {
	return &provision.Error{
		Code: provision.CodeUnavailable, RetryAfter: retryAfter, Cause: cause,
		Message: fmt.Sprintf("the identity provider %s does not answer, or not as one should: nobody can be signed in until it does (access tokens of redoubt's work)", p.config.Issuer),
	}
}

// discover returns what the issuer says of itself. It is asked once in a while; who
// asks for it meanwhile is not kept waiting where there is an older answer.
func (p *Provider) discover(ctx context.Context) (*known, error) {
	p.mu.Lock()
	now := time.Now() // not config.Now: it is about how long ago
	old := p.known == nil || now.Sub(p.known.at) >= knownFor
	if old && p.asked == nil && (p.failed == nil || now.Sub(p.failedAt) >= retryAfter) {
		p.asked = make(chan struct{})
		go p.refresh(p.asked)
	}
	known, asked, failed := p.known, p.asked, p.failed
	p.mu.Unlock()
	switch {
	case known != nil:
		return known, nil
	case asked == nil:
		return nil, p.away(failed)
	}
	select {
	case <-asked:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		return nil, p.away(p.failed)
	}
	return p.known, nil
}

// refresh asks the issuer, for all who wait.
func (p *Provider) refresh(asked chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	fresh, err := p.ask(ctx, time.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.known, p.failed = fresh, nil
	} else {
		p.failed, p.failedAt = err, time.Now()
	}
	p.asked = nil
	close(asked)
}

func (p *Provider) ask(ctx context.Context, now time.Time) (*known, error) {
	provider, err := oidc.NewProvider(asking(ctx, p.config.Client, nil), p.config.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		Keys string `json:"jwks_uri"`
		End  string `json:"end_session_endpoint"`

		Revoke string   `json:"revocation_endpoint"`
		Scopes []string `json:"scopes_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	keys := keySet{oidc.NewRemoteKeySet(asking(context.WithoutCancel(ctx), p.config.Client, p.limit), more.Keys)}
	return &known{
		at: now, endpoint: provider.Endpoint(), endClient: more.End, revoke: more.Revoke,
		offline: slices.Contains(more.Scopes, offlineScope),
		// What it would check besides is checked in claims.go, where an error says more.
		verifier: oidc.NewVerifier(p.config.Issuer, keys, &oidc.Config{
			SupportedSigningAlgs: p.config.Algorithms, SkipClientIDCheck: true, SkipExpiryCheck: true, SkipIssuerCheck: true,
		}),
	}, nil
}

// LogoutURL is where a browser goes to end its session with the issuer too, and
// comes back to after; empty where the issuer has no such place.
func (p *Provider) LogoutURL(ctx context.Context, after string) (string, error) {
	k, err := p.discover(ctx)
	if err != nil || k.endClient == "" {
		return "", err
	}
	u, err := url.Parse(k.endClient)
	if err != nil {
		return "", p.away(err)
	}
	q := u.Query()
	q.Set("client_id", p.config.ClientID)
	q.Set("post_logout_redirect_uri", after)
	u.RawQuery = q.Encode()
	return u.String(), nil
}
