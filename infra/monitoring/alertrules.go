package monitoring

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"redoubt/guide"
	"redoubt/internal/eventpattern"
)

//go:embed event-patterns.json
var eventPatterns []byte

// Source is a region, seen from the stack, in which AWS sends an event.
type Source string

// The sources.
const (
	// Home is the stack's own region.
	Home Source = "home"
	// Global is us-east-1, where the events of IAM, sign-in, cost and other
	// services without regions appear, since November 2021 nowhere else.
	Global Source = "us-east-1"
	// Replica is the region of the replicas.
	Replica Source = "replica"
)

// alertRule is a row of event-patterns.json: an event that somebody must hear
// of, and how it reads.
type alertRule struct {
	Name  string   `json:"name"`
	Level Level    `json:"level"`
	Where []Source `json:"where"`
	// Guide is the bullet that asks for the alert, if one does.
	Guide guide.ID `json:"guide"`
	// Shape says how the event reads; see shapes.
	Shape string `json:"shape"`
	Title string `json:"title"`
	// Deploys says that deployments do this all day, so that what the deploy
	// roles do is left out.
	Deploys bool `json:"deploys"`
	// State is the rule's, ENABLED if empty.
	State   string          `json:"state"`
	Pattern json.RawMessage `json:"pattern"`
}

// alertRules reads the table. It is part of the program, so an error in it is
// the program's, found by the tests.
func alertRules() ([]alertRule, error) {
	d := json.NewDecoder(bytes.NewReader(eventPatterns))
	d.DisallowUnknownFields()
	var rules []alertRule
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf("event-patterns.json: %w", err)
	}
	return rules, nil
}

// from says whether the event also appears in a source.
func (r alertRule) from(s Source) bool { return slices.Contains(r.Where, s) }

func (r alertRule) state() string {
	if r.State == "" {
		return "ENABLED"
	}
	return r.State
}

// eventPattern is the rule's pattern without what the deploy roles do.
//
// A role's calls carry the session's ARN, so the role itself is compared where
// CloudTrail names who issued the session. anything-but does not match a field
// that is missing: without the second alternative the changes of users and of
// the root user, who have no issuer, would go unseen.
func (r alertRule) eventPattern(deployRoles []string) (string, error) {
	var pattern map[string]any
	if err := json.Unmarshal(r.Pattern, &pattern); err != nil {
		return "", fmt.Errorf("rule %s: pattern: %w", r.Name, err)
	}
	if r.Deploys && len(deployRoles) > 0 {
		detail, ok := pattern["detail"].(map[string]any)
		if !ok {
			return "", fmt.Errorf("rule %s: a pattern without detail has no deploy role to leave out (remove deploys)", r.Name)
		}
		detail["userIdentity"] = map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{
			"arn": []any{map[string]any{"anything-but": deployRoles}, map[string]any{"exists": false}},
		}}}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(pattern); err != nil {
		return "", fmt.Errorf("rule %s: pattern: %w", r.Name, err)
	}
	out := bytes.TrimSpace(text.Bytes())
	if _, err := eventpattern.Compile(out); err != nil {
		return "", fmt.Errorf("rule %s: %w", r.Name, err)
	}
	return string(out), nil
}

// renderedRule is a rule with its pattern and sentence as AWS takes them.
type renderedRule struct {
	alertRule
	pattern, sentence string
	paths             map[string]string
}

// renderRules renders the rules that keep wants.
func renderRules(prefix string, deployRoles []string, keep func(alertRule) bool) ([]renderedRule, error) {
	rules, err := alertRules()
	if err != nil {
		return nil, err
	}
	var out []renderedRule
	var errs []error
	for _, r := range rules {
		if !keep(r) {
			continue
		}
		pattern, err := r.eventPattern(deployRoles)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		shape, known := shapes[r.Shape]
		if !known {
			errs = append(errs, fmt.Errorf("rule %s: shape %q is not in the table (see alertshapes.go)", r.Name, r.Shape))
			continue
		}
		out = append(out, renderedRule{alertRule: r, pattern: pattern, sentence: shape.sentence(r, prefix), paths: shape.inputPaths()})
	}
	return out, errors.Join(errs...)
}
