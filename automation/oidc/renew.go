package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"redoubt/automation/provision"
)

// offlineScope asks for a refresh token (OpenID Connect Core, 11).
const offlineScope = "offline_access"

// Renew gets a command line that signed in another token for its refresh token, and
// with many issuers another refresh token too: the one before is good for nothing
// then. CodeUnauthenticated says that the issuer does not take it any more.
func (p *Provider) Renew(ctx context.Context, refresh string) (Login, error) {
	config, err := p.oauth(ctx, p.config.ClientID, "")
	if err != nil {
		return Login{}, err
	}
	tokens, err := config.TokenSource(asking(ctx, p.config.Client, nil), &oauth2.Token{RefreshToken: refresh}).Token()
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode < 500:
		return Login{}, &provision.Error{
			Code: provision.CodeUnauthenticated, Cause: errors.New(answer.ErrorCode),
			Message: "the sign-in has ended: the identity provider does not renew it (" + shown(answer.ErrorCode) + ")",
		}
	case err != nil:
		return Login{}, p.away(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return Login{}, provision.Fail(provision.CodeUnauthenticated, "the sign-in has ended: the identity provider gives no ID token when it is renewed")
	}
	c, err := p.verify(ctx, raw)
	if err != nil {
		return Login{}, err
	}
	login, err := p.login(c, tokens)
	if login.Refresh == "" {
		login.Refresh = refresh // it is good once more
	}
	return login, err
}

// Revoke ends a refresh token with the issuer (RFC 7009). Where the issuer has no
// place for that, nothing happens.
func (p *Provider) Revoke(ctx context.Context, refresh string) error {
	known, err := p.discover(ctx)
	if err != nil || known.revoke == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	form := url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}, "client_id": {p.config.ClientID}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, known.revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return p.away(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := p.config.Client.Do(request)
	if err != nil {
		return p.away(err)
	}
	defer response.Body.Close() //nolint:errcheck // its status says it
	if response.StatusCode != http.StatusOK {
		return p.away(errors.New(response.Status))
	}
	return nil
}
