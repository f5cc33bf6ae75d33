package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
)

// remote is how commands reach a server.
type remote struct {
	URL  string `help:"Address of the server; by default where the Pulumi CLI is logged in." env:"REDOUBT_URL" placeholder:"URL" name:"url"`
	JSON bool   `help:"Print JSON." name:"json"`
}

// client finds the server and a token: in the environment, or with the Pulumi
// CLI. A token is no flag, because others see the flags of a process.
func (r remote) client() (*adminapi.Client, error) {
	token := os.Getenv("REDOUBT_TOKEN")
	if r.URL != "" && token != "" {
		return connect(r.URL, token)
	}
	stored, err := workspace.GetStoredCredentials()
	if err != nil {
		return nil, fmt.Errorf("the credentials of the Pulumi CLI cannot be read: %w (or set REDOUBT_URL and REDOUBT_TOKEN)", err)
	}
	where := strings.TrimSuffix(r.URL, "/")
	if where == "" {
		where = stored.Current
	}
	if where == "" {
		return nil, fmt.Errorf("which server? Give --url or REDOUBT_URL, or log in with `pulumi login URL`")
	}
	if token == "" {
		token = stored.Accounts[where].AccessToken
	}
	if token == "" {
		token = stored.AccessTokens[where]
	}
	if token == "" {
		return nil, fmt.Errorf("there is no token for %s: set REDOUBT_TOKEN, or log in with `pulumi login %s`", where, where)
	}
	return connect(where, token)
}

func connect(where, token string) (*adminapi.Client, error) {
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a server: https://host, or http://127.0.0.1:8090 (give --url or REDOUBT_URL)", where)
	}
	return &adminapi.Client{URL: where, Token: token}, nil
}

// print writes a value as JSON, or as text does.
func (r remote) print(s *streams, v any, text func(io.Writer)) error {
	if !r.JSON {
		table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		text(table)
		return table.Flush()
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// stackName reads org/project/stack.
func stackName(text string) (backend.StackName, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return backend.StackName{}, fmt.Errorf("%q is no stack: organization/project/stack", text)
	}
	name := backend.StackName{Org: parts[0], Project: parts[1], Stack: parts[2]}
	return name, backend.CheckStackName(name)
}
