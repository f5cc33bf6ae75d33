package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"redoubt/automation/adminapi"
)

type policyCommands struct {
	List    listPolicies  `cmd:"" help:"List the policy packs that an organization's updates must run."`
	Require requirePolicy `cmd:"" help:"Make an organization's updates run a published policy pack."`
	Release releasePolicy `cmd:"" help:"Take a requirement back."`

	Exemptions exemptionCommands `cmd:"" help:"Exemptions of a pack's configuration and waivers of a server: list, check, age."`
}

type listPolicies struct {
	remote
	Org string `arg:"" help:"The organization."`
}

// Run carries the command out.
func (c *listPolicies) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	list, err := client.Requirements(ctx, c.Org)
	if err != nil {
		return err
	}
	return c.print(s, list, func(w io.Writer) {
		for _, r := range list {
			version := r.Version
			if version == "" {
				version = "newest"
			}
			fmt.Fprintf(w, "%s\t%s\n", r.Pack, version)
		}
	})
}

type requirePolicy struct {
	remote
	Org         string `arg:"" help:"The organization."`
	Pack        string `arg:"" help:"The pack, as pulumi policy publish named it."`
	PackVersion string `help:"The pack's version; the newest where nothing is said." placeholder:"VERSION"`
	Config      string `help:"Configuration of its policies, JSON." type:"existingfile" placeholder:"FILE"`
}

// Run carries the command out.
func (c *requirePolicy) Run(ctx context.Context, s *streams) error {
	r := adminapi.Requirement{Pack: c.Pack, Version: c.PackVersion}
	if c.Config != "" {
		var err error
		if r.Config, err = os.ReadFile(c.Config); err != nil {
			return err
		}
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.Require(ctx, c.Org, r); err != nil {
		return err
	}
	return c.print(s, r, func(w io.Writer) {
		fmt.Fprintf(w, "Updates of organization %s run policy pack %s from now on.\n", c.Org, c.Pack)
	})
}

type releasePolicy struct {
	remote
	Org  string `arg:"" help:"The organization."`
	Pack string `arg:"" help:"The pack."`
}

// Run carries the command out.
func (c *releasePolicy) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.Release(ctx, c.Org, c.Pack); err != nil {
		return err
	}
	return c.print(s, map[string]string{"released": c.Pack}, func(w io.Writer) {
		fmt.Fprintf(w, "Updates of organization %s need not run policy pack %s any more.\n", c.Org, c.Pack)
	})
}
