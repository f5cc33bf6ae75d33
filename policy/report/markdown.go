package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// markdown is for a pull request's comment or a job's summary.
func (r Report) markdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# Policy report of %s\n\n", inline(r.Subject.Stack))
	for _, line := range r.headlines() {
		fmt.Fprintf(out, "%s\n", inline(line))
	}
	r.markdownSections(out)
	for _, severity := range severities {
		r.markdownFindings(out, title(string(severity)), r.bySeverity(severity))
	}
	r.markdownFindings(out, "Exempt", r.exempt())
	if len(r.Undetermined) > 0 {
		fmt.Fprint(out, "\n## Undetermined\n\n| rule | resource | depends on |\n| --- | --- | --- |\n")
		for _, u := range r.Undetermined {
			fmt.Fprintf(out, "| %s | %s | %s |\n", r.link(u.Policy), inline(label(u.URN)), inline(u.Reason))
		}
	}
	return out.Flush()
}

func (r Report) markdownSections(out io.Writer) {
	sections := r.sections()
	if len(sections) == 0 {
		return
	}
	fmt.Fprint(out, "\n## By section of the guide\n\n| section | critical | high | medium | low | exempt | undetermined | passed |\n| --- | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, s := range sections {
		fmt.Fprintf(out, "| %s |", inline(s.heading()))
		for _, severity := range severities {
			fmt.Fprintf(out, " %d |", s.Severities[severity])
		}
		fmt.Fprintf(out, " %d | %d | %s |\n", s.Exempt, s.Undetermined, r.passed(s.Verdicts))
	}
}

// heading is the section's whole way through the guide.
func (s section) heading() string {
	if s.Name == s.Chapter {
		return s.Name
	}
	return s.Chapter + " / " + s.Name
}

// passed is a number, or a dash where it is not known.
func (r Report) passed(v Verdicts) string {
	if r.FindingsOnly {
		return "–"
	}
	return fmt.Sprint(v.Passed)
}

func (r Report) markdownFindings(out io.Writer, heading string, found []Finding) {
	if len(found) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## %s (%d)\n\n| rule | level | resource | what is wrong | fix |\n| --- | --- | --- | --- | --- |\n", heading, len(found))
	for _, f := range found {
		known, _ := r.rule(f.Policy)
		fix := inline(known.Fix)
		if f.Exemption != nil {
			fix = inline(f.Exemption.String())
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", r.link(f.Policy), f.Level, inline(label(f.URN)), inline(f.Message), fix)
	}
}

// link is a rule's name, with its page where it has one.
func (r Report) link(policy string) string {
	known, ok := r.rule(policy)
	if !ok || known.URL == "" {
		return inline(policy)
	}
	return fmt.Sprintf("[%s](%s)", inline(policy), known.URL)
}

// marks are what Markdown or HTML would take for its own in the cell of a table.
var marks = strings.NewReplacer(
	"\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]",
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "\r", "", "\n", "<br>",
)

func inline(text string) string { return marks.Replace(text) }

func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
