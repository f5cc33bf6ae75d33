package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"redoubt/automation/client"
)

// service is the client of the server's self-service, which the address and the
// token of other commands reach too.
func (r remote) service() (*client.Client, error) {
	found, err := login(r.URL)
	if err != nil {
		return nil, err
	}
	return &client.Client{URL: found.URL, Token: found.Token, HTTP: signIns{}.client(found)}, nil
}

// all reads a list to its end, page by page.
func all[T any](next func(cursor string) ([]T, string, error)) ([]T, error) {
	items, cursor := []T{}, ""
	for {
		page, after, err := next(cursor)
		if err != nil {
			return nil, err
		}
		items = append(items, page...)
		if cursor = after; cursor == "" {
			return items, nil
		}
	}
}

// pageSize is how much is asked for at once.
const pageSize = 200

// findProject finds a project by its id, or by org/project.
func findProject(ctx context.Context, c *client.Client, text string) (client.Project, error) {
	if !strings.Contains(text, "/") {
		return c.GetProject(ctx, text)
	}
	found, err := c.ListProjects(ctx, client.ListProjectsParams{Name: text})
	if err != nil {
		return client.Project{}, err
	}
	if len(found.Items) == 0 {
		return client.Project{}, fmt.Errorf("there is no project %s, or you may not see it (redoubt project list)", text)
	}
	return found.Items[0], nil
}

// findStack finds a stack by its id, or by org/project/stack.
func findStack(ctx context.Context, c *client.Client, text string) (client.Stack, error) {
	if !strings.Contains(text, "/") {
		return c.GetStack(ctx, text)
	}
	found, err := c.ListStacks(ctx, client.ListStacksParams{Name: text})
	if err != nil {
		return client.Stack{}, err
	}
	if len(found.Items) == 0 {
		return client.Stack{}, fmt.Errorf("there is no environment %s, or you may not see it (redoubt environments list)", text)
	}
	return found.Items[0], nil
}

// own is the last part of org/project/stack.
func own(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// readJSON reads a file, or standard input where it is "-", into a value. Fields
// that nobody knows are refused.
func readJSON(s *streams, file string, into any) error {
	text, err := readFile(s, file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s is not the JSON that is expected: %w", file, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is more than one JSON value", file)
	}
	return nil
}

func readFile(s *streams, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(s.in)
	}
	return os.ReadFile(file)
}
