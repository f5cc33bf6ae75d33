package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"redoubt/automation/client"
)

// decision is what approve and reject have in common.
type decision struct {
	remote
	Operation string `arg:"" help:"The operation's id, op_…"`
	Comment   string `help:"Why, for the record." placeholder:"TEXT"`
	Digest    string `help:"The plan's digest that you have looked at; without it the plan is shown and you are asked." placeholder:"sha256:…"`
}

type approveCommand struct{ decision }

// Help is the long text of redoubt approve --help.
func (approveCommand) Help() string {
	return `Shows what the operation would change, what policy says, and the plan's digest, and
asks. What you approve is that plan and no other: if anything moves before it is
applied, people are asked again. Nobody approves what they ordered themselves.

Examples:
  redoubt operations list --state awaiting_approval
  redoubt approve op_01jd… --comment "as discussed"
  redoubt approve op_01jd… --digest sha256:9f86d0…`
}

// Run carries the command out.
func (c *approveCommand) Run(ctx context.Context, s *streams) error {
	return c.decide(ctx, s, "approve", "Approve this plan")
}

type rejectCommand struct{ decision }

// Help is the long text of redoubt reject --help.
func (rejectCommand) Help() string {
	return `Shows the plan and asks. A rejected operation is over.

Examples:
  redoubt reject op_01jd… --comment "the bucket must stay"
  redoubt reject op_01jd… --digest sha256:9f86d0…`
}

// Run carries the command out.
func (c *rejectCommand) Run(ctx context.Context, s *streams) error {
	return c.decide(ctx, s, "reject", "Reject this plan")
}

func (c *decision) decide(ctx context.Context, s *streams, what, question string) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	digest := c.Digest
	if digest == "" {
		var yes bool
		if digest, yes, err = c.ask(ctx, s, service, question); err != nil || !yes {
			return err
		}
	}
	op, err := service.CreateApproval(ctx, c.Operation, client.NewDecision{Decision: what, Comment: c.Comment, PlanDigest: digest})
	if err != nil {
		return err
	}
	return c.print(s, op, func(w io.Writer) {
		fmt.Fprintf(w, "Operation %s is %s.\n", op.ID, op.State)
		for _, a := range op.RequiredApprovals {
			if a.Granted < a.Required {
				fmt.Fprintf(w, "Rule %s has %d of %d approvals.\n", a.Rule, a.Granted, a.Required)
			}
		}
	})
}

// ask shows the plan and asks whether to decide so.
func (c *decision) ask(ctx context.Context, s *streams, service *client.Client, question string) (string, bool, error) {
	op, err := service.GetOperation(ctx, c.Operation, client.GetOperationParams{})
	if err != nil {
		return "", false, err
	}
	plan, err := service.GetPlan(ctx, c.Operation)
	if err != nil {
		return "", false, err
	}
	table := tabwriter.NewWriter(s.err, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "Operation %s: %s of %s, ordered by %s\n", op.ID, op.Kind, op.Stack, op.RequestedBy.ID)
	showPlan(table, plan)
	if err := table.Flush(); err != nil {
		return "", false, err
	}
	yes, err := confirm(s, question)
	if err == nil && !yes {
		fmt.Fprintln(s.err, "Nothing was decided.")
		err = errNotOK
	}
	return plan.Digest, yes, err
}
