package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"redoubt/automation/api"
	"redoubt/automation/client"
	"redoubt/automation/operate"
	"redoubt/policy/exempt/review"
	"redoubt/policy/rules"
)

type exemptionCommands struct {
	List  listExemptions  `cmd:"" default:"withargs" help:"List exemptions and waivers with their age."`
	Check checkExemptions `cmd:"" help:"Find exemptions that are expired, for a rule that nobody has, or of no use."`
}

// exemptionSources say which exemptions are looked at, and what they are held against.
type exemptionSources struct {
	remote
	Config     string       `help:"Configuration of the policy pack, JSON, with its exemptions. Without it, the waivers of a server." type:"existingfile" placeholder:"FILE"`
	Project    string       `help:"The waivers of this project of a server. Without it and without --config, of all projects that you may see." placeholder:"ORG/PROJECT"`
	State      []string     `help:"What a stack has, as pulumi stack export writes it; may be given more than once. What matches nothing in any of them is found." type:"existingfile" placeholder:"FILE"`
	Expiring   api.Duration `help:"How long before its end an exemption is about to expire." default:"30d" placeholder:"DURATION"`
	PolicyPack string       `help:"The policy pack whose rules are meant, an executable; by default Redoubt's catalogue." type:"existingfile" placeholder:"PATH"`
}

// review finds the exemptions and looks through them.
func (c exemptionSources) review(ctx context.Context) ([]review.Row, error) {
	opts := review.Options{Now: time.Now(), Expiring: time.Duration(c.Expiring)}
	var errs []error
	for _, path := range c.State {
		stack, err := review.Deployed(path)
		errs = append(errs, err)
		opts.Stacks = append(opts.Stacks, stack)
	}
	var list []review.Exemption
	if c.Config != "" {
		found, err := review.Configuration(c.Config)
		errs = append(errs, err)
		list = found
	}
	if c.Config == "" || c.Project != "" {
		found, err := c.waivers(ctx)
		errs = append(errs, err)
		list = append(list, found...)
	}
	var err error
	opts.Rules, err = c.rules(ctx)
	return review.Review(list, opts), errors.Join(append(errs, err)...)
}

// rules are the pack's, with the types that each judges as far as that is known.
func (c exemptionSources) rules(ctx context.Context) (map[string][]string, error) {
	catalogue := map[string][]string{}
	for _, r := range rules.All() {
		catalogue[r.Name] = r.Types
	}
	if c.PolicyPack == "" {
		return catalogue, nil
	}
	names, err := (&operate.Policies{Pack: c.PolicyPack}).Names(ctx)
	out := map[string][]string{}
	for _, name := range names {
		out[name] = catalogue[name]
	}
	return out, err
}

// waivers are those of a project, or of all, that nobody has revoked.
func (c exemptionSources) waivers(ctx context.Context) ([]review.Exemption, error) {
	service, err := c.service()
	if err != nil {
		return nil, err
	}
	projects, err := c.projects(ctx, service)
	if err != nil {
		return nil, err
	}
	var out []review.Exemption
	for _, p := range projects {
		list, err := service.ListWaivers(ctx, client.ListWaiversParams{Project: p.ID})
		if err != nil {
			return nil, err
		}
		for _, w := range list.Items {
			if w.RevokedAt.IsZero() {
				out = append(out, review.Exemption{
					Source: p.Org + "/" + p.Name, Project: p.Name, Environments: w.Stack, Rule: w.Policy, Resource: w.Resource,
					Owner: w.Owner, Reason: w.Reason, ID: w.ID, Ends: w.ExpiresAt,
				})
			}
		}
	}
	return out, nil
}

func (c exemptionSources) projects(ctx context.Context, service *client.Client) ([]client.Project, error) {
	if c.Project != "" {
		p, err := findProject(ctx, service, c.Project)
		return []client.Project{p}, err
	}
	return all(func(cursor string) ([]client.Project, string, error) {
		page, err := service.ListProjects(ctx, client.ListProjectsParams{Cursor: cursor, Limit: pageSize})
		return page.Items, page.NextCursor, err
	})
}

type listExemptions struct{ exemptionSources }

// Help is the long text of redoubt policy exemptions list --help.
func (listExemptions) Help() string {
	return `Who has let what pass, why, and for how long: in a pack's configuration, and by
waivers on a server. Those that end first come first.

Examples:
  redoubt policy exemptions --config policy.json
  pulumi stack export > state.json
  redoubt policy exemptions --config policy.json --state state.json
  redoubt policy exemptions --project acme/shop --json`
}

// Run carries the command out.
func (c *listExemptions) Run(ctx context.Context, s *streams) error {
	rows, err := c.review(ctx)
	if err != nil {
		return err
	}
	return c.print(s, rows, func(w io.Writer) {
		fmt.Fprintln(w, "RULE\tRESOURCES\tENVIRONMENTS\tOWNER\tREASON\tID\tEXPIRES\tDAYS LEFT\tSTATE")
		for _, r := range rows {
			states := make([]string, len(r.States))
			for i, state := range r.States {
				states[i] = string(state)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.Rule, clean(r.Resource), clean(r.Environments), clean(r.Owner), clean(r.Reason),
				clean(r.ID), r.LastDay(), r.DaysLeft, strings.Join(states, ", "))
		}
	})
}

type checkExemptions struct{ exemptionSources }

// Help is the long text of redoubt policy exemptions check --help.
func (checkExemptions) Help() string {
	return `Says what somebody should do something about, a line each: what is expired, is for a
rule that the pack does not have, or matches nothing in the states that are given; and,
as advice, what is about to expire. Give the states of all the stacks that a
configuration is for. A waiver that has ended is history, and no problem.

Examples:
  redoubt policy exemptions check --config policy.json --expiring 60d
  redoubt policy exemptions check --config policy.json --state dev.json --state prod.json

Exit code: 0 if there is nothing to do, or advice only, 1 if there is, 2 if the files or the server could not be read.`
}

// Run carries the command out.
func (c *checkExemptions) Run(ctx context.Context, s *streams) error {
	rows, err := c.review(ctx)
	if err != nil {
		return err
	}
	reviewed, wrong := len(rows), slices.ContainsFunc(rows, review.Row.Wrong)
	rows = slices.DeleteFunc(rows, func(r review.Row) bool { return len(r.Advice()) == 0 })
	if err := c.print(s, rows, func(w io.Writer) {
		for _, r := range rows {
			for _, line := range r.Advice() {
				fmt.Fprintln(w, clean(line))
			}
		}
		if len(rows) == 0 {
			fmt.Fprintf(w, "Exemptions: %d, and nothing to do about any.\n", reviewed)
		}
	}); err != nil {
		return err
	}
	if wrong {
		return errNotOK
	}
	return nil
}
