package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"redoubt/automation/client"
)

type driftEnvironment struct {
	environment
	Last bool `help:"Show what the last look found, instead of looking."`
}

// Help is the long text of redoubt environments drift --help.
func (driftEnvironment) Help() string {
	return `Compares the real resources with the state, and changes nothing. The exit code says
what was found: 0 no drift, 1 drift, or the look failed.

Examples:
  redoubt environments drift acme/shop/logs
  redoubt environments drift acme/shop/logs --last --json | jq -r '.resources[]'`
}

// Run carries the command out.
func (c *driftEnvironment) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	var waiting *pause
	if !c.Last {
		op, err := service.CreateOperation(ctx, stack.ID, client.NewOperation{Kind: "drift"}, client.CreateOperationParams{})
		if err != nil {
			return err
		}
		op, err = await(ctx, s, c.remote, service, op.ID)
		if err != nil && !errors.As(err, &waiting) {
			return err
		}
		if waiting != nil || op.State != "succeeded" {
			if err := c.print(s, op, func(w io.Writer) { conclude(w, op) }); err != nil {
				return err
			}
			if waiting != nil {
				fmt.Fprintln(s.err, waiting.why)
			}
			return errNotOK
		}
	}
	if stack, err = service.GetStack(ctx, stack.ID); err != nil {
		return err
	}
	if err := c.print(s, stack.Drift, func(w io.Writer) { showDrift(w, stack) }); err != nil {
		return err
	}
	if stack.Drift.Status == "drifted" || stack.Drift.Status == "error" {
		return errNotOK
	}
	return nil
}

func showDrift(w io.Writer, stack client.Stack) {
	d := stack.Drift
	switch d.Status {
	case "":
		fmt.Fprintf(w, "Nobody has looked for drift of %s.\n", stack.Name)
	case "clean":
		fmt.Fprintf(w, "Environment %s is as it was made (looked at %s).\n", stack.Name, dateText(d.CheckedAt, "?"))
	case "drifted":
		fmt.Fprintf(w, "Environment %s was changed by hand, since %s at the latest:\n", stack.Name, dateText(d.Since, "?"))
		for _, urn := range d.Resources {
			fmt.Fprintf(w, "  ~ %s\n", clean(urn))
		}
		fmt.Fprintf(w, "redoubt environments update %s makes it as it was; redoubt environments refresh %s takes it as it is.\n", stack.Name, stack.Name)
	default:
		fmt.Fprintf(w, "The look for drift of %s failed: redoubt operations show %s\n", stack.Name, d.OperationID)
	}
}
