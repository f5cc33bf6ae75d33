package oidc

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"redoubt/automation/provision"
)

// Config is about one issuer. The zero value of most fields has a meaning.
type Config struct {
	// Issuer is its address, as its tokens have it in "iss".
	Issuer string
	// ClientID is what this service is called there, and ClientSecretFile has its
	// secret; empty for a public client, which has PKCE alone.
	ClientID         string
	ClientSecretFile string
	// LoginClientID is the public client of `redoubt login`; empty for ClientID.
	LoginClientID string
	// Audiences are good in a token's "aud" besides the two clients.
	Audiences []string
	// Scopes are asked for at a sign-in; nil for openid, profile and email.
	Scopes []string
	// Offline asks for a refresh token besides, of an issuer that says that it has
	// some: for command lines, see Provider.Renew.
	Offline bool
	// NameClaim is who somebody is, for ever and to the letter; empty for "sub".
	NameClaim string
	// DisplayClaim is for people to read; empty for "email".
	DisplayClaim string
	// GroupsClaim is a list of names, or one; empty for "groups". It may be a path
	// into objects, "realm_access.roles".
	GroupsClaim string
	// MFAMethods are the values of "amr", and MFAContexts those of "acr", of which
	// one means a second factor. Nil methods are mfa, otp and hwk (RFC 8176).
	MFAMethods, MFAContexts []string
	// Required are claims that must have a value: {"email_verified": "true"}.
	Required map[string]string
	// Algorithms may have signed; nil for RS256, PS256, ES256 and EdDSA. Those of
	// shared keys, and none, are never allowed.
	Algorithms []string
	// Skew is how far the issuer's clock may be from this one; 0 for two minutes.
	Skew time.Duration
	// Client asks the issuer; nil for one that gives up after ten seconds.
	Client *http.Client
	// Now is nil for time.Now.
	Now func() time.Time
}

// asymmetric are the algorithms that may be allowed.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// maxSkew is more than clocks that are set at all differ by.
const maxSkew = 10 * time.Minute

// Check returns all that is wrong with a configuration, by setting.
func (c Config) Check() (findings []provision.FieldError) {
	found := func(setting, format string, args ...any) {
		findings = append(findings, provision.FieldError{Pointer: "/" + setting, Message: fmt.Sprintf(format, args...)})
	}
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		found("issuer", "%q is no address of an issuer: https://login.example.org", c.Issuer)
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		found("issuer", "%q is not https: whoever is on the way could sign in as anybody", c.Issuer)
	}
	if c.ClientID == "" {
		found("clientId", "the issuer knows this service by a client id: give the one that was registered there")
	}
	if c.ClientSecretFile != "" {
		if _, err := readSecret(c.ClientSecretFile); err != nil {
			found("clientSecretFile", "%v", err)
		}
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(asymmetric, a) {
			found("algorithms", "%q cannot be allowed: some of %s", a, strings.Join(asymmetric, ", "))
		}
	}
	if c.Skew < 0 || c.Skew > maxSkew {
		found("skew", "%s is no difference of clocks: 0s to %s", c.Skew, maxSkew)
	}
	for _, list := range []struct {
		setting string
		values  []string
	}{{"audiences", c.Audiences}, {"mfaMethods", c.MFAMethods}, {"mfaContexts", c.MFAContexts}} {
		if slices.Contains(list.values, "") {
			found(list.setting, "an empty value would match what is not there")
		}
	}
	if c.Scopes != nil && !slices.Contains(c.Scopes, "openid") {
		found("scopes", `"openid" must be among them: without it there is no ID token`)
	}
	return findings
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty: it should have the client's secret", path)
	}
	return secret, nil
}

func (c Config) withDefaults() Config {
	or := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	or(&c.LoginClientID, c.ClientID)
	or(&c.NameClaim, "sub")
	or(&c.DisplayClaim, "email")
	or(&c.GroupsClaim, "groups")
	if c.Scopes == nil {
		c.Scopes = []string{"openid", "profile", "email"}
	}
	if c.MFAMethods == nil {
		c.MFAMethods = []string{"mfa", "otp", "hwk"}
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}
	}
	if c.Skew == 0 {
		c.Skew = 2 * time.Minute
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: patience}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// audiences are all that a token may be for.
func (c Config) audiences() []string {
	return append([]string{c.ClientID, c.LoginClientID}, c.Audiences...)
}
