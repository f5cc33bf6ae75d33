package main

import (
	"context"
	"fmt"
	"io"
)

type protectStack struct {
	remote
	Stack string `arg:"" help:"organization/project/stack."`
}

// Run carries the command out.
func (c *protectStack) Run(ctx context.Context, s *streams) error {
	return protect(ctx, s, c.remote, c.Stack, true)
}

type unprotectStack struct {
	remote
	Stack string `arg:"" help:"organization/project/stack."`
}

// Run carries the command out.
func (c *unprotectStack) Run(ctx context.Context, s *streams) error {
	return protect(ctx, s, c.remote, c.Stack, false)
}

func protect(ctx context.Context, s *streams, r remote, stack string, protected bool) error {
	name, err := stackName(stack)
	if err != nil {
		return err
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	if err := client.Protect(ctx, name, protected); err != nil {
		return err
	}
	return r.print(s, map[string]any{"stack": stack, "protected": protected}, func(w io.Writer) {
		fmt.Fprintf(w, "Stack %s is %s.\n", stack, map[bool]string{true: "protected", false: "no longer protected"}[protected])
	})
}
