package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
)

// JUnit's XML, as Jenkins, GitLab and others read it: a rule is a suite, a finding
// a case of it. It knows no advice, so that is skipped, with its words.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string     `xml:"name,attr"`
		Class   string     `xml:"classname,attr"`
		Failure *junitText `xml:"failure"`
		Skipped *junitText `xml:"skipped"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func (r Report) junit(w io.Writer) error {
	all := junitSuites{Name: r.Pack.Name + " " + r.Subject.Stack}
	suites := map[string]*junitSuite{}
	var names []string
	add := func(policy string, c junitCase) {
		s := suites[policy]
		if s == nil {
			s = &junitSuite{Name: policy}
			suites[policy], names = s, append(names, policy)
		}
		c.Class = r.Pack.Name + "." + policy
		s.Cases = append(s.Cases, c)
		s.count(c)
	}
	for _, one := range r.Rules {
		if v := one.Verdicts; v.Passed > 0 {
			add(one.Name, junitCase{Name: fmt.Sprintf("%d passed", v.Passed)})
		}
	}
	for _, f := range r.Findings {
		add(f.Policy, r.junitCase(f))
	}
	for _, u := range r.Undetermined {
		add(u.Policy, junitCase{Name: label(u.URN), Skipped: &junitText{Message: "undetermined: " + u.Reason}})
	}
	slices.Sort(names)
	for _, name := range names {
		all.Suites = append(all.Suites, *suites[name])
		all.add(suites[name].junitCounts)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitCounts) count(c junitCase) {
	one := junitCounts{Tests: 1}
	switch {
	case c.Failure != nil:
		one.Failures = 1
	case c.Skipped != nil:
		one.Skipped = 1
	}
	s.add(one)
}

func (s *junitCounts) add(o junitCounts) {
	s.Tests, s.Failures, s.Skipped = s.Tests+o.Tests, s.Failures+o.Failures, s.Skipped+o.Skipped
}

func (r Report) junitCase(f Finding) junitCase {
	one := junitCase{Name: label(f.URN)}
	switch {
	case f.Exemption != nil:
		one.Skipped = &junitText{Message: f.Exemption.String() + ": " + f.Message}
	case r.FailOn.fails(f):
		one.Failure = &junitText{Message: f.Message, Type: junitType(f), Text: r.advice(f)}
	default:
		one.Skipped = &junitText{Message: junitType(f) + ": " + f.Message}
	}
	return one
}

func junitType(f Finding) string { return string(f.Level) + ", " + string(f.Severity) }

// advice is a finding with all that helps to mend it, a line each.
func (r Report) advice(f Finding) string {
	text := f.Message + "\nresource: " + f.URN
	known, ok := r.rule(f.Policy)
	if !ok {
		return text
	}
	return fmt.Sprintf("%s\nguide: %s\ncontrols: %s\nfix: %s\nsee: %s", text, known.bullets(), known.controls(), known.Fix, known.URL)
}
