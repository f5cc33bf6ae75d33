package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"redoubt/automation/client"
)

type environmentStates struct{ environment }

// Help is the long text of redoubt environments states --help.
func (environmentStates) Help() string {
	return `Examples:
  redoubt environments states acme/shop/logs`
}

// Run carries the command out.
func (c *environmentStates) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	states, err := all(func(cursor string) ([]client.StateVersion, string, error) {
		page, err := service.ListStateVersions(ctx, stack.ID, client.ListStateVersionsParams{Cursor: cursor, Limit: pageSize})
		return page.Items, page.NextCursor, err
	})
	if err != nil {
		return err
	}
	return c.print(s, states, func(w io.Writer) {
		fmt.Fprintln(w, "VERSION\tWRITTEN\tRESOURCES\tDIGEST")
		for _, v := range states {
			fmt.Fprintf(w, "%d\t%s\t%d\t%s\n", v.Version, dateText(v.CreatedAt, "?"), v.Resources, v.Digest)
		}
	})
}

type exportState struct {
	environment
	Version int64  `arg:"" help:"The state's version; redoubt environments states has it."`
	Reason  string `help:"Why; that is recorded." required:"" placeholder:"TEXT"`
	Sealed  bool   `help:"With secrets sealed by the environment's key, so that it can be imported again; without, they are [secret]."`
}

// Help is the long text of redoubt environments export --help.
func (exportState) Help() string {
	return `Prints JSON as pulumi stack export does. No secret in it can be read.

Examples:
  redoubt environments export acme/shop/logs 41 --reason "what did it have?"
  redoubt environments export acme/shop/logs 41 --reason "a backup" --sealed > state.json`
}

// Run carries the command out.
func (c *exportState) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	order := client.StateExport{Reason: c.Reason, Secrets: "masked"}
	if c.Sealed {
		order.Secrets = "sealed"
	}
	exported, err := service.ExportState(ctx, stack.ID, strconv.FormatInt(c.Version, 10), order)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	return encoder.Encode(exported.State)
}
