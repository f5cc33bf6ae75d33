package ruledoc

import (
	"slices"
	"strings"

	"redoubt/policy/rule"
)

// framework is a published set of controls, as a page names and links it.
type framework struct {
	id    rule.Framework
	title string
	url   string
}

var frameworks = []framework{
	{rule.FSBP, "AWS Foundational Security Best Practices", "https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html"},
	{rule.CIS, "CIS AWS Foundations Benchmark v5.0", "https://www.cisecurity.org/benchmark/amazon_web_services"},
	{rule.NIST, "NIST SP 800-53 revision 5", "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
	{rule.PCI, "PCI DSS v4.0", "https://www.pcisecuritystandards.org/document_library/"},
}

// ids are the rule's controls of the framework, in their order.
func (f framework) ids(r rule.Rule) []string {
	var out []string
	for _, c := range r.Controls {
		if c.Framework == f.id {
			out = append(out, c.ID)
		}
	}
	slices.SortFunc(out, compareIDs)
	return out
}

// control is the control's id, with its own page where the framework has one:
// Security Hub's are anchors on a page for each service.
func (f framework) control(id string) string {
	if f.id != rule.FSBP {
		return id
	}
	service, _, _ := strings.Cut(id, ".")
	return "[" + id + "](https://docs.aws.amazon.com/securityhub/latest/userguide/" + strings.ToLower(service) +
		"-controls.html#" + strings.ToLower(strings.ReplaceAll(id, ".", "-")) + ")"
}

// compareIDs puts 4.9 before 4.10, and SC-7 before SC-12.
func compareIDs(a, b string) int { return strings.Compare(sortable(a), sortable(b)) }

// sortable pads each number of an id.
func sortable(id string) string {
	var out, digits strings.Builder
	flush := func() {
		if n := digits.Len(); n > 0 {
			out.WriteString(strings.Repeat("0", max(0, 6-n)) + digits.String())
			digits.Reset()
		}
	}
	for _, c := range id {
		if '0' <= c && c <= '9' {
			digits.WriteRune(c)
			continue
		}
		flush()
		out.WriteRune(c)
	}
	flush()
	return out.String()
}
