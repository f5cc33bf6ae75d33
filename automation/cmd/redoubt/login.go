package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/engine"
	"redoubt/automation/redact"
)

// login finds the server and the token that say who we are to it: what the
// command line and the environment say, else what `pulumi login` has stored.
func login(url string) (engine.Backend, error) {
	stored, err := workspace.GetStoredCredentials()
	if err != nil {
		return engine.Backend{}, fmt.Errorf("the credentials that `pulumi login` stores cannot be read: %w", err)
	}
	url = strings.TrimSuffix(first(url, os.Getenv("REDOUBT_URL"), os.Getenv("PULUMI_BACKEND_URL"), stored.Current), "/")
	switch {
	case url == "":
		return engine.Backend{}, errors.New("which server? Name it with --url or REDOUBT_URL, or log in: pulumi login https://redoubt.example")
	case !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://"):
		return engine.Backend{}, fmt.Errorf("%s is no Redoubt server: name one with --url or REDOUBT_URL, or log in: pulumi login https://redoubt.example", redact.URL(url))
	}
	token := first(os.Getenv("REDOUBT_TOKEN"), os.Getenv("PULUMI_ACCESS_TOKEN"), stored.AccessTokens[url], stored.Accounts[url].AccessToken)
	if token == "" {
		return engine.Backend{}, fmt.Errorf("there is no access token for %s: set REDOUBT_TOKEN, or log in: pulumi login %s", redact.URL(url), redact.URL(url))
	}
	return engine.Backend{URL: url, Token: token}, nil
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
