package oidc

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// Login is what a command line signs in with: tokens for the service's API.
type Login struct {
	// Token is the bearer token, until Expires.
	Token   string
	Expires time.Time
	// Refresh gets another one, where the issuer gave it.
	Refresh string
	// Name is who signed in.
	Name string
}

// loginPage is what the browser shows at the end.
const loginPage = "You are signed in to redoubt, and may close this window.\n"

// LogIn signs a person in from a command line (RFC 8252): it listens on a port of
// the loopback address, has the browser opened at the issuer's page, and waits for
// it to come back. open is given the page's address. The client, Config.ClientID,
// is a public one.
func (p *Provider) LogIn(ctx context.Context, open func(address string) error) (Login, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Login{}, fmt.Errorf("a port for the browser to come back to: %w", err)
	}
	// Closed by the server.
	address, flow, err := p.Begin(ctx, "http://"+listener.Addr().String()+"/callback", false)
	if err != nil {
		_ = listener.Close()
		return Login{}, err
	}
	type result struct {
		login Login
		err   error
	}
	done := make(chan result, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		login, err := p.tokens(r.Context(), flow, r)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		text := loginPage
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			text = err.Error() + "\n"
		}
		_, _ = w.Write([]byte(text))
		select {
		case done <- result{login, err}:
		default:
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)                         //nolint:errcheck // it ends when it is shut down
	defer server.Shutdown(context.WithoutCancel(ctx)) //nolint:errcheck // the browser has its page, or nobody waits
	if err := open(address); err != nil {
		return Login{}, err
	}
	select {
	case r := <-done:
		return r.login, r.err
	case <-ctx.Done():
		return Login{}, failed("the browser did not come back: %v", context.Cause(ctx))
	}
}

func (p *Provider) tokens(ctx context.Context, flow Flow, r *http.Request) (Login, error) {
	c, tokens, err := p.finish(ctx, p.config.ClientID, flow, r.URL.Query())
	if err != nil {
		return Login{}, err
	}
	return p.login(c, tokens)
}

// login is the result of a sign-in whose ID token was verified.
func (p *Provider) login(c claims, tokens *oauth2.Token) (Login, error) {
	who, err := p.principal(c)
	if err != nil {
		return Login{}, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	expires, _ := c.time("exp")
	return Login{Token: raw, Expires: expires, Refresh: tokens.RefreshToken, Name: who.Name}, nil
}
