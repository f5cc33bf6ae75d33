package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"golang.org/x/term"

	"redoubt/automation/transfer"
)

// transferView tells a person how a transfer goes.
type transferView struct{ out, err io.Writer }

func (v *transferView) progress(p transfer.Progress) {
	if p.Outcome != "" {
		fmt.Fprintf(v.err, "[%d/%d] %s: %s\n", p.Done, p.Total, p.Stack, p.Outcome)
	}
}

// ask is how a passphrase is asked for; nil where nobody is there.
func (v *transferView) ask() func(string) (string, error) {
	if !terminal() {
		return nil
	}
	return func(stack string) (string, error) {
		fmt.Fprintf(v.err, "Passphrase of %s (empty for the one before): ", stack)
		text, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(v.err)
		return string(text), err
	}
}

// shownDifferences are how many of a stack's are printed; --json has all.
const shownDifferences = 10

// summary is the table at the end.
func (v *transferView) summary(r transfer.Report) error {
	table := tabwriter.NewWriter(v.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "STACK\tTARGET\tRESOURCES\tSECRETS\tLAST UPDATE\tOUTCOME")
	for _, s := range r.Stacks {
		last := "never"
		if s.LastUpdate != nil {
			last = s.LastUpdate.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\n", s.Stack, s.Target, s.Resources, s.Secrets, last, s.Outcome)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range r.Stacks {
		v.details(s)
	}
	ready := r.Count(transfer.Moved) + r.Count(transfer.Equal) + r.Count(transfer.WouldMove) + r.Count(transfer.WouldReplace)
	fmt.Fprintf(v.out, "\n%d of %d stacks are well, from %s to %s.", ready, len(r.Stacks), r.From, r.To)
	if r.DryRun {
		fmt.Fprint(v.out, " This was a dry run: nothing was written.")
	} else {
		fmt.Fprint(v.out, " History was not moved.")
	}
	_, err := fmt.Fprintln(v.out)
	return err
}

// details are what does not fit into the table.
func (v *transferView) details(s transfer.Result) {
	if s.Problem != "" {
		fmt.Fprintf(v.out, "\n%s: %s: %s\n", s.Stack, s.Outcome, s.Problem)
	}
	for i, d := range s.Differences {
		if i == shownDifferences {
			fmt.Fprintf(v.out, "  and %d more\n", len(s.Differences)-i)
			break
		}
		fmt.Fprintf(v.out, "  %s\n", d)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(v.out, "%s: %s\n", s.Stack, n)
	}
	c := s.Config
	if c == nil {
		return
	}
	switch {
	case c.Problem != "":
		fmt.Fprintf(v.out, "%s: its configuration file was left alone: %s\n", s.Stack, c.Problem)
	case c.Backup != "":
		fmt.Fprintf(v.out, "%s: %s %s: %d secrets encrypted again, removed %v; as it was: %s\n", s.Stack, c.File, c.Outcome, c.Secrets, c.Removed, c.Backup)
	default:
		fmt.Fprintf(v.out, "%s: %s %s: %d secrets\n", s.Stack, c.File, c.Outcome, c.Secrets)
	}
	if c.Note != "" {
		fmt.Fprintf(v.out, "%s: %s\n", s.Stack, c.Note)
	}
}
