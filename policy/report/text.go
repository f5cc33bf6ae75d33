package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"redoubt/policy/rule"
)

// text is for a terminal: the findings as the CLI words them, then a summary.
func (r Report) text(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, f := range r.Findings {
		fmt.Fprintf(out, "[%s] %s: %s on %s\n    %s\n", f.Level, f.Severity, f.Policy, label(f.URN), indented(f.Message))
		if f.Exemption != nil {
			fmt.Fprintf(out, "    %s\n", f.Exemption)
			continue
		}
		if known, ok := r.rule(f.Policy); ok {
			fmt.Fprintf(out, "    fix: %s\n    see: %s\n", known.Fix, known.URL)
		}
	}
	if len(r.Findings) > 0 {
		fmt.Fprintln(out)
	}
	for _, line := range r.headlines() {
		fmt.Fprintln(out, line)
	}
	return out.Flush()
}

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n    ") }

// Headline says in one line what came out.
func (r Report) Headline() string { return strings.Join(r.headlines(), " ") }

// headlines say in a few lines what came out.
func (r Report) headlines() []string {
	s := r.Summary
	lines := []string{fmt.Sprintf("%s: %s, judged by %s of %s %s.", r.Subject.Stack,
		count(s.Resources, "resource"), count(s.Rules, "rule"), r.Pack.Name, r.Pack.Version)}
	if r.FindingsOnly {
		lines[0] = fmt.Sprintf("%s: what %s found.", r.Subject.Stack, r.Pack.Name)
	}
	found := fmt.Sprintf("%d mandatory and %d advisory findings", s.Mandatory, s.Advisory)
	var by []string
	for _, severity := range severities {
		if n := s.Severities[severity]; n > 0 {
			by = append(by, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(by) > 0 {
		found += " (" + strings.Join(by, ", ") + ")"
	}
	if s.Exempt > 0 {
		found += fmt.Sprintf("; %d exempt", s.Exempt)
	}
	lines = append(lines, found+".")
	if !r.FindingsOnly {
		lines = append(lines, fmt.Sprintf("%s passed, %d undetermined.", count(s.Passed, "check"), s.Undetermined))
	}
	if r.Incomplete {
		lines = append(lines, "INCOMPLETE: the operation ended before the whole stack was judged.")
	}
	return lines
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// bySeverity are the findings that count, the worst first, and else in their order.
func (r Report) bySeverity(severity rule.Severity) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Exemption == nil && f.Severity == severity {
			out = append(out, f)
		}
	}
	return out
}

// exempt are the findings that an exemption lets pass.
func (r Report) exempt() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Exemption != nil {
			out = append(out, f)
		}
	}
	return out
}
