package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"redoubt/automation/client"
)

type operationCommands struct {
	List   listOperations  `cmd:"" help:"List operations, newest first."`
	Show   showOperation   `cmd:"" help:"Show an operation and its plan."`
	Watch  watchOperation  `cmd:"" help:"Follow an operation to its end."`
	Logs   operationLogs   `cmd:"" help:"Print what the engine and the program said in an operation."`
	Report operationReport `cmd:"" help:"Report what the policy pack found in an operation, as SARIF, JUnit, HTML, …"`
	Cancel cancelOperation `cmd:"" help:"End an operation; what has begun is finished."`
	Retry  retryOperation  `cmd:"" help:"Order again what did not succeed."`
}

type listOperations struct {
	remote
	Project string   `help:"Those of a project." placeholder:"ORG/PROJECT"`
	Stack   string   `help:"Those of an environment." placeholder:"ORG/PROJECT/NAME"`
	State   []string `help:"Those in these states." placeholder:"STATE"`
	Kind    []string `help:"Those of these kinds." placeholder:"KIND"`
	By      string   `help:"Those that somebody ordered: user:NAME or service_account:NAME." placeholder:"WHO"`
	Limit   int64    `help:"How many at most." default:"20"`
}

// Help is the long text of redoubt operations list --help.
func (listOperations) Help() string {
	return `Examples:
  redoubt operations list
  redoubt operations list --state awaiting_approval
  redoubt operations list --kind destroy --by service_account:deploy
  redoubt operations list --stack acme/shop/logs --limit 5 --json`
}

// Run carries the command out.
func (c *listOperations) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	query := client.ListOperationsParams{State: c.State, Kind: c.Kind, RequestedBy: c.By, Limit: min(max(c.Limit, 1), pageSize)}
	if c.Project != "" {
		p, err := findProject(ctx, service, c.Project)
		if err != nil {
			return err
		}
		query.Project = p.ID
	}
	if c.Stack != "" {
		stack, err := findStack(ctx, service, c.Stack)
		if err != nil {
			return err
		}
		query.Stack = stack.ID
	}
	page, err := service.ListOperations(ctx, query)
	if err != nil {
		return err
	}
	return c.print(s, page.Items, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tKIND\tENVIRONMENT\tSTATE\tCHANGES\tORDERED\tBY")
		for _, o := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Kind, o.Stack, o.State, orText(countText(o.ChangeSummary), "–"), dateText(o.CreatedAt, "?"), o.RequestedBy.ID)
		}
	})
}

type showOperation struct {
	remote
	ID string `arg:"" help:"The operation's id, op_…"`
}

// Help is the long text of redoubt operations show --help.
func (showOperation) Help() string {
	return `Examples:
  redoubt operations show op_01jd…
  redoubt operations show op_01jd… --json`
}

// Run carries the command out.
func (c *showOperation) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	op, err := service.GetOperation(ctx, c.ID, client.GetOperationParams{})
	if err != nil {
		return err
	}
	plan, err := service.GetPlan(ctx, c.ID)
	if err != nil && client.CodeOf(err) != "not_found" {
		return err
	}
	shown := struct {
		client.Operation
		Plan *client.Plan `json:"plan,omitempty"`
	}{Operation: op}
	if err == nil {
		shown.Plan = &plan
	}
	return c.print(s, shown, func(w io.Writer) {
		conclude(w, op)
		fmt.Fprintf(w, "Blueprint\t%s %s\n", op.Blueprint.Name, op.Blueprint.Version)
		fmt.Fprintf(w, "Ordered\t%s by %s\n", dateText(op.CreatedAt, "?"), op.RequestedBy.ID)
		if op.Options != nil && op.Options.Message != "" {
			fmt.Fprintf(w, "Message\t%s\n", clean(op.Options.Message))
		}
		if !op.DeadlineAt.IsZero() {
			fmt.Fprintf(w, "Waits until\t%s\n", dateText(op.DeadlineAt, ""))
		}
		for _, a := range op.RequiredApprovals {
			fmt.Fprintf(w, "Approval\t%s: %d of %d by %s\n", a.Rule, a.Granted, a.Required, orText(strings.Join(a.Groups, ", "), "any approver"))
		}
		if shown.Plan != nil {
			fmt.Fprintln(w)
			showPlan(w, plan)
		}
	})
}

// showPlan shows what an operation would change, and what policy says.
func showPlan(w io.Writer, p client.Plan) {
	fmt.Fprintf(w, "Plan\t%s\n", p.Digest)
	fmt.Fprintf(w, "Changes\t%s\n", orText(countText(p.ChangeSummary), "none"))
	for _, c := range p.Changes {
		if c.Op == "same" {
			continue
		}
		sign, ok := signs[c.Op]
		if !ok {
			sign.sign = c.Op
		}
		changed := ""
		if len(c.Properties) > 0 {
			changed = " [" + strings.Join(c.Properties, ", ") + "]"
		}
		fmt.Fprintf(w, "  %-2s %s %s%s\n", sign.sign, clean(c.Type), clean(nameOf(c.URN)), clean(changed))
	}
	for _, f := range p.Findings {
		fmt.Fprintf(w, "  %s %s\n    %s\n", f.Level, f.Policy, strings.ReplaceAll(clean(f.Message), "\n", "\n    "))
		if f.Exemption != nil {
			fmt.Fprintf(w, "    on %s\n    %s\n", clean(nameOf(f.URN)), passText(f.Waiver, *f.Exemption))
		}
	}
}

// passText says why a finding does not count.
func passText(waiver string, e client.Exemption) string {
	by := "the policy pack's configuration"
	if waiver != "" {
		by = "waiver " + waiver
	}
	return clean(fmt.Sprintf("let pass by %s of %s until %s: %s", by, e.Owner, dateText(e.Until, "?"), strings.ReplaceAll(e.Reason, "\n", " ")))
}

type watchOperation struct {
	remote
	ID string `arg:"" help:"The operation's id, op_…"`
}

// Help is the long text of redoubt operations watch --help.
func (watchOperation) Help() string {
	return `Shows what happened until now, and goes on to the end, over broken connections too.
Control-C ends the following, not the operation. With --json it prints an event a
line. The exit code says how it went: 0 succeeded, 1 it did not.

Examples:
  redoubt operations watch op_01jd…
  redoubt operations watch op_01jd… --json | jq -r .type`
}

// Run carries the command out.
func (c *watchOperation) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	return follow(ctx, s, c.remote, service, c.ID, true)
}

type cancelOperation struct {
	remote
	ID    string `arg:"" help:"The operation's id, op_…"`
	Force bool   `help:"Do not wait for what has begun; the environment may need recovery."`
}

// Help is the long text of redoubt operations cancel --help.
func (cancelOperation) Help() string {
	return `Examples:
  redoubt operations cancel op_01jd…
  redoubt operations cancel op_01jd… --force`
}

// Run carries the command out.
func (c *cancelOperation) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	var op client.Operation
	if c.Force {
		op, err = service.ForceCancelOperation(ctx, c.ID, client.ForceCancelOperationParams{})
	} else {
		op, err = service.CancelOperation(ctx, c.ID, client.CancelOperationParams{})
	}
	if err != nil {
		return err
	}
	return c.print(s, op, func(w io.Writer) {
		if op.Final {
			fmt.Fprintf(w, "Operation %s is %s.\n", op.ID, op.State)
		} else {
			fmt.Fprintf(w, "Operation %s is told to end; it is %s.\n", op.ID, op.State)
		}
	})
}

type retryOperation struct {
	remote
	ID   string `arg:"" help:"The operation's id, op_…"`
	Wait bool   `help:"Follow the new operation to its end, or until it waits for people."`
}

// Help is the long text of redoubt operations retry --help.
func (retryOperation) Help() string {
	return `Examples:
  redoubt operations retry op_01jd…
  redoubt operations retry op_01jd… --wait`
}

// Run carries the command out.
func (c *retryOperation) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	op, err := service.RetryOperation(ctx, c.ID, client.RetryOperationParams{})
	if err != nil {
		return err
	}
	return ordered(ctx, s, c.remote, service, op, c.Wait)
}
