package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"redoubt/automation/server"
)

type keyCommands struct {
	Rotate rotateKey  `cmd:"" help:"Make a new key: the operator's, in the key file, or a stack's."`
	Rewrap rewrapKeys `cmd:"" help:"Wrap all keys of stacks with the operator's current key, so that older ones can go."`
}

type rotateKey struct {
	remote
	Data  string `help:"The server's data folder, on its own machine: rotate the operator's key in keys.json. The server need not be stopped." placeholder:"FOLDER"`
	Stack string `help:"Rotate the key of a stack, organization/project/stack, through the server." placeholder:"STACK"`
}

// Help is the long text of redoubt key rotate --help.
func (rotateKey) Help() string {
	return `The operator's key wraps the keys of the stacks, and those seal the data. After either is rotated, what is new is sealed with the new key,
and what is older still opens with the older ones. Nothing is written again.

  redoubt key rotate --data /var/lib/redoubt && redoubt key rewrap    after which the older keys in keys.json are needed no more

A key of AWS KMS is rotated there, or replaced: see docs/serve.md.`
}

// Run carries the command out.
func (c *rotateKey) Run(ctx context.Context, s *streams) error {
	switch {
	case (c.Data == "") == (c.Stack == ""):
		return errors.New("which key? Either --data for the operator's, or --stack for a stack's")
	case c.Data != "":
		id, err := server.RotateKeyFile(c.Data)
		if err != nil {
			return err
		}
		return c.print(s, map[string]string{"current": id}, func(w io.Writer) {
			fmt.Fprintf(w, "The operator's key is now %s. Back the file up, and then let the server wrap all keys with it: redoubt key rewrap\n", id)
		})
	}
	name, err := stackName(c.Stack)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.RotateKey(ctx, name); err != nil {
		return err
	}
	return c.print(s, map[string]string{"stack": c.Stack}, func(w io.Writer) { fmt.Fprintf(w, "Stack %s has a new key.\n", c.Stack) })
}

type rewrapKeys struct{ remote }

// Run carries the command out.
func (c *rewrapKeys) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	done, err := client.Rewrap(ctx)
	if err != nil {
		return err
	}
	return c.print(s, done, func(w io.Writer) {
		fmt.Fprintf(w, "%d key(s) were wrapped anew. No older key of the operator's is needed by this database now; backups of it still need theirs.\n", done.Keys)
	})
}
