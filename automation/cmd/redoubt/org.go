package main

import (
	"context"
	"fmt"
	"io"
)

type orgCommands struct {
	Create createOrg `cmd:"" help:"Make an organization."`
	List   listOrgs  `cmd:"" help:"List the organizations that the token may see."`
}

type createOrg struct {
	remote
	Name string `arg:"" help:"The organization's name."`
}

// Run carries the command out.
func (c *createOrg) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.CreateOrganization(ctx, c.Name); err != nil {
		return err
	}
	return c.print(s, map[string]string{"created": c.Name}, func(w io.Writer) { fmt.Fprintf(w, "Organization %s is made.\n", c.Name) })
}

type listOrgs struct{ remote }

// Run carries the command out.
func (c *listOrgs) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	orgs, err := client.Organizations(ctx)
	if err != nil {
		return err
	}
	return c.print(s, orgs, func(w io.Writer) {
		for _, o := range orgs {
			fmt.Fprintln(w, o.Name)
		}
	})
}
