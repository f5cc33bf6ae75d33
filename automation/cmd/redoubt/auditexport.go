package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"redoubt/automation/backend"
	"redoubt/automation/redact"
)

// mostState is the largest state that is read from a server.
const mostState = 1 << 30

// exportStack reads a stack's state over the API of the Pulumi service, which
// Redoubt has too: secrets in it are encrypted, and stay so.
func exportStack(ctx context.Context, address string, name backend.StackName) ([]byte, error) {
	found, err := login(address)
	if err != nil {
		return nil, err
	}
	where := redact.URL(found.URL)
	target := found.URL + "/api/stacks/" + url.PathEscape(name.Org) + "/" + url.PathEscape(name.Project) + "/" + url.PathEscape(name.Stack) + "/export"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("%s is no address of a server", where)
	}
	request.Header.Set("Authorization", "token "+found.Token)
	request.Header.Set("Accept", "application/vnd.pulumi+9")
	client := signIns{}.client(found)
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: is it the address of a server, and does that run?", where)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s has no stack %s/%s/%s, or none that this token may read", where, name.Org, name.Project, name.Stack)
	case http.StatusUnauthorized:
		return nil, fmt.Errorf("%s does not know the token: log in with `redoubt login %s`, or set REDOUBT_TOKEN", where, where)
	default:
		return nil, fmt.Errorf("%s answered %s when it was asked for the state of %s/%s/%s", where, response.Status, name.Org, name.Project, name.Stack)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, mostState+1))
	if err != nil {
		return nil, fmt.Errorf("the state that %s sent broke off: try again", where)
	}
	if len(text) > mostState {
		return nil, fmt.Errorf("the state is larger than %d MiB: export it with `pulumi stack export`, and give it with --file", mostState>>20)
	}
	return text, nil
}
