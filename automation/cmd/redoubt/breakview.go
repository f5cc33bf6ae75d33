package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/automation/rehearse"
)

// listMistakes prints the known mistakes of a blueprint.
func listMistakes(s *streams, b blueprint.Blueprint, asJSON bool) error {
	all, err := rehearse.Mistakes(b, "all")
	if err != nil {
		return err
	}
	if asJSON {
		type listed struct {
			Name   string `json:"name"`
			Family string `json:"family"`
			Rule   string `json:"rule"`
			Deed   string `json:"deed"`
		}
		list := make([]listed, len(all))
		for i, m := range all {
			list[i] = listed{m.Name, m.Family, m.Rule, m.Deed}
		}
		encoder := json.NewEncoder(s.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "family\tmistake\trule\twhat is wrong then")
	for _, m := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.Family, m.Name, m.Rule, m.Deed)
	}
	return table.Flush()
}

// broken prints what became of planted mistakes: a line each, and of a single
// one the finding too.
func (v *view) broken(b rehearse.BreakReport) error {
	refused, absent := 0, 0
	for _, m := range b.Mistakes {
		switch {
		case m.Refused:
			refused++
		case m.Absent:
			absent++
		}
	}
	fmt.Fprintf(v.out, "\n%s  %d of %d mistakes refused, each by its own rule, in %d previews and %.1f s\n",
		v.paint("1", "Stack "+b.Stack), refused, len(b.Mistakes)-absent, b.Previews, b.Seconds)
	table := tabwriter.NewWriter(v.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  family\tmistake\trefused\trule\twhat was wrong")
	for _, m := range b.Mistakes {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", m.Family, m.Name, refusal(m), m.Rule, m.Deed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if absent > 0 {
		fmt.Fprintf(v.out, "  %d more cannot be made here: the stack has nothing to make them on, or makes them itself.\n", absent)
	}
	for _, m := range b.Mistakes {
		if m.Problem != "" && !m.Absent {
			fmt.Fprintf(v.out, "  %s %s\n", v.paint("31", m.Name+":"), strings.ReplaceAll(m.Problem, "\n", "\n    "))
		}
	}
	if len(b.Extra) > 0 {
		fmt.Fprintf(v.out, "  %s\n", v.paint("31", "Found too, and by no rule that should have:"))
	}
	if err := v.findings(b.Extra); err != nil {
		return err
	}
	if len(b.Mistakes) == 1 && b.Mistakes[0].Finding != nil {
		return v.findings([]engine.Finding{*b.Mistakes[0].Finding})
	}
	return nil
}

func refusal(m rehearse.Broken) string {
	if m.Absent {
		return "not here"
	}
	return yes(m.Refused)
}
