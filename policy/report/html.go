package report

import (
	_ "embed"
	"html/template"
	"io"
	"sync"

	"redoubt/policy/rule"
)

//go:embed scorecard.html
var scorecardText string

// scorecard is parsed once somebody wants it: a pack starts with each preview.
var scorecard = sync.OnceValues(func() (*template.Template, error) {
	return template.New("scorecard").Funcs(template.FuncMap{
		"label": label,
	}).Parse(scorecardText)
})

// page is what the scorecard's template shows.
type page struct {
	Report
	Severities []rule.Severity
	Headlines  []string
	Sections   []section
	Groups     []group
	Trend      *trend
}

// group is the findings under one heading.
type group struct {
	Name     string
	Findings []shown
}

// shown is a finding with its rule.
type shown struct {
	Finding
	Rule Rule
}

// Guide and Controls are what the rule serves, in words.
func (s shown) Guide() string { return s.Rule.bullets() }

// Controls are the rule's.
func (s shown) Controls() string { return s.Rule.controls() }

// html is one file that needs no other and runs no script.
func (r Report) html(w io.Writer) error {
	t, err := scorecard()
	if err != nil {
		return err
	}
	p := page{
		Report: r, Severities: severities, Headlines: r.headlines(), Sections: r.sections(),
		Trend: newTrend(append(append([]Run{}, r.History...), r.Run)),
	}
	for _, severity := range severities {
		p.add(title(string(severity)), r.bySeverity(severity))
	}
	p.add("Exempt", r.exempt())
	return t.Execute(w, p)
}

func (p *page) add(name string, found []Finding) {
	if len(found) == 0 {
		return
	}
	g := group{Name: name}
	for _, f := range found {
		known, _ := p.rule(f.Policy)
		g.Findings = append(g.Findings, shown{f, known})
	}
	p.Groups = append(p.Groups, g)
}
