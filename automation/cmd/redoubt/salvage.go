package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"redoubt/automation/adminapi"
)

type salvageStack struct {
	remote
	Stack  string `arg:"" help:"organization/project/stack."`
	Reason string `help:"Why, for the audit log." placeholder:"TEXT"`
	DryRun bool   `help:"Change nothing, and show what would be kept and what left out; with --json also the state."`
}

// Help is the long text of redoubt stack salvage --help.
func (salvageStack) Help() string {
	return `An update ends by folding its journal into the next state. A journal that is damaged, or contradicts itself, cannot be folded: the update
stays open, and its stack locked. A salvage closes the update as interrupted with all that can be folded.

Steps whose end is not known become pending operations, the stack takes no update before a refresh, and what is left out of the state
stays with the update: redoubt stack journal prints it.

It is refused while the update's client may be alive, and where the journal folds.

  redoubt stack salvage acme/shop/prod --dry-run
  redoubt stack salvage acme/shop/prod --reason 'disk of db-1 failed, INC-42'`
}

// Run carries the command out.
func (c *salvageStack) Run(ctx context.Context, s *streams) error {
	name, err := stackName(c.Stack)
	if err != nil {
		return err
	}
	if c.Reason == "" && !c.DryRun {
		return errors.New("why? Give --reason for the audit log, or --dry-run to see first what would be left out")
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	done, err := client.Salvage(ctx, name, adminapi.SalvageOrder{Reason: c.Reason, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	return c.print(s, done, func(w io.Writer) { c.report(w, done) })
}

// report says what was, or would be, kept; what not; and what to do then.
func (c *salvageStack) report(w io.Writer, done adminapi.Salvaged) {
	is, becomes := "is closed as interrupted", "is now"
	if c.DryRun {
		is, becomes = "would be closed as interrupted", "would be"
	}
	fmt.Fprintf(w, "Update %s (%s of %s, begun %s) %s.\n", done.Update, done.Kind, done.Principal, dateText(done.StartedAt, "never"), is)
	fmt.Fprintf(w, "State %d of stack %s %s that of %d resource(s), with %d pending operation(s).\n", done.Version, c.Stack, becomes, done.Resources, len(done.Pending))
	for _, p := range done.Pending {
		fmt.Fprintf(w, "  %s %s: nobody knows whether it happened\n", p.Type, p.URN)
	}
	fmt.Fprintf(w, "Left out, %d in all:\n", len(done.LeftOut))
	for _, l := range done.LeftOut {
		fmt.Fprintf(w, "  entry %d%s: %s\n", l.Sequence, map[bool]string{true: ", in part"}[l.Partly], l.Reason)
	}
	if len(done.Findings) > 0 {
		fmt.Fprintln(w, "The state is not sound (`pulumi state repair` mends it):")
	}
	for _, f := range done.Findings {
		fmt.Fprintf(w, "  %s\n", f)
	}
	fmt.Fprintf(w, "What is left out stays with the update: redoubt stack journal %s %s\n", c.Stack, done.Update)
	if c.DryRun {
		fmt.Fprintln(w, "Nothing was changed. To do it, give --reason instead of --dry-run.")
		return
	}
	fmt.Fprintln(w, "The stack takes no update before `pulumi refresh --clear-pending-creates`. See in the cloud which resources exist that the state does not have, and adopt them with `pulumi import`.")
}

type stackJournal struct {
	remote
	Stack  string `arg:"" help:"organization/project/stack."`
	Update string `arg:"" help:"The update's id, upd_…; redoubt stack salvage has it."`
}

// Help is the long text of redoubt stack journal --help.
func (stackJournal) Help() string {
	return `A line for each entry: its sequence number with the entry as the client sent it, or with the sealed bytes (base64) where it cannot be decrypted.
Secrets in entries are encrypted. Journals are kept for as long as the server's retention.journals says, that of a salvaged update as long as its stack.`
}

// Run carries the command out.
func (c *stackJournal) Run(ctx context.Context, s *streams) error {
	name, err := stackName(c.Stack)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	entries, err := client.Journal(ctx, name, c.Update)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(s.out)
	lines.SetEscapeHTML(false)
	for _, e := range entries {
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return nil
}
