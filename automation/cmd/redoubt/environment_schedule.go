package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"redoubt/automation/client"
)

type scheduleEnvironment struct {
	environment
	Drift     string `help:"When to look for drift: minute hour day month weekday, in UTC. It replaces the one before." placeholder:"CRON"`
	Remediate string `help:"What follows a drift that was found: nothing (off), an update that waits for approval (propose), or one that does not (auto)." enum:"off,propose,auto," default:""`
	Clear     bool   `help:"Remove all schedules."`
}

// Help is the long text of redoubt environments schedule --help.
func (scheduleEnvironment) Help() string {
	return `Without a flag it shows the schedules. A minute or two may be added to the time, so
that not all environments are looked at in the same minute.

Examples:
  redoubt environments schedule acme/shop/logs --drift "0 3 * * *"
  redoubt environments schedule acme/shop/logs --drift "30 */6 * * *" --remediate propose
  redoubt environments schedule acme/shop/logs --clear`
}

// Run carries the command out.
func (c *scheduleEnvironment) Run(ctx context.Context, s *streams) error {
	switch {
	case c.Clear && (c.Drift != "" || c.Remediate != ""):
		return errors.New("either --drift, which sets a schedule, or --clear, which removes all")
	case c.Remediate != "" && c.Drift == "":
		return errors.New("--remediate is for the schedule that --drift sets: give both")
	}
	service, stack, err := c.find(ctx)
	if err != nil {
		return err
	}
	switch {
	case c.Clear:
		stack, err = service.DeleteSchedules(ctx, stack.ID, stack.Version)
	case c.Drift != "":
		var present client.Schedules
		if present, err = service.GetSchedules(ctx, stack.ID); err != nil {
			return err
		}
		stack, err = service.PutSchedules(ctx, stack.ID, stack.Version, client.Schedules{Schedules: c.with(present.Schedules)})
	default:
		stack, err = service.GetStack(ctx, stack.ID)
	}
	if err != nil {
		return err
	}
	return c.print(s, orEmpty(stack.Schedules), func(w io.Writer) {
		if len(stack.Schedules) == 0 {
			fmt.Fprintf(w, "Environment %s has no schedules.\n", stack.Name)
			return
		}
		fmt.Fprintln(w, "KIND\tWHEN (UTC)\tNEXT\tLAST\tREMEDIATE")
		for _, x := range stack.Schedules {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", x.Kind, orText(x.Cron, dateText(x.At, "")), dateText(x.Next, "never"), dateText(x.Last, "never"), orText(x.Remediate, "–"))
		}
	})
}

// with are the schedules with this one instead of those of its kind. Only what
// somebody may set is sent back.
func (c *scheduleEnvironment) with(present []client.Schedule) []client.Schedule {
	const drift = "drift"
	present = slices.DeleteFunc(present, func(x client.Schedule) bool { return x.Kind == drift })
	out := make([]client.Schedule, 0, len(present)+1)
	for _, x := range present {
		out = append(out, client.Schedule{Kind: x.Kind, Cron: x.Cron, At: x.At, Remediate: x.Remediate})
	}
	return append(out, client.Schedule{Kind: drift, Cron: c.Drift, Remediate: c.Remediate})
}

// orEmpty is a list that is [] in JSON where there is none.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
