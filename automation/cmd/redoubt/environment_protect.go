package main

import (
	"context"
	"fmt"
	"io"

	"redoubt/automation/client"
)

type protectEnvironment struct{ environment }

// Help is the long text of redoubt environments protect --help.
func (protectEnvironment) Help() string {
	return `A protected environment refuses to be destroyed, by people, schedules and its TTL.

Examples:
  redoubt environments protect acme/shop/orders`
}

// Run carries the command out.
func (c *protectEnvironment) Run(ctx context.Context, s *streams) error {
	return c.protect(ctx, s, true, "Environment %s is protected: nothing destroys it.\n")
}

type unprotectEnvironment struct{ environment }

// Help is the long text of redoubt environments unprotect --help.
func (unprotectEnvironment) Help() string {
	return `Examples:
  redoubt environments unprotect acme/shop/orders`
}

// Run carries the command out.
func (c *unprotectEnvironment) Run(ctx context.Context, s *streams) error {
	return c.protect(ctx, s, false, "Environment %s is not protected any more.\n")
}

func (c environment) protect(ctx context.Context, s *streams, protected bool, says string) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	if stack, err = service.UpdateStack(ctx, stack.ID, stack.Version, client.StackPatch{Protected: &protected}); err != nil {
		return err
	}
	return c.print(s, stack, func(w io.Writer) { fmt.Fprintf(w, says, stack.Name) })
}
