package main

import (
	"context"
	"fmt"
	"io"

	"redoubt/automation/client"
)

type waiveCommand struct {
	remote
	Policy   string `arg:"" help:"The policy, as the finding names it."`
	Project  string `help:"In which project." required:"" placeholder:"ORG/PROJECT"`
	Stack    string `help:"On which environments: a pattern of their names." default:"*" placeholder:"PATTERN"`
	Resource string `help:"On which resources: a pattern of URNs." required:"" placeholder:"PATTERN"`
	Reason   string `help:"Why, for the record." required:"" placeholder:"TEXT"`
	For      string `help:"How long it holds." required:"" placeholder:"168h"`
}

// Help is the long text of redoubt waive --help.
func (waiveCommand) Help() string {
	return `Lets a mandatory finding pass, for a while. Only who owns policy may; what did not
pass is then ordered again: redoubt operations retry.

Examples:
  redoubt waive s3-bucket-replicated --project acme/shop --stack logs --resource '*logs*' --reason "copied elsewhere" --for 30d
  redoubt waivers list acme/shop`
}

// Run carries the command out.
func (c *waiveCommand) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	p, err := findProject(ctx, service, c.Project)
	if err != nil {
		return err
	}
	made, err := service.CreateWaiver(ctx, client.NewWaiver{
		ProjectID: p.ID, Policy: c.Policy, Stack: c.Stack, Resource: c.Resource, Reason: c.Reason, Lifetime: c.For,
	})
	if err != nil {
		return err
	}
	return c.print(s, made, func(w io.Writer) {
		fmt.Fprintf(w, "Policy %s is waived until %s: %s\n", made.Policy, dateText(made.ExpiresAt, "?"), made.ID)
	})
}

type waiverCommands struct {
	List   listWaivers  `cmd:"" help:"List a project's waivers."`
	Revoke revokeWaiver `cmd:"" help:"End a waiver at once."`
}

type listWaivers struct {
	remote
	Project string `arg:"" help:"organization/project, or its id."`
}

// Help is the long text of redoubt waivers list --help.
func (listWaivers) Help() string {
	return `Examples:
  redoubt waivers list acme/shop`
}

// Run carries the command out.
func (c *listWaivers) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	p, err := findProject(ctx, service, c.Project)
	if err != nil {
		return err
	}
	list, err := service.ListWaivers(ctx, client.ListWaiversParams{Project: p.ID})
	if err != nil {
		return err
	}
	return c.print(s, list.Items, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tPOLICY\tENVIRONMENTS\tRESOURCES\tEXPIRES\tOWNER\tREASON")
		for _, x := range list.Items {
			expires := dateText(x.ExpiresAt, "?")
			if !x.RevokedAt.IsZero() {
				expires = "revoked " + dateText(x.RevokedAt, "")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Policy, clean(x.Stack), clean(x.Resource), expires, x.Owner, clean(x.Reason))
		}
	})
}

type revokeWaiver struct {
	remote
	ID string `arg:"" help:"The waiver's id; redoubt waivers list has it."`
}

// Help is the long text of redoubt waivers revoke --help.
func (revokeWaiver) Help() string {
	return `Examples:
  redoubt waivers revoke wvr_01jd…`
}

// Run carries the command out.
func (c *revokeWaiver) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	x, err := service.RevokeWaiver(ctx, c.ID)
	if err != nil {
		return err
	}
	return c.print(s, x, func(w io.Writer) { fmt.Fprintf(w, "Waiver %s is revoked.\n", x.ID) })
}
