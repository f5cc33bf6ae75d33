package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"redoubt/automation/client"
)

type updateEnvironment struct {
	environment
	Set     []string `help:"An input: KEY=VALUE, a.b=VALUE inside of objects, KEY=@FILE for a file's content; may be given more than once." sep:"none" placeholder:"KEY=VALUE"`
	Inputs  string   `help:"Inputs as JSON that change those that there are, - for standard input; null takes one away." placeholder:"FILE"`
	Message string   `help:"Why, for who approves, and for the history." placeholder:"TEXT"`
	Strict  bool     `help:"Hold the update to its preview, values too: it ends where it would do anything else."`
	Key     string   `help:"Idempotency key: sent again with the same one, an order is not carried out twice." placeholder:"TEXT"`
	Wait    bool     `help:"Follow the operation to its end, or until it waits for people."`
}

// Help is the long text of redoubt environments update --help.
func (updateEnvironment) Help() string {
	return `What is given is merged into the present inputs: objects field by field (JSON Merge
Patch, RFC 7396), all else as a whole. Secrets that are not given stay as they are.
Without --set and --inputs the present inputs are applied again.

Examples:
  redoubt environments update acme/shop/logs --set retention.days=90 --wait
  redoubt environments update acme/shop/orders --set password=@password.txt --message "rotated"
  echo '{"tags": {"team": null}}' | redoubt environments update acme/shop/logs --inputs -`
}

// Run carries the command out.
func (c *updateEnvironment) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	order := client.NewOperation{Kind: "up", Options: &client.OrderOptions{Message: c.Message, Strict: c.Strict}}
	if len(c.Set) > 0 || c.Inputs != "" {
		if order.Inputs, err = c.changed(ctx, s, service, stack); err != nil {
			return err
		}
	}
	op, err := service.CreateOperation(ctx, stack.ID, order, client.CreateOperationParams{IdempotencyKey: c.Key})
	if err != nil {
		return err
	}
	return ordered(ctx, s, c.remote, service, op, c.Wait)
}

// changed are the present inputs with what was given. Secrets are [secret] in
// them, which the server takes for those that it has.
func (c *updateEnvironment) changed(ctx context.Context, s *streams, service *client.Client, stack client.Stack) (json.RawMessage, error) {
	stack, err := service.GetStack(ctx, stack.ID) // with its inputs
	if err != nil {
		return nil, err
	}
	b, err := blueprintOf(ctx, service, stack.Blueprint.Name, stack.Blueprint.Version)
	if client.CodeOf(err) == "not_found" {
		b, err = blueprintOf(ctx, service, stack.Blueprint.Name, "") // which an older one is brought up to
	}
	if err != nil {
		return nil, err
	}
	given, err := (&orderCommand{Set: c.Set, Inputs: c.Inputs}).inputs(s, b.Schema)
	if err != nil {
		return nil, err
	}
	present, err := object(stack.Inputs)
	if err != nil {
		return nil, fmt.Errorf("the present inputs of %s cannot be read: %w", stack.Name, err)
	}
	patch, err := object(given)
	if err != nil {
		return nil, err
	}
	return json.Marshal(merged(present, patch))
}

// object reads a JSON object, numbers as they are written.
func object(text json.RawMessage) (map[string]any, error) {
	out := map[string]any{}
	if len(text) == 0 {
		return out, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errors.New("null is no object")
	}
	return out, nil
}

// merged is a JSON Merge Patch (RFC 7396) of objects.
func merged(base, patch map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]any{}
	}
	for name, value := range patch {
		inner, ok := value.(map[string]any)
		switch {
		case value == nil:
			delete(out, name)
		case ok:
			old, _ := out[name].(map[string]any)
			out[name] = merged(old, inner)
		default:
			out[name] = value
		}
	}
	return out
}

type refreshEnvironment struct {
	environment
	Wait bool `help:"Follow the operation to its end, or until it waits for people."`
}

// Help is the long text of redoubt environments refresh --help.
func (refreshEnvironment) Help() string {
	return `Examples:
  redoubt environments refresh acme/shop/logs --wait`
}

// Run carries the command out.
func (c *refreshEnvironment) Run(ctx context.Context, s *streams) error {
	return c.order(ctx, s, "refresh", c.Wait)
}

type recoverEnvironment struct {
	environment
	Wait bool `help:"Follow the operation to its end, or until it waits for people."`
}

// Help is the long text of redoubt environments recover --help.
func (recoverEnvironment) Help() string {
	return `After a worker that died in the middle of an update nobody knows whether what it was
making exists. Recovery reads the real resources, and takes into the state what was
made. Look at the operation that needs it first: redoubt operations show.

Examples:
  redoubt environments recover acme/shop/logs --wait`
}

// Run carries the command out.
func (c *recoverEnvironment) Run(ctx context.Context, s *streams) error {
	return c.order(ctx, s, "recover", c.Wait)
}

// order orders an operation of a kind that has no inputs.
func (c environment) order(ctx context.Context, s *streams, kind string, wait bool) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	op, err := service.CreateOperation(ctx, stack.ID, client.NewOperation{Kind: kind}, client.CreateOperationParams{})
	if err != nil {
		return err
	}
	return ordered(ctx, s, c.remote, service, op, wait)
}
