// Package filterpattern reads the filter patterns of CloudWatch Logs and says
// which JSON events they match, so that a metric filter can be tried on a sample
// event without an account.
//
// It follows the user guide's page "Filter pattern syntax for metric filters":
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
package filterpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pattern is a compiled filter pattern.
type Pattern struct {
	matches func(event map[string]any) bool
}

// Matches says whether the pattern matches an event. Its numbers are json.Number.
func (p *Pattern) Matches(event map[string]any) bool { return p.matches(event) }

// Compile reads a pattern of any of the three kinds: a JSON expression in
// braces, fields of a space-delimited line in brackets, or terms. Patterns with
// regular expressions are an error: which of them AWS takes is not documented
// well enough to promise an answer.
func Compile(text string) (*Pattern, error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "{"):
		return compileJSON(text)
	case strings.HasPrefix(text, "["):
		// It reads lines of fields, and a JSON event is not one.
		return &Pattern{func(map[string]any) bool { return false }}, nil
	default:
		return compileTerms(text)
	}
}

func compileJSON(text string) (*Pattern, error) {
	if !strings.HasSuffix(text, "}") {
		return nil, errors.New("the pattern does not end with }")
	}
	p := parser{rest: text[1 : len(text)-1]}
	match := p.either()
	if p.space(); p.err == nil && p.rest != "" {
		p.fail("&& or ||")
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Pattern{match}, nil
}

// compileTerms reads terms: all of them, or one of those with a question mark,
// and none of those with a minus must be in the event's text.
func compileTerms(text string) (*Pattern, error) {
	var all, some, none []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		list := &all
		switch text[0] {
		case '?':
			list, text = &some, text[1:]
		case '-':
			list, text = &none, text[1:]
		case '%':
			return nil, errors.New("the pattern is a regular expression, which is not read here")
		}
		term, rest, err := cutTerm(text)
		if err != nil {
			return nil, err
		}
		*list, text = append(*list, term), rest
	}
	return &Pattern{func(event map[string]any) bool {
		line, err := json.Marshal(event)
		has := func(term string) bool { return strings.Contains(string(line), term) }
		return err == nil && !slices.ContainsFunc(all, func(t string) bool { return !has(t) }) && !slices.ContainsFunc(none, has) && (len(some) == 0 || slices.ContainsFunc(some, has))
	}}, nil
}

func cutTerm(text string) (term, rest string, err error) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		term, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", fmt.Errorf("no closing quote after %q", quoted)
		}
		return term, rest, nil
	}
	term, rest, _ = strings.Cut(text, " ")
	return term, rest, nil
}
