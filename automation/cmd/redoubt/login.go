package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/engine"
	"redoubt/automation/redact"
)

// login finds the server and the token that say who we are to it: what the
// command line and the environment say, else what `redoubt login` or `pulumi login` has stored. A
// token is no flag, because others see the flags of a process. One of an identity
// provider's that is about to end is renewed first.
func login(address string) (engine.Backend, error) {
	address = first(address, os.Getenv("REDOUBT_URL"), os.Getenv("PULUMI_BACKEND_URL"))
	token := first(os.Getenv("REDOUBT_TOKEN"), os.Getenv("PULUMI_ACCESS_TOKEN"))
	var stored workspace.Credentials
	if address == "" || token == "" {
		var err error
		if stored, err = workspace.GetStoredCredentials(); err != nil {
			return engine.Backend{}, fmt.Errorf("the credentials of the Pulumi CLI cannot be read: %w (or set REDOUBT_URL and REDOUBT_TOKEN)", err)
		}
	}
	address = strings.TrimSuffix(first(address, stored.Current), "/")
	if address == "" {
		return engine.Backend{}, errors.New("which server? Give --url or REDOUBT_URL, or log in with `redoubt login URL`")
	}
	if err := checkServer(address); err != nil {
		return engine.Backend{}, err
	}
	if token == "" {
		renewed, err := (signIns{}).token(context.Background(), address, stored.Accounts[address])
		if err != nil {
			return engine.Backend{}, err
		}
		token = first(renewed, stored.AccessTokens[address])
	}
	if token == "" {
		return engine.Backend{}, fmt.Errorf("there is no token for %s: set REDOUBT_TOKEN, or log in with `redoubt login %s`", redact.URL(address), redact.URL(address))
	}
	return engine.Backend{URL: address, Token: token}, nil
}

// checkServer says whether an address can be that of a server.
func checkServer(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is no address of a server: https://host, or http://127.0.0.1:8090 (give --url or REDOUBT_URL)", redact.URL(address))
	}
	return nil
}

// first is the first that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
