package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"redoubt/automation/provision"
)

// Flow is a sign-in that has begun: what its end is held to. It stays with the
// browser that began it, in a cookie that scripts do not see.
type Flow struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // of PKCE
	Redirect string `json:"r"`
}

// Begin starts a sign-in that comes back to an address of ours, and returns where
// the browser goes. fresh wants the issuer to ask for the password, and whatever
// else, again, with a second factor where the configuration says what means one.
func (p *Provider) Begin(ctx context.Context, redirect string, fresh bool) (address string, f Flow, err error) {
	config, err := p.oauth(ctx, p.config.ClientID, redirect)
	if err != nil {
		return "", Flow{}, err
	}
	f = Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Redirect: redirect}
	options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
	if fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
		if len(p.config.MFAContexts) > 0 {
			options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(p.config.MFAContexts, " ")))
		}
	}
	return config.AuthCodeURL(f.State, options...), f, nil
}

// Finish ends a sign-in with what the issuer sent the browser back with.
func (p *Provider) Finish(ctx context.Context, f Flow, query url.Values) (provision.Principal, error) {
	c, _, err := p.finish(ctx, p.config.ClientID, f, query)
	if err != nil {
		return provision.Principal{}, err
	}
	return p.principal(c)
}

func (p *Provider) finish(ctx context.Context, client string, f Flow, query url.Values) (claims, *oauth2.Token, error) {
	if f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(query.Get("state"))) != 1 {
		return nil, nil, failed("it is not the one that this browser began (state): sign in again")
	}
	if why := query.Get("error"); why != "" {
		return nil, nil, failed("the identity provider says %s %s", shown(why), shown(query.Get("error_description")))
	}
	config, err := p.oauth(ctx, client, f.Redirect)
	if err != nil {
		return nil, nil, err
	}
	tokens, err := config.Exchange(asking(ctx, p.config.Client, nil), query.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, nil, p.notExchanged(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return nil, nil, failed("the identity provider gave no ID token")
	}
	c, err := p.verify(ctx, raw)
	if err != nil {
		return nil, nil, err
	}
	if nonce, _ := c["nonce"].(string); subtle.ConstantTimeCompare([]byte(f.Nonce), []byte(nonce)) != 1 {
		return nil, nil, failed("the ID token is of another sign-in (nonce)")
	}
	return c, tokens, nil
}

func failed(format string, args ...any) error {
	return provision.Fail(provision.CodeUnauthenticated, "the sign-in failed: "+format, args...)
}

// notExchanged is the error for a code that gave no tokens. What the issuer
// answered is not told on: it may hold anything.
func (p *Provider) notExchanged(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return p.away(err)
	}
	if answer.Response != nil && answer.Response.StatusCode >= 500 {
		return p.away(err)
	}
	return &provision.Error{
		Code: provision.CodeUnauthenticated, Cause: errors.New(answer.ErrorCode),
		Message: "the sign-in failed: the identity provider gave no tokens for the code (" + shown(answer.ErrorCode) + "): sign in again; if that does not help, client id, secret and redirect address are to be looked at",
	}
}

func (p *Provider) oauth(ctx context.Context, client, redirect string) (*oauth2.Config, error) {
	known, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	config := &oauth2.Config{ClientID: client, Endpoint: known.endpoint, RedirectURL: redirect, Scopes: p.config.Scopes}
	if p.config.Offline && known.offline {
		config.Scopes = append(slices.Clone(config.Scopes), offlineScope)
	}
	if client == p.config.ClientID && p.config.ClientSecretFile != "" {
		// Read each time: a secret that was changed is there without a restart.
		if config.ClientSecret, err = readSecret(p.config.ClientSecretFile); err != nil {
			return nil, err
		}
	}
	return config, nil
}
