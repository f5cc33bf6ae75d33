package oidc

import (
	"context"
	"errors"

	"golang.org/x/oauth2"
)

// Device is what a person needs to sign in a command line with a browser on another
// machine (RFC 8628).
type Device struct {
	// Address is where the browser goes, and Code what is typed there.
	Address, Code string
	// Complete is the address with the code in it; empty where the issuer has none.
	Complete string
}

// LogInElsewhere signs a person in from a command line without a browser beside it:
// show tells them where to go, and then it waits until they were there. Issuers
// that cannot do that, and clients that may not, fail.
func (p *Provider) LogInElsewhere(ctx context.Context, show func(Device) error) (Login, error) {
	config, err := p.oauth(ctx, p.config.ClientID, "")
	if err != nil {
		return Login{}, err
	}
	if config.Endpoint.DeviceAuthURL == "" {
		return Login{}, failed("%s has no sign-in by a code: sign in on a machine with a browser", p.config.Issuer)
	}
	asked := asking(ctx, p.config.Client, nil)
	begun, err := config.DeviceAuth(asked)
	if err != nil {
		return Login{}, p.notExchanged(err)
	}
	if err := show(Device{begun.VerificationURI, begun.UserCode, begun.VerificationURIComplete}); err != nil {
		return Login{}, err
	}
	tokens, err := config.DeviceAccessToken(asked, begun)
	var answer *oauth2.RetrieveError
	switch {
	case ctx.Err() != nil:
		return Login{}, failed("nobody typed the code: %v", context.Cause(ctx))
	case errors.As(err, &answer) && answer.ErrorCode == "expired_token", errors.Is(err, context.DeadlineExceeded):
		return Login{}, failed("nobody typed the code in time")
	case errors.As(err, &answer) && answer.ErrorCode == "access_denied":
		return Login{}, failed("it was refused in the browser")
	case err != nil:
		return Login{}, p.notExchanged(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	c, err := p.verify(ctx, raw)
	if err != nil {
		return Login{}, err
	}
	return p.login(c, tokens)
}
