package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"redoubt/automation/client"
)

type environmentCommands struct {
	List    listEnvironments   `cmd:"" help:"List the environments that you may see."`
	Show    showEnvironment    `cmd:"" help:"Show an environment."`
	Outputs environmentOutputs `cmd:"" help:"Print an environment's outputs."`
	Set     setEnvironment     `cmd:"" help:"Change an environment's labels or protection."`
	Destroy destroyEnvironment `cmd:"" help:"Delete everything of an environment, then its record."`
	Lock    lockEnvironment    `cmd:"" help:"Keep operations out of an environment."`
	Unlock  unlockEnvironment  `cmd:"" help:"Let operations in again."`
	States  environmentStates  `cmd:"" help:"List the states of an environment that are kept."`
	Export  exportState        `cmd:"" help:"Print one of them, without secrets that can be read."`
	TTL     environmentTTL     `cmd:"" help:"Say how long an environment lives." name:"ttl"`

	Update    updateEnvironment    `cmd:"" help:"Order a change of an environment's inputs."`
	Refresh   refreshEnvironment   `cmd:"" help:"Order that an environment's state be read back from the real resources."`
	Recover   recoverEnvironment   `cmd:"" help:"Order the recovery of an environment after an operation that died."`
	Drift     driftEnvironment     `cmd:"" help:"Look whether somebody changed an environment by hand."`
	Schedule  scheduleEnvironment  `cmd:"" help:"Look for drift again and again."`
	Protect   protectEnvironment   `cmd:"" help:"Keep an environment from being destroyed."`
	Unprotect unprotectEnvironment `cmd:"" help:"Let an environment be destroyed."`
}

// environment is the argument that most commands have.
type environment struct {
	remote
	Environment string `arg:"" help:"organization/project/name, or its id."`
}

// find finds it.
func (c environment) find(ctx context.Context) (*client.Client, client.Stack, error) {
	service, err := c.service()
	if err != nil {
		return nil, client.Stack{}, err
	}
	stack, err := findStack(ctx, service, c.Environment)
	return service, stack, err
}

type listEnvironments struct {
	remote
	Project   string `help:"Those of a project." placeholder:"ORG/PROJECT"`
	Blueprint string `help:"Those made of a blueprint." placeholder:"NAME"`
	Drift     string `help:"Those of a drift status: clean, drifted or error." enum:"clean,drifted,error," default:""`
	Label     string `help:"Those with a label: KEY, or KEY=VALUE." placeholder:"LABEL"`

	State          []string      `help:"Those whose last change is in one of these states." placeholder:"STATE"`
	ExpiringWithin time.Duration `help:"Those whose life ends within this time." placeholder:"24h"`
}

// Help is the long text of redoubt environments list --help.
func (listEnvironments) Help() string {
	return `Examples:
  redoubt environments list
  redoubt environments list --project acme/shop --drift drifted
  redoubt environments list --state failed,needs_recovery
  redoubt environments list --expiring-within 24h
  redoubt environments list --label pr=42 --json`
}

// Run carries the command out.
func (c *listEnvironments) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	query := client.ListStacksParams{Blueprint: c.Blueprint, Drift: c.Drift, Label: c.Label, State: c.State, Limit: pageSize}
	if c.ExpiringWithin > 0 {
		query.ExpiresBefore = time.Now().Add(c.ExpiringWithin)
	}
	if c.Project != "" {
		p, err := findProject(ctx, service, c.Project)
		if err != nil {
			return err
		}
		query.Project = p.ID
	}
	stacks, err := all(func(cursor string) ([]client.Stack, string, error) {
		query.Cursor = cursor
		page, err := service.ListStacks(ctx, query)
		return page.Items, page.NextCursor, err
	})
	if err != nil {
		return err
	}
	return c.print(s, stacks, func(w io.Writer) {
		fmt.Fprintln(w, "ENVIRONMENT\tBLUEPRINT\tOWNER\tDRIFT\tEXPIRES\tLOCKED")
		for _, e := range stacks {
			locked := ""
			if e.Lock != nil {
				locked = "by " + e.Lock.By
			}
			fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\t%s\n", e.Name, e.Blueprint.Name, e.Blueprint.Version, e.Owner, orText(e.Drift.Status, "–"), dateText(e.ExpiresAt, "never"), locked)
		}
	})
}

type showEnvironment struct{ environment }

// Help is the long text of redoubt environments show --help.
func (showEnvironment) Help() string {
	return `Examples:
  redoubt environments show acme/shop/logs
  redoubt environments show acme/shop/logs --json | jq .inputs`
}

// Run carries the command out.
func (c *showEnvironment) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	if stack, err = service.GetStack(ctx, stack.ID); err != nil { // with its inputs
		return err
	}
	return c.print(s, stack, func(w io.Writer) {
		fmt.Fprintf(w, "Environment\t%s\nID\t%s\nBlueprint\t%s %s\nOwner\t%s\nMade\t%s\nExpires\t%s\nProtected\t%s\n",
			stack.Name, stack.ID, stack.Blueprint.Name, stack.Blueprint.Version, stack.Owner, dateText(stack.CreatedAt, "?"), dateText(stack.ExpiresAt, "never"), yesOrNo(stack.Protected))
		for _, key := range slices.Sorted(maps.Keys(stack.Labels)) {
			fmt.Fprintf(w, "Label\t%s=%s\n", clean(key), clean(stack.Labels[key]))
		}
		if stack.Lock != nil {
			fmt.Fprintf(w, "Locked\tby %s: %s\n", stack.Lock.By, clean(stack.Lock.Reason))
		}
		fmt.Fprintf(w, "Drift\t%s\n", orText(stack.Drift.Status, "not looked for"))
		for _, x := range stack.Schedules {
			fmt.Fprintf(w, "Schedule\t%s %s, next %s\n", x.Kind, orText(x.Cron, dateText(x.At, "")), dateText(x.Next, "never"))
		}
		if len(stack.Inputs) > 0 {
			fmt.Fprintf(w, "Inputs\t%s\n", clean(string(stack.Inputs)))
		}
	})
}

type environmentOutputs struct {
	environment
	Reveal string `help:"Show secrets too, and say why; that is recorded." placeholder:"REASON"`
}

// Help is the long text of redoubt environments outputs --help.
func (environmentOutputs) Help() string {
	return `Examples:
  redoubt environments outputs acme/shop/logs
  redoubt environments outputs acme/shop/orders --reveal "rotating the password" --json`
}

// Run carries the command out.
func (c *environmentOutputs) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	var out client.Outputs
	if c.Reveal != "" {
		out, err = service.RevealOutputs(ctx, stack.ID, client.Reason{Reason: c.Reveal})
	} else {
		out, err = service.GetOutputs(ctx, stack.ID)
	}
	if err != nil {
		return err
	}
	return c.print(s, out.Outputs, func(w io.Writer) {
		for _, name := range slices.Sorted(maps.Keys(out.Outputs)) {
			if text, err := json.Marshal(out.Outputs[name]); err == nil {
				fmt.Fprintf(w, "%s\t%s\n", clean(name), text)
			}
		}
	})
}

type setEnvironment struct {
	environment
	Label   []string `help:"A label, KEY=VALUE, of all that it has then; may be given more than once." sep:"none" placeholder:"KEY=VALUE"`
	Protect *bool    `help:"Whether it is kept from being destroyed." negatable:""`
}

// Help is the long text of redoubt environments set --help.
func (setEnvironment) Help() string {
	return `Examples:
  redoubt environments set acme/shop/logs --no-protect
  redoubt environments set acme/shop/logs --label team=web --label cost=42`
}

// Run carries the command out.
func (c *setEnvironment) Run(ctx context.Context, s *streams) error {
	labels, err := labels(c.Label)
	if err != nil {
		return err
	}
	if labels == nil && c.Protect == nil {
		return fmt.Errorf("nothing to set: give --label, --protect or --no-protect")
	}
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	if stack, err = service.UpdateStack(ctx, stack.ID, stack.Version, client.StackPatch{Labels: labels, Protected: c.Protect}); err != nil {
		return err
	}
	return c.print(s, stack, func(w io.Writer) { fmt.Fprintf(w, "Environment %s is changed.\n", stack.Name) })
}

type destroyEnvironment struct {
	environment
	Confirm string `help:"The environment's own name, instead of being asked for it." placeholder:"NAME"`
	Wait    bool   `help:"Follow the operation to its end, or until it waits for people."`
}

// Help is the long text of redoubt environments destroy --help.
func (destroyEnvironment) Help() string {
	return `Asks for the environment's own name, typed. It may wait for approval like any other
operation; protected environments refuse.

Examples:
  redoubt environments destroy acme/shop/preview-42
  redoubt environments destroy acme/shop/preview-42 --confirm preview-42 --wait`
}

// Run carries the command out.
func (c *destroyEnvironment) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	typed := c.Confirm
	if typed == "" {
		fmt.Fprintf(s.err, "This deletes everything of %s. Type its name, %s: ", stack.Name, own(stack.Name))
		answer, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && answer == "" {
			fmt.Fprintln(s.err)
			return fmt.Errorf("nobody answers: give --confirm %s", own(stack.Name))
		}
		typed = strings.TrimSpace(answer)
	}
	if typed != own(stack.Name) {
		return fmt.Errorf("%q is not its name, %s: nothing was destroyed", typed, own(stack.Name))
	}
	op, err := service.DeleteStack(ctx, stack.ID, client.DeleteStackParams{Confirm: typed})
	if err != nil {
		return err
	}
	return ordered(ctx, s, c.remote, service, op, c.Wait)
}

type lockEnvironment struct {
	environment
	Reason string `help:"Why, for who finds it locked." required:"" placeholder:"TEXT"`
}

// Help is the long text of redoubt environments lock --help.
func (lockEnvironment) Help() string {
	return `Examples:
  redoubt environments lock acme/shop/logs --reason "migration until Friday"`
}

// Run carries the command out.
func (c *lockEnvironment) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	if stack, err = service.PutLock(ctx, stack.ID, client.Reason{Reason: c.Reason}); err != nil {
		return err
	}
	return c.print(s, stack, func(w io.Writer) { fmt.Fprintf(w, "Environment %s is locked.\n", stack.Name) })
}

type unlockEnvironment struct{ environment }

// Help is the long text of redoubt environments unlock --help.
func (unlockEnvironment) Help() string {
	return `Examples:
  redoubt environments unlock acme/shop/logs`
}

// Run carries the command out.
func (c *unlockEnvironment) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	if stack, err = service.DeleteLock(ctx, stack.ID); err != nil {
		return err
	}
	return c.print(s, stack, func(w io.Writer) { fmt.Fprintf(w, "Environment %s is not locked.\n", stack.Name) })
}

type environmentTTL struct {
	environment
	TTL string `arg:"" help:"From now on: 48h, 7d; or never." name:"ttl"`
}

// Help is the long text of redoubt environments ttl --help.
func (environmentTTL) Help() string {
	return `Examples:
  redoubt environments ttl acme/shop/preview-42 48h
  redoubt environments ttl acme/shop/preview-42 never`
}

// Run carries the command out.
func (c *environmentTTL) Run(ctx context.Context, s *streams) error {
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	if c.TTL == "never" {
		stack, err = service.DeleteTTL(ctx, stack.ID, stack.Version)
	} else {
		stack, err = service.PutTTL(ctx, stack.ID, stack.Version, client.NewTTL{TTL: c.TTL})
	}
	if err != nil {
		return err
	}
	return c.print(s, stack, func(w io.Writer) {
		fmt.Fprintf(w, "Environment %s expires: %s.\n", stack.Name, dateText(stack.ExpiresAt, "never"))
	})
}
