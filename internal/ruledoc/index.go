package ruledoc

import (
	"fmt"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// indexes are the lists of the rules, by file name.
func indexes(catalogue []rule.Rule) map[string]string {
	return map[string]string{
		"README.md":       alphabetic(catalogue),
		"by-bullet.md":    byBullet(catalogue),
		"by-service.md":   byService(catalogue),
		"by-severity.md":  bySeverity(catalogue),
		"by-framework.md": byFramework(catalogue),
	}
}

func alphabetic(catalogue []rule.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The policy pack's rules

%d rules, each with what it demands and why, how to fix what it finds, examples that fail and pass, its settings, and an exemption to copy. The examples are programs of Pulumi YAML and the tests' own; the fixes are Go. [How the pack is run and configured](../../policy/README.md).

Other orders: [by bullet of the Security Guide](by-bullet.md), [by service](by-service.md), [by severity](by-severity.md), [by framework and control](by-framework.md).

`, len(catalogue))
	counted := func(what string, is func(rule.Rule) bool) {
		fmt.Fprintf(&b, "| %s | %d |\n", what, count(catalogue, is))
	}
	b.WriteString("| rules | |\n|---|---|\n")
	for _, s := range severities {
		counted("severity "+string(s), func(r rule.Rule) bool { return r.Severity == s })
	}
	for _, l := range []rule.Level{rule.Mandatory, rule.Advisory, rule.Disabled} {
		counted(string(l)+" by default", func(r rule.Rule) bool { return r.Level == l })
	}
	counted("that look at the whole stack", rule.Rule.IsJoin)
	counted("that can repair", func(r rule.Rule) bool { return r.Remediate != nil })
	for _, f := range frameworks {
		counted("with controls of "+f.title, func(r rule.Rule) bool { return len(f.ids(r)) > 0 })
	}
	b.WriteString("\n## All rules\n\n")
	table(&b, catalogue)
	return b.String()
}

func byBullet(catalogue []rule.Rule) string {
	var b strings.Builder
	served := map[guide.ID][]rule.Rule{}
	for _, r := range catalogue {
		for _, id := range r.Guide {
			served[id] = append(served[id], r)
		}
	}
	fmt.Fprintf(&b, "# Rules by bullet of the Security Guide\n\n%d of the %d bullets of the [guide](../../guide/guide.md) have rules. What serves the bullets, and the others too: [coverage](../coverage.md).\n",
		len(served), len(guide.All()))
	section := ""
	for _, bullet := range guide.All() {
		list := served[bullet.ID]
		if len(list) == 0 {
			continue
		}
		if bullet.Section != section {
			section = bullet.Section
			fmt.Fprintf(&b, "\n## %s\n\n| bullet | id | rules |\n|---|---|---|\n", section)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", cell(bullet.Text), bullet.ID, links(list))
	}
	return b.String()
}

func byService(catalogue []rule.Rule) string {
	byName := map[string][]rule.Rule{}
	for _, r := range catalogue {
		names := make([]string, len(r.Types))
		for i, t := range r.Types {
			names[i] = service(t)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			byName[name] = append(byName[name], r)
		}
	}
	names := sortedKeys(byName)
	var b strings.Builder
	fmt.Fprintf(&b, "# Rules by service\n\nThe %d services are the modules of Pulumi's AWS provider. A rule stands under each whose resources it judges.\n\n", len(names))
	contents(&b, names, byName)
	for _, name := range names {
		fmt.Fprintf(&b, "\n## %s\n\n", name)
		table(&b, byName[name])
	}
	return b.String()
}

// service is the provider's module of a type, or what stands for it.
func service(typ string) string {
	switch canonical := rule.Canonical(typ); {
	case canonical == stackType:
		return "stack"
	case strings.HasPrefix(canonical, "pulumi:providers:"):
		return "provider"
	default:
		module, _, _ := strings.Cut(canonical, "/")
		return module
	}
}

var severities = []rule.Severity{rule.Critical, rule.High, rule.Medium, rule.Low}

func bySeverity(catalogue []rule.Rule) string {
	byName := map[string][]rule.Rule{}
	names := make([]string, len(severities))
	for i, s := range severities {
		names[i] = string(s)
	}
	for _, r := range catalogue {
		byName[string(r.Severity)] = append(byName[string(r.Severity)], r)
	}
	var b strings.Builder
	b.WriteString("# Rules by severity\n\n")
	contents(&b, names, byName)
	for _, name := range names {
		fmt.Fprintf(&b, "\n## %s\n\n", name)
		table(&b, byName[name])
	}
	return b.String()
}

func byFramework(catalogue []rule.Rule) string {
	var b strings.Builder
	b.WriteString("# Rules by framework and control\n\nThe controls that a rule helps to fulfil; a control is rarely fulfilled by rules about a program alone.\n")
	for _, f := range frameworks {
		byControl := map[string][]rule.Rule{}
		for _, r := range catalogue {
			for _, id := range f.ids(r) {
				byControl[id] = append(byControl[id], r)
			}
		}
		ids := sortedKeys(byControl)
		slices.SortFunc(ids, compareIDs)
		fmt.Fprintf(&b, "\n## %s\n\n%d rules, %d controls of [%s](%s).\n\n| control | rules |\n|---|---|\n", f.title,
			count(catalogue, func(r rule.Rule) bool { return len(f.ids(r)) > 0 }), len(ids), f.title, f.url)
		for _, id := range ids {
			fmt.Fprintf(&b, "| %s | %s |\n", f.control(id), links(byControl[id]))
		}
	}
	return b.String()
}

// contents links the headings of the page.
func contents(b *strings.Builder, names []string, rules map[string][]rule.Rule) {
	for i, name := range names {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(b, "[%s](#%s) %d", name, anchor(name), len(rules[name]))
	}
	b.WriteString("\n")
}

func table(b *strings.Builder, list []rule.Rule) {
	b.WriteString("| rule | severity | level | what must hold |\n|---|---|---|---|\n")
	for _, r := range list {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", local(r), r.Severity, r.Level, cell(r.Summary))
	}
}

func links(list []rule.Rule) string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = local(r)
	}
	return strings.Join(out, "<br>")
}

func local(r rule.Rule) string { return "[" + r.Name + "](" + r.Name + ".md)" }

func count(list []rule.Rule, is func(rule.Rule) bool) int {
	n := 0
	for _, r := range list {
		if is(r) {
			n++
		}
	}
	return n
}
