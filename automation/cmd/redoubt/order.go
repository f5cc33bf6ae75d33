package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"redoubt/automation/client"
)

type orderCommand struct {
	remote
	Blueprint string   `arg:"" help:"What to order; redoubt blueprints lists them."`
	Project   string   `help:"Whose: organization/project." required:"" placeholder:"ORG/PROJECT"`
	Name      string   `help:"The environment's name." required:"" placeholder:"NAME"`
	Set       []string `help:"An input: KEY=VALUE, a.b=VALUE inside of objects, KEY=@FILE for a file's content; may be given more than once." sep:"none" placeholder:"KEY=VALUE"`
	Inputs    string   `help:"Inputs as JSON, - for standard input; --set changes them." placeholder:"FILE"`
	Version   string   `help:"The blueprint's version; the newest where nothing is said." placeholder:"VERSION" name:"blueprint-version"`
	TTL       string   `help:"Destroy it after this long; never where nothing is said." placeholder:"48h" name:"ttl"`
	Label     []string `help:"A label: KEY=VALUE; may be given more than once." sep:"none" placeholder:"KEY=VALUE"`
	Protect   *bool    `help:"Keep it from being destroyed; by default what has no TTL is kept." negatable:""`
	Message   string   `help:"Why, for who approves, and for the history." placeholder:"TEXT"`
	Strict    bool     `help:"Hold the update to its preview, values too: it ends where it would do anything else."`
	Existing  bool     `help:"Change an environment that there is, instead of making one."`
	Key       string   `help:"Idempotency key: sent again with the same one, an order is not carried out twice." placeholder:"TEXT"`
	Wait      bool     `help:"Follow the operation to its end, or until it waits for people."`
}

// Help is the long text of redoubt order --help.
func (orderCommand) Help() string {
	return `Prints the operation; redoubt operations watch follows it. Where people must
approve, the operation waits for them: redoubt approve.

A secret is better in a file than on the command line, where others may see it:
--set password=@password.txt, or --set password=@- for standard input.

With --wait the exit code says how it went: 0 succeeded, or it is people's turn, and
standard error says whose; 1 it did not succeed.

Examples:
  redoubt order secure-bucket --project acme/shop --name logs --set retentionDays=30 --wait
  redoubt order secure-database --project acme/shop --name orders --inputs inputs.json --set password=@password.txt
  redoubt order static-site --project acme/shop --name preview-42 --ttl 48h --label pr=42 --json
  redoubt order secure-bucket --project acme/shop --name logs --existing --set retentionDays=90`
}

// Run carries the command out.
func (c *orderCommand) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	b, err := blueprintOf(ctx, service, c.Blueprint, c.Version)
	if err != nil {
		return err
	}
	inputs, err := c.inputs(s, b.Schema)
	if err != nil {
		return err
	}
	labels, err := labels(c.Label)
	if err != nil {
		return err
	}
	op, err := c.send(ctx, service, inputs, labels)
	if err != nil {
		return err
	}
	return ordered(ctx, s, c.remote, service, op, c.Wait)
}

func (c *orderCommand) send(ctx context.Context, service *client.Client, inputs json.RawMessage, labels map[string]string) (client.Operation, error) {
	if c.Existing {
		stack, err := findStack(ctx, service, c.Project+"/"+c.Name)
		if err != nil {
			return client.Operation{}, err
		}
		if stack.Blueprint.Name != c.Blueprint {
			return client.Operation{}, fmt.Errorf("environment %s is made of %s, not of %s", stack.Name, stack.Blueprint.Name, c.Blueprint)
		}
		return service.CreateOperation(ctx, stack.ID, client.NewOperation{
			Kind: "up", Inputs: inputs, Options: &client.OrderOptions{Message: c.Message, Strict: c.Strict},
		}, client.CreateOperationParams{IdempotencyKey: c.Key})
	}
	project, err := findProject(ctx, service, c.Project)
	if err != nil {
		return client.Operation{}, err
	}
	n := client.NewStack{
		ProjectID: project.ID, Name: c.Name, Blueprint: c.Blueprint, BlueprintVersion: c.Version, Inputs: inputs, Labels: labels, TTL: c.TTL,
		Protected: c.Protect, Options: &client.OrderOptions{Message: c.Message, Strict: c.Strict},
	}
	made, err := service.CreateStack(ctx, n, client.CreateStackParams{IdempotencyKey: c.Key})
	return made.Operation, err
}

// ordered tells of an operation that was ordered, and follows it where that is
// wanted.
func ordered(ctx context.Context, s *streams, r remote, service *client.Client, op client.Operation, wait bool) error {
	if wait {
		if !r.JSON {
			fmt.Fprintf(s.err, "Operation %s: %s of %s\n", op.ID, op.Kind, op.Stack)
		}
		return follow(ctx, s, r, service, op.ID, false)
	}
	return r.print(s, op, func(w io.Writer) {
		fmt.Fprintf(w, "Operation %s: %s of %s is %s.\n", op.ID, op.Kind, op.Stack, op.State)
		fmt.Fprintf(w, "Follow it with: redoubt operations watch %s\n", op.ID)
	})
}

// inputs are those of the file, with what was set.
func (c *orderCommand) inputs(s *streams, text json.RawMessage) (json.RawMessage, error) {
	values := map[string]any{}
	if c.Inputs != "" {
		if err := readJSON(s, c.Inputs, &values); err != nil {
			return nil, err
		}
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("the blueprint's schema cannot be read: %w", err)
	}
	for _, set := range c.Set {
		key, value, ok := strings.Cut(set, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--set takes KEY=VALUE, not %q", key)
		}
		if file, is := strings.CutPrefix(value, "@"); is {
			content, err := readFile(s, file)
			if err != nil {
				return nil, err
			}
			value = strings.TrimSuffix(string(content), "\n")
		}
		if err := place(values, strings.Split(key, "."), &root, value); err != nil {
			return nil, fmt.Errorf("--set %s: %w", key, err)
		}
	}
	return json.Marshal(values)
}

// place puts a value where it belongs, as the type that the schema has there. What
// the schema does not have the server will refuse, with all else that is wrong.
func place(values map[string]any, path []string, root *schema, text string) error {
	at := root
	for i, name := range path {
		at = at.property(root, name)
		if i == len(path)-1 {
			value, err := typed(at, text)
			values[name] = value
			return err
		}
		inner, ok := values[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			values[name] = inner
		}
		values = inner
	}
	return nil
}

// typed reads a text as a type.
func typed(s *schema, text string) (any, error) {
	switch s.Type {
	case "string":
		return text, nil
	case "boolean":
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("it is true or false")
		}
		return value, nil
	case "integer", "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return nil, fmt.Errorf("it is a number")
		}
		return json.Number(text), nil
	case "array":
		var list []any
		if json.Unmarshal([]byte(text), &list) == nil {
			return list, nil
		}
		list = []any{}
		for part := range strings.SplitSeq(text, ",") {
			list = append(list, part)
		}
		return list, nil
	default:
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			return value, nil
		}
		return text, nil
	}
}

// labels reads KEY=VALUE.
func labels(texts []string) (map[string]string, error) {
	if len(texts) == 0 {
		return nil, nil //nolint:nilnil // no labels are nil
	}
	out := map[string]string{}
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--label takes KEY=VALUE, not %q", text)
		}
		out[key] = value
	}
	return out, nil
}
