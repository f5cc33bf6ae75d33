// Package report says what a policy pack found in one stack, in the forms that
// other tools and people read: JSON, SARIF 2.1.0, JUnit XML, Markdown, a page of
// HTML and plain text.
//
// A Report is data; New sorts and counts it, Write gives it a form. The same
// report is the same bytes in every form.
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// Version is that of the JSON form (report.schema.json). It changes when a reader
// of the form before could misunderstand the new one.
const Version = 1

// Report is what a policy pack found in one stack.
type Report struct {
	Run
	// Incomplete says that the operation ended before the whole stack was judged.
	Incomplete bool `json:"incomplete,omitempty"`
	// FindingsOnly says that what passed is not known: the report was made from
	// findings that somebody kept.
	FindingsOnly bool `json:"findingsOnly,omitempty"`
	// FailOn is the level from which on a finding makes the report a failure.
	FailOn FailOn `json:"failOn"`
	// Rules are those that judged something, by name.
	Rules []Rule `json:"rules"`
	// Findings are sorted by policy and resource; those that an exemption lets
	// pass are among them.
	Findings []Finding `json:"findings"`
	// Undetermined are the checks whose answer depends on a value that is not known.
	Undetermined []Undetermined `json:"undetermined"`

	// History are earlier runs about the same subject, oldest first; the page of
	// HTML draws them.
	History []Run `json:"-"`
}

// Run is one judgement in numbers: what a history keeps of a report.
type Run struct {
	Version int `json:"version"`
	// Time is when the stack was judged (UTC).
	Time    time.Time `json:"time"`
	Pack    Pack      `json:"pack"`
	Subject Subject   `json:"subject"`
	Summary Summary   `json:"summary"`
}

// Pack names the policy pack.
type Pack struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Subject is what was judged.
type Subject struct {
	// Stack is organization/project/stack, or project/stack where the
	// organization is not known.
	Stack string `json:"stack"`
	// Phase is "preview", "update" or "state".
	Phase string `json:"phase"`
	// File is where findings are pointed at, relative to the repository: a file of
	// a state, else the project's.
	File string `json:"file"`
}

// What a subject's phase may be.
const (
	PhasePreview = "preview"
	PhaseUpdate  = "update"
	PhaseState   = "state"
)

// ProjectFile stands for a program: findings are about resources, and every
// Pulumi project has this file.
const ProjectFile = "Pulumi.yaml"

// Rule is what a report says of a rule, and how often it answered what.
type Rule struct {
	Name     string        `json:"name"`
	Summary  string        `json:"summary"`
	Severity rule.Severity `json:"severity"`
	Level    rule.Level    `json:"level"`
	Guide    []Bullet      `json:"guide"`
	Controls []Control     `json:"controls"`
	Fix      string        `json:"fix"`
	URL      string        `json:"url"`
	Verdicts Verdicts      `json:"verdicts"`
}

// Bullet is one of the Security Guide's, see guide.Bullet.
type Bullet struct {
	ID      guide.ID `json:"id"`
	Section string   `json:"section"`
	Text    string   `json:"text"`
}

// Control is one of a published framework.
type Control struct {
	Framework rule.Framework `json:"framework"`
	ID        string         `json:"id"`
}

// Verdicts counts the answers of a rule. Failed leaves out those that an exemption
// lets pass.
type Verdicts struct {
	Passed       int `json:"passed"`
	Failed       int `json:"failed"`
	Exempt       int `json:"exempt"`
	Undetermined int `json:"undetermined"`
}

func (v *Verdicts) add(o Verdicts) {
	v.Passed += o.Passed
	v.Failed += o.Failed
	v.Exempt += o.Exempt
	v.Undetermined += o.Undetermined
}

func (v Verdicts) total() int { return v.Passed + v.Failed + v.Exempt + v.Undetermined }

// Finding is a violation. It is about a resource, or with an empty URN about the stack.
type Finding struct {
	Policy   string        `json:"policy"`
	Level    rule.Level    `json:"level"`
	Severity rule.Severity `json:"severity"`
	URN      string        `json:"urn,omitempty"`
	// Line is where the resource stands in the subject's file; 0 where that does not say.
	Line int `json:"line,omitempty"`
	// Message says what is wrong, without the rule's advice.
	Message string `json:"message"`
	// Exemption lets it pass; nil where it counts.
	Exemption *Exemption `json:"exemption,omitempty"`
}

// Exemption is why a finding does not count.
type Exemption struct {
	// ID names it where it was made; empty for one of the pack's configuration.
	ID string `json:"id,omitempty"`
	// Until is its last day (UTC), as 2027-03-31.
	Until  string `json:"until"`
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
}

// Undetermined is a check that could not be decided.
type Undetermined struct {
	Policy string `json:"policy"`
	URN    string `json:"urn"`
	Reason string `json:"reason"`
}

// RuleOf is what a report says of a rule of a pack.
func RuleOf(r rule.Rule, level rule.Level) Rule {
	out := Rule{
		Name: r.Name, Summary: r.Summary, Severity: r.Severity, Level: level,
		Guide: []Bullet{}, Controls: []Control{}, Fix: r.Fix, URL: r.URL,
	}
	for _, id := range r.Guide {
		if b, ok := guide.Lookup(id); ok {
			out.Guide = append(out.Guide, Bullet(b))
		}
	}
	for _, c := range r.Controls {
		out.Controls = append(out.Controls, Control(c))
	}
	return out
}

// New puts a report in order and counts it: rules that judged nothing are left out,
// control characters are replaced, a level "remediate" is mandatory, since what is reported was not repaired, and a
// finding without a severity is low.
func New(r Report) Report {
	r.Version, r.Time = Version, r.Time.UTC().Truncate(time.Second)
	if r.FailOn == "" {
		r.FailOn = FailOnMandatory
	}
	if r.Subject.File == "" {
		r.Subject.File = ProjectFile
	}
	r.Findings, r.Undetermined = append([]Finding{}, r.Findings...), append([]Undetermined{}, r.Undetermined...)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Level, f.Severity, f.Message = levelOf(f.Level), severityOf(f.Severity), harmless(f.Message)
	}
	for i := range r.Undetermined {
		r.Undetermined[i].Reason = harmless(r.Undetermined[i].Reason)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Message, b.Message))
	})
	slices.SortStableFunc(r.Undetermined, func(a, b Undetermined) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN))
	})
	r.Rules = r.judging()
	r.Summary = r.count()
	return r
}

// judging are the rules that gave an answer, by name, with their answers counted.
func (r Report) judging() []Rule {
	found := map[string]Verdicts{}
	for _, f := range r.Findings {
		v := found[f.Policy]
		if f.Exemption != nil {
			v.Exempt++
		} else {
			v.Failed++
		}
		found[f.Policy] = v
	}
	for _, u := range r.Undetermined {
		v := found[u.Policy]
		v.Undetermined++
		found[u.Policy] = v
	}
	out := []Rule{}
	for _, one := range r.Rules {
		v := found[one.Name]
		v.Passed = one.Verdicts.Passed
		one.Verdicts = v
		one.Level = levelOf(one.Level)
		if v.total() > 0 {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b Rule) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// levelOf is mandatory for what was to be repaired and was not.
func levelOf(l rule.Level) rule.Level {
	if l == rule.Remediate {
		return rule.Mandatory
	}
	return l
}

// Failing are the findings that make the report a failure.
func (r Report) Failing() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if r.FailOn.fails(f) {
			out = append(out, f)
		}
	}
	return out
}

// rule finds a rule of the report. A finding may name one that the report does not
// have: the pack's own remarks, and rules of another version of it.
func (r Report) rule(name string) (Rule, bool) {
	i, ok := slices.BinarySearchFunc(r.Rules, name, func(one Rule, name string) int { return cmp.Compare(one.Name, name) })
	if !ok {
		return Rule{Name: name}, false
	}
	return r.Rules[i], true
}

// label names a finding's resource for people: "aws:kms/key:Key app", or "the stack".
func label(urn string) string {
	const inURN = "::"
	parts := strings.SplitN(urn, inURN, 4)
	if len(parts) < 4 {
		return cmp.Or(urn, "the stack")
	}
	// The type is qualified by those of the resource's parents.
	types := strings.Split(parts[2], "$")
	return harmless(types[len(types)-1] + " " + parts[3])
}

// harmless is a text without what a terminal would take for a command: names and
// values are others'.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return '�'
		}
		return r
	}, text)
}
