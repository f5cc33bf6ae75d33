package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"golang.org/x/term"

	"redoubt/automation/client"
	"redoubt/automation/engine"
	"redoubt/automation/rehearse"
)

// view shows a rehearsal to a person: on a terminal a line that moves and
// colours, elsewhere a plain line a phase.
type view struct {
	out, err io.Writer
	json     bool
	live     bool // err is a terminal: a line may be rewritten
	colour   bool // out is a terminal that wants colour

	mu    sync.Mutex
	stack string
	moved bool
}

func newView(s *streams, asJSON bool) *view {
	return &view{
		out: s.out, err: s.err, json: asJSON,
		live:   isTerminal(s.err),
		colour: isTerminal(s.out) && os.Getenv("NO_COLOR") == "",
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress is called from the engine's events.
func (v *view) progress(p rehearse.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Stack != v.stack {
		v.stack = p.Stack
		v.clear()
		fmt.Fprintf(v.err, "Rehearsing stack %s (a simulated account; nothing touches AWS)\n", p.Stack)
	}
	switch {
	case p.Done != nil:
		v.clear()
		fmt.Fprintf(v.err, "  %s %-14s %6.1f s  %s\n", mark(p.Done.OK), p.Phase, p.Done.Seconds, firstLine(p.Done))
	case v.live:
		fmt.Fprintf(v.err, "\r\033[K  … %s, %d resources", p.Phase, p.Resources)
		v.moved = true
	}
}

// finish leaves the cursor on a fresh line.
func (v *view) finish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
}

func (v *view) clear() {
	if v.moved {
		fmt.Fprint(v.err, "\r\033[K")
		v.moved = false
	}
}

func mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}

func firstLine(p *rehearse.Phase) string {
	text := p.Saw
	if !p.OK {
		text = p.Problem
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// summary prints the report as tables.
func (v *view) summary(report rehearse.Report) error {
	for _, s := range report.Stacks {
		if err := v.life(s); err != nil {
			return err
		}
	}
	for _, b := range report.Breaks {
		if err := v.broken(b); err != nil {
			return err
		}
	}
	verdict := v.paint("32", "Rehearsal passed.")
	if !report.OK {
		verdict = v.paint("31", "Rehearsal failed.")
	}
	_, err := fmt.Fprintf(v.out, "\n%s Everything ran on the real Pulumi engine in a simulated account; nothing touched AWS.\n", verdict)
	return err
}

// life prints one stack's whole rehearsal.
func (v *view) life(s rehearse.StackReport) error {
	advisory := len(s.Findings) - s.Mandatory
	fmt.Fprintf(v.out, "\n%s  %d resources, %d mandatory and %d advisory findings, %d checks deferred to the update\n",
		v.paint("1", "Stack "+s.Stack), s.Resources, s.Mandatory, advisory, s.Deferred)
	table := tabwriter.NewWriter(v.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  phase\tdid what it must\tseconds\tengine alone\tratio\twhat was seen")
	var total, floor float64
	for _, p := range s.Phases {
		total, floor = total+p.Seconds, floor+p.FloorSeconds
		fmt.Fprintf(table, "  %s\t%s\t%.1f\t%s\t%s\n", p.Name, yes(p.OK), p.Seconds, floorColumns(p.Seconds, p.FloorSeconds), firstLine(&p))
	}
	fmt.Fprintf(table, "  total\t%s\t%.1f\t%s\t\n", yes(s.OK), total, floorColumns(total, floor))
	if err := table.Flush(); err != nil {
		return err
	}
	v.notModelled(s.NotModelled)
	v.problems(s)
	return v.findings(s.Findings)
}

func floorColumns(measured, floor float64) string {
	if floor == 0 {
		return "–\t–"
	}
	return fmt.Sprintf("%.1f\t%.1f×", floor, measured/floor)
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}

func (v *view) problems(s rehearse.StackReport) {
	for _, p := range s.Phases {
		if !p.OK {
			fmt.Fprintf(v.out, "  %s %s\n", v.paint("31", p.Name+":"), strings.ReplaceAll(p.Problem, "\n", "\n    "))
		}
	}
}

func (v *view) notModelled(types map[string]int) {
	if len(types) == 0 {
		return
	}
	var names []string
	for t, n := range types {
		names = append(names, fmt.Sprintf("%s (%d)", t, n))
	}
	slices.Sort(names)
	fmt.Fprintf(v.out, "  Not modelled in detail: %s\n", strings.Join(names, ", "))
}

func (v *view) findings(findings []engine.Finding) error {
	for _, f := range findings {
		colour, text := findingText(f)
		if _, err := fmt.Fprintf(v.out, "  %s %s\n    %s\n", v.paint(colour, f.Level), f.Policy, text); err != nil {
			return err
		}
	}
	return nil
}

// findingText is what a finding says below its name, and its colour: red where it
// stops something.
func findingText(f engine.Finding) (colour, text string) {
	text = strings.ReplaceAll(f.Message, "\n", "\n    ")
	if f.Exemption != nil {
		e := client.Exemption{Until: f.Exemption.Until, Owner: f.Exemption.Owner, Reason: f.Exemption.Reason}
		return levelColour(""), text + "\n    " + passText(f.Exemption.ID, e)
	}
	return levelColour(f.Level), text
}

func (v *view) paint(code, text string) string {
	if !v.colour {
		return text
	}
	return "\033[" + code + "m" + text + "\033[0m"
}
