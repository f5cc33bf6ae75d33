package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
)

// remote is how commands reach a server.
type remote struct {
	URL  string `help:"Address of the server; by default where the Pulumi CLI is logged in." env:"REDOUBT_URL" placeholder:"URL" name:"url"`
	JSON bool   `help:"Print JSON." name:"json"`
}

// client is the server's, as login finds it.
func (r remote) client() (*adminapi.Client, error) {
	found, err := login(r.URL)
	if err != nil {
		return nil, err
	}
	return &adminapi.Client{URL: found.URL, Token: found.Token, HTTP: signIns{}.client(found)}, nil
}

// print writes a value as JSON, or as text does.
func (r remote) print(s *streams, v any, text func(io.Writer)) error {
	if !r.JSON {
		table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		text(cleaned{table})
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
