package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"redoubt/automation/client"
)

type freezeCommands struct {
	List   listFreezes  `cmd:"" help:"List a project's freeze windows, and say which is open."`
	Add    addFreeze    `cmd:"" help:"Keep a project from applying for a time, once or again and again."`
	Remove removeFreeze `cmd:"" help:"Remove a freeze window, at once."`
}

// windows is the argument of all of them.
type windows struct {
	remote
	Project string `arg:"" help:"organization/project, or its id."`
}

// find finds the project with its windows.
func (c windows) find(ctx context.Context) (*client.Client, client.Project, client.FreezeWindows, error) {
	service, err := c.service()
	if err != nil {
		return nil, client.Project{}, client.FreezeWindows{}, err
	}
	p, err := findProject(ctx, service, c.Project)
	if err != nil {
		return nil, p, client.FreezeWindows{}, err
	}
	found, err := service.GetFreezeWindows(ctx, p.ID)
	return service, p, found, err
}

type listFreezes struct{ windows }

// Help is the long text of redoubt freeze list --help.
func (listFreezes) Help() string {
	return `Examples:
  redoubt freeze list acme/shop`
}

// Run carries the command out.
func (c *listFreezes) Run(ctx context.Context, s *streams) error {
	_, _, found, err := c.find(ctx)
	if err != nil {
		return err
	}
	return c.print(s, found, func(w io.Writer) {
		fmt.Fprintln(w, "WINDOW\tWHEN\tOPEN UNTIL")
		for _, f := range found.FreezeWindows {
			until := "–"
			if f.Name == found.FrozenBy {
				until = dateText(found.FrozenUntil, "?")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", clean(f.Name), whenText(f), until)
		}
	})
}

func whenText(f client.FreezeWindow) string {
	if f.Cron != "" {
		return f.Cron + " for " + f.Duration
	}
	return dateText(f.From, "") + " to " + dateText(f.To, "")
}

type addFreeze struct {
	windows
	Name string    `help:"What it is called." required:"" placeholder:"TEXT"`
	From time.Time `help:"When it begins, once: 2026-12-20T00:00:00Z." placeholder:"TIME"`
	To   time.Time `help:"When that ends." placeholder:"TIME"`
	Cron string    `help:"When it begins again and again: five fields, UTC." placeholder:"CRON"`
	For  string    `help:"How long it lasts each time." placeholder:"2d14h"`
}

// Help is the long text of redoubt freeze add --help.
func (addFreeze) Help() string {
	return `Examples:
  redoubt freeze add acme/shop --name "year's end" --from 2026-12-20T00:00:00Z --to 2027-01-02T00:00:00Z
  redoubt freeze add acme/shop --name weekend --cron "0 16 * * 5" --for 2d14h`
}

// Run carries the command out.
func (c *addFreeze) Run(ctx context.Context, s *streams) error {
	service, p, found, err := c.find(ctx)
	if err != nil {
		return err
	}
	named := func(f client.FreezeWindow) bool { return f.Name == c.Name }
	if slices.ContainsFunc(found.FreezeWindows, named) {
		return fmt.Errorf("project %s has a freeze window %q already: remove it first", c.Project, c.Name)
	}
	more := append(found.FreezeWindows, client.FreezeWindow{Name: c.Name, From: c.From, To: c.To, Cron: c.Cron, Duration: c.For})
	found, err = service.PutFreezeWindows(ctx, p.ID, found.Version, client.FreezeWindows{FreezeWindows: more})
	if err != nil {
		return err
	}
	return c.print(s, found, func(w io.Writer) { fmt.Fprintf(w, "Project %s has the freeze window %q.\n", c.Project, c.Name) })
}

type removeFreeze struct {
	windows
	Name string `arg:"" help:"What it is called; redoubt freeze list has it."`
}

// Help is the long text of redoubt freeze remove --help.
func (removeFreeze) Help() string {
	return `Examples:
  redoubt freeze remove acme/shop weekend`
}

// Run carries the command out.
func (c *removeFreeze) Run(ctx context.Context, s *streams) error {
	service, p, found, err := c.find(ctx)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(found.FreezeWindows), func(f client.FreezeWindow) bool { return f.Name == c.Name })
	if len(left) == len(found.FreezeWindows) {
		return fmt.Errorf("project %s has no freeze window %q (redoubt freeze list %s)", c.Project, c.Name, c.Project)
	}
	found, err = service.PutFreezeWindows(ctx, p.ID, found.Version, client.FreezeWindows{FreezeWindows: left})
	if err != nil {
		return err
	}
	return c.print(s, found, func(w io.Writer) {
		fmt.Fprintf(w, "Project %s has the freeze window %q no more.\n", c.Project, c.Name)
	})
}
