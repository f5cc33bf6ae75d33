package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"redoubt/automation/client"
)

type quotaCommands struct {
	Show showQuota `cmd:"" help:"Show a project's quota and how much of it is used, or an organization's."`
	Set  setQuota  `cmd:"" help:"Change some of a project's or an organization's quota."`
}

// quotaOf is the argument of both.
type quotaOf struct {
	remote
	Of string `arg:"" help:"organization/project, or an organization."`
}

// bounds are the rows of a quota.
func bounds(q client.Quota) [][2]string {
	return [][2]string{
		{"stacks", fmt.Sprint(q.Stacks)},
		{"concurrent", fmt.Sprint(q.Concurrent)},
		{"queued", fmt.Sprint(q.Queued)},
		{"per_hour", fmt.Sprint(q.PerHour)},
		{"resources_per_stack", fmt.Sprint(q.ResourcesPerStack)},
		{"max_ttl", orText(q.MaxTTL, "0")},
	}
}

// unbounded is a bound in words.
func unbounded(text string) string {
	if text == "0" || text == "0s" {
		return "–"
	}
	return text
}

type showQuota struct{ quotaOf }

// Help is the long text of redoubt quota show --help.
func (showQuota) Help() string {
	return `Examples:
  redoubt quota show acme/shop
  redoubt quota show acme`
}

// Run carries the command out.
func (c *showQuota) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	if !strings.Contains(c.Of, "/") {
		q, err := service.GetOrganizationQuota(ctx, c.Of)
		if err != nil {
			return err
		}
		return c.print(s, q, func(w io.Writer) {
			fmt.Fprintln(w, "QUOTA\tPROJECTS THAT SAY NOTHING")
			for _, b := range bounds(q.Quota) {
				fmt.Fprintf(w, "%s\t%s\n", b[0], unbounded(b[1]))
			}
		})
	}
	p, err := findProject(ctx, service, c.Of)
	if err != nil {
		return err
	}
	q, err := service.GetProjectQuota(ctx, p.ID)
	if err != nil {
		return err
	}
	return c.print(s, q, func(w io.Writer) {
		used := map[string]int64{"stacks": q.Usage.Stacks, "concurrent": q.Usage.Concurrent, "queued": q.Usage.Queued, "per_hour": q.Usage.PerHour}
		fmt.Fprintln(w, "QUOTA\tUSED\tOF\tTHE PROJECT SAYS")
		said := bounds(q.Quota)
		for i, b := range bounds(q.Effective) {
			use := "–"
			if n, counted := used[b[0]]; counted {
				use = fmt.Sprint(n)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b[0], use, unbounded(b[1]), unbounded(said[i][1]))
		}
	})
}

type setQuota struct {
	quotaOf
	Stacks            *int64  `help:"Environments; 0 says nothing." placeholder:"N"`
	Concurrent        *int64  `help:"Operations that run at once." placeholder:"N"`
	Queued            *int64  `help:"Operations that wait for a worker." placeholder:"N"`
	PerHour           *int64  `help:"Operations ordered in an hour." placeholder:"N"`
	ResourcesPerStack *int64  `help:"Resources of an environment." placeholder:"N"`
	MaxTTL            *string `name:"max-ttl" help:"The longest life of an environment." placeholder:"30d"`
}

// Help is the long text of redoubt quota set --help.
func (setQuota) Help() string {
	return `What is not given stays. An organization's quota holds for projects that say nothing; a project's own goes beyond it only where who manages the
organization says so.

Examples:
  redoubt quota set acme/shop --stacks 50 --per-hour 100
  redoubt quota set acme --stacks 30 --max-ttl 30d`
}

// Run carries the command out.
func (c *setQuota) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	if !strings.Contains(c.Of, "/") {
		q, err := service.GetOrganizationQuota(ctx, c.Of)
		if err == nil {
			err = c.apply(&q.Quota)
		}
		if err != nil {
			return err
		}
		if q, err = service.PutOrganizationQuota(ctx, c.Of, q.Version, q.Quota); err != nil {
			return err
		}
		return c.print(s, q, func(w io.Writer) { fmt.Fprintf(w, "The quota of organization %s is changed.\n", c.Of) })
	}
	p, err := findProject(ctx, service, c.Of)
	if err != nil {
		return err
	}
	q, err := service.GetProjectQuota(ctx, p.ID)
	if err == nil {
		err = c.apply(&q.Quota)
	}
	if err != nil {
		return err
	}
	if q, err = service.PutProjectQuota(ctx, p.ID, q.Version, q.Quota); err != nil {
		return err
	}
	return c.print(s, q, func(w io.Writer) { fmt.Fprintf(w, "The quota of project %s is changed.\n", c.Of) })
}

// apply puts what was given into a quota.
func (c *setQuota) apply(q *client.Quota) error {
	said := c.MaxTTL != nil
	for _, n := range []struct{ from, to *int64 }{
		{c.Stacks, &q.Stacks},
		{c.Concurrent, &q.Concurrent},
		{c.Queued, &q.Queued},
		{c.PerHour, &q.PerHour},
		{c.ResourcesPerStack, &q.ResourcesPerStack},
	} {
		if n.from != nil {
			*n.to, said = *n.from, true
		}
	}
	if c.MaxTTL != nil {
		q.MaxTTL = *c.MaxTTL
	}
	if !said {
		return errors.New("nothing to set: give --stacks, --concurrent, --queued, --per-hour, --resources-per-stack or --max-ttl")
	}
	return nil
}
