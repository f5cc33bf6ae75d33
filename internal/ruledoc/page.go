package ruledoc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
)

// page is the manual of one rule.
func page(r rule.Rule, f fixture.File, configured []configuration) (string, error) {
	fails, passes, err := examples(r, f)
	if err != nil {
		return "", err
	}
	said, err := ask(r, fails.Case, nil)
	if err != nil {
		return "", err
	}
	cases, open, err := caseTable(r, f)
	if err != nil {
		return "", err
	}
	about, _ := subject(r, fails.Case)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", r.Name, r.Summary)
	writeFacts(&b, r, f, configured)
	writeWhy(&b, r)
	fmt.Fprintf(&b, "## How to fix it\n\n%s\n\nAWS and Pulumi on it: <%s>\n\n", fixText(r.Fix), r.URL)
	writeExample(&b, "Example that fails", fails)
	fmt.Fprintf(&b, "The finding:\n\n```\n%s\n```\n\n", said.finding)
	writeExample(&b, "Example that passes", passes)
	writeRepair(&b, r, said.repaired)
	writeSettings(&b, r)
	writeUndetermined(&b, open)
	fmt.Fprintf(&b, "## Exemption\n\nWhere a resource may be so, the [configuration](../../policy/README.md#configuration) says which, why, in whose name, and until when:\n\n```json\n%s\n```\n\n",
		exemption(r, about))
	fmt.Fprintf(&b, "## Cases\n\nWhat the rule is tested with ([%s.yaml](../../policy/rules/testdata/%s.yaml)), and what it answers at the first preview, while ids and ARNs are unknown.\n\n%s",
		r.Name, r.Name, cases)
	return b.String(), nil
}

func writeFacts(b *strings.Builder, r rule.Rule, f fixture.File, configured []configuration) {
	fact := func(name, text string) { fmt.Fprintf(b, "| %s | %s |\n", name, text) }
	b.WriteString("| | |\n|---|---|\n")
	fact("Severity", "["+string(r.Severity)+"](by-severity.md#"+string(r.Severity)+")")
	fact("Level", levels(r, configured))
	judged, beside := types(r, f)
	fact("Judges", strings.Join(judged, "<br>"))
	if len(beside) > 0 {
		fact("Together with", strings.Join(beside, "<br>"))
	}
	if r.IsJoin() {
		fact("Looks at", "the resource in its stack, after all of them are registered")
	} else {
		fact("Looks at", "the resource alone, before it is registered")
	}
	if r.Remediate != nil {
		fact("Repairs", "[yes](#repair), at level `remediate`")
	} else {
		fact("Repairs", "no")
	}
	b.WriteString("\n")
}

// levels names the configurations that give the rule each level.
func levels(r rule.Rule, configured []configuration) string {
	var out []string
	for _, level := range []rule.Level{rule.Mandatory, rule.Remediate, rule.Advisory, rule.Disabled} {
		var names []string
		for _, c := range configured {
			if c.level(r) == level {
				names = append(names, c.name)
			}
		}
		if len(names) > 0 {
			out = append(out, "`"+string(level)+"`: "+strings.Join(names, ", "))
		}
	}
	return strings.Join(out, "<br>")
}

// types are the spellings of what the rule judges, and of what else its cases
// hold: the resources that it joins, and the split forms of a setting.
func types(r rule.Rule, f fixture.File) (judged, beside []string) {
	own := map[string]bool{}
	for _, t := range r.Types {
		own[rule.Canonical(t)] = true
		for _, token := range rule.Spellings(t) {
			judged = append(judged, "`"+token+"`")
		}
	}
	for _, c := range f.Cases {
		for _, res := range c.Resources {
			if !own[rule.Canonical(res.Type)] {
				beside = append(beside, "`"+res.Type+"`")
			}
		}
	}
	slices.Sort(judged)
	slices.Sort(beside)
	return slices.Compact(judged), slices.Compact(beside)
}

func writeWhy(b *strings.Builder, r rule.Rule) {
	b.WriteString("## Why\n\nThe [Security Guide](../../guide/guide.md) asks for it:\n\n")
	for _, id := range r.Guide {
		bullet, _ := guide.Lookup(id)
		fmt.Fprintf(b, "- %s: **%s** ([`%s`](by-bullet.md#%s))\n", bullet.Section, bullet.Text, string(id), anchor(bullet.Section))
	}
	b.WriteString("\n")
	if len(r.Controls) == 0 {
		return
	}
	b.WriteString("| framework | controls |\n|---|---|\n")
	for _, f := range frameworks {
		var links []string
		for _, id := range f.ids(r) {
			links = append(links, f.control(id))
		}
		if len(links) > 0 {
			fmt.Fprintf(b, "| [%s](by-framework.md#%s) | %s |\n", f.title, anchor(f.title), strings.Join(links, ", "))
		}
	}
	b.WriteString("\n")
}

func writeExample(b *strings.Builder, title string, e example) {
	fmt.Fprintf(b, "## %s\n\n%s", title, capital(e.Name))
	if config := settings(e.Config); config != "" {
		fmt.Fprintf(b, ", where the rule is configured with `%s`", config)
	}
	if strings.Contains(e.program, "${"+elsewhere+".") {
		b.WriteString(" (`" + elsewhere + "` is a resource that is not shown)")
	}
	fmt.Fprintf(b, ":\n\n```yaml\n%s```\n\n", e.program)
}

func writeRepair(b *strings.Builder, r rule.Rule, repaired resource.PropertyMap) {
	if r.Remediate == nil {
		return
	}
	b.WriteString("## Repair\n\nAt level `remediate` the rule repairs the resource itself, where it can do so safely")
	if len(repaired) == 0 {
		b.WriteString("; not the one above.\n\n")
		return
	}
	fmt.Fprintf(b, ". The one above becomes:\n\n```yaml\n%s```\n\n", properties(repaired))
}

// properties are inputs as the properties of a resource in Pulumi YAML.
func properties(m resource.PropertyMap) string {
	text, err := encoded(map[string]any{"properties": m.Mappable()})
	if err != nil {
		panic(err) // inputs that came from YAML
	}
	return text
}

func writeSettings(b *strings.Builder, r rule.Rule) {
	if len(r.Params) == 0 {
		return
	}
	b.WriteString("## Settings\n\n| setting | type | default | meaning |\n|---|---|---|---|\n")
	for _, p := range r.Params {
		schema := p.Schema()
		fmt.Fprintf(b, "| `%s` | %s | `%s` | %s |\n", p.Name, kindOf(p), strings.ReplaceAll(jsonText(schema["default"]), "|", `\|`), cell(p.Description))
	}
	b.WriteString("\n")
}

// kindOf is a setting's type with what bounds it.
func kindOf(p rule.Param) string {
	schema, kind := p.Schema(), string(p.Kind)
	if p.Kind == rule.Strings {
		kind = "array of strings"
	}
	if least, bounded := schema["minimum"]; bounded {
		kind += fmt.Sprintf(", %v to %v", least, schema["maximum"])
	}
	if len(p.Enum) > 0 {
		kind += ": `" + strings.Join(p.Enum, "`, `") + "`"
	}
	return kind
}

// exemptionEnds is the last day of the example.
const exemptionEnds = "2027-03-31"

// exemption is an entry that lets the resource pass.
func exemption(r rule.Rule, about fixture.Resource) string {
	return fmt.Sprintf(`{
  "exemptions": {"entries": [{
    "rule": %q,
    "resource": %q,
    "reason": "why this one may be so",
    "owner": "who answers for it",
    "expires": %q
  }]}
}`, r.Name, "*::"+about.Name, exemptionEnds)
}

// caseTable lists every case with what the rule says of it, and returns what
// leaves the answer open.
func caseTable(r rule.Rule, f fixture.File) (table string, open []string, err error) {
	var b strings.Builder
	b.WriteString("| case | answer | reason |\n|---|---|---|\n")
	for _, c := range f.Cases {
		said, err := ask(r, c, c.Exemptions)
		if err != nil {
			return "", nil, err
		}
		if c.Want == "undetermined" && !slices.Contains(open, said.reason) {
			open = append(open, said.reason)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(c.Name), c.Want, cell(said.reason))
	}
	return b.String(), open, nil
}

func writeUndetermined(b *strings.Builder, open []string) {
	b.WriteString("## Undetermined\n\n")
	if len(open) == 0 {
		b.WriteString("In none of its cases: what is not known yet does not decide.\n\n")
		return
	}
	b.WriteString("No finding, unless [`unknowns.mode`](../../policy/README.md#configuration) is `fail`, for example where:\n\n")
	for _, reason := range open {
		fmt.Fprintf(b, "- %s\n", cell(reason))
	}
	b.WriteString("\n")
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the default of a setting
	}
	return string(text)
}

// cell is text that keeps to its cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`).Replace(s)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// anchor is the fragment of a heading, as GitHub makes it.
func anchor(heading string) string {
	var out strings.Builder
	for _, c := range strings.ToLower(heading) {
		switch {
		case c == ' ':
			out.WriteRune('-')
		case c == '-' || c == '_' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			out.WriteRune(c)
		}
	}
	return out.String()
}
