package rehearsal

import (
	"encoding/json"
	"fmt"
	"slices"
)

// notJSON says what is wrong with text that must be JSON.
func notJSON(s string) string {
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return fmt.Sprintf("contains an invalid JSON: %v", err)
	}
	return ""
}

// document is an IAM policy document, as far as the account judges it.
type document struct {
	Version   string
	Statement []statement
}

// statement is one statement. Everything that may be one text or many is a list.
type statement struct {
	Sid, Effect             string
	Action, NotAction       []string
	Resource, NotResource   []string
	Principal, NotPrincipal map[string][]string
	Condition               map[string]map[string][]string
}

// parsePolicy reads a policy document by IAM's grammar.
func parsePolicy(text string) (document, error) {
	var raw struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return document{}, fmt.Errorf("the policy is not valid JSON: %w", err)
	}
	if raw.Version != "2012-10-17" && raw.Version != "2008-10-17" {
		return document{}, fmt.Errorf("the policy's Version must be 2012-10-17 (or 2008-10-17), not %q", raw.Version)
	}
	if len(raw.Statement) == 0 {
		return document{}, fmt.Errorf("the policy has no Statement")
	}
	var many []rawStatement
	if err := json.Unmarshal(raw.Statement, &many); err != nil {
		var one rawStatement
		if err := json.Unmarshal(raw.Statement, &one); err != nil {
			return document{}, fmt.Errorf("the policy's Statement is neither a statement nor a list of them: %w", err)
		}
		many = []rawStatement{one}
	}
	d := document{Version: raw.Version}
	sids := map[string]bool{}
	for i, r := range many {
		s, err := r.statement()
		if err != nil {
			return document{}, fmt.Errorf("statement %d: %w", i, err)
		}
		if s.Sid != "" && sids[s.Sid] {
			return document{}, fmt.Errorf("statement %d: Statement IDs (SID) in a single policy must be unique; %q is there twice", i, s.Sid)
		}
		sids[s.Sid] = true
		d.Statement = append(d.Statement, s)
	}
	return d, nil
}

type rawStatement struct {
	Sid, Effect             string
	Action, NotAction       oneOrMany
	Resource, NotResource   oneOrMany
	Principal, NotPrincipal principals
	Condition               map[string]map[string]oneOrMany
}

func (r rawStatement) statement() (statement, error) {
	if r.Effect != "Allow" && r.Effect != "Deny" {
		return statement{}, fmt.Errorf("the Effect must be Allow or Deny, not %q", r.Effect)
	}
	if len(r.Action) == 0 && len(r.NotAction) == 0 {
		return statement{}, fmt.Errorf("it has neither Action nor NotAction")
	}
	s := statement{
		Sid: r.Sid, Effect: r.Effect, Action: r.Action, NotAction: r.NotAction,
		Resource: r.Resource, NotResource: r.NotResource, Principal: r.Principal, NotPrincipal: r.NotPrincipal,
		Condition: map[string]map[string][]string{},
	}
	for operator, keys := range r.Condition {
		s.Condition[operator] = map[string][]string{}
		for k, v := range keys {
			s.Condition[operator][k] = v
		}
	}
	return s, nil
}

// oneOrMany is text, or a list of text; numbers and booleans are taken as text.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	many, ok := v.([]any)
	if !ok {
		many = []any{v}
	}
	*o = make([]string, 0, len(many))
	for _, one := range many {
		switch one.(type) {
		case string, bool, float64:
			*o = append(*o, fmt.Sprint(one))
		default:
			return fmt.Errorf("expected text, got %v", one)
		}
	}
	return nil
}

// principals are who a statement is about, by kind; "*" is AWS's short form.
type principals map[string][]string

func (p *principals) UnmarshalJSON(text []byte) error {
	var everybody string
	if json.Unmarshal(text, &everybody) == nil {
		*p = principals{"AWS": {everybody}}
		return nil
	}
	var by map[string]oneOrMany
	if err := json.Unmarshal(text, &by); err != nil {
		return err
	}
	*p = principals{}
	for kind, who := range by {
		(*p)[kind] = who
	}
	return nil
}

// allows is true if a statement allows one of the actions to a principal that
// fits. Conditions are left aside.
func (d document) allows(fits func(kind, who string) bool, actions ...string) bool {
	for _, s := range d.Statement {
		if s.Effect == "Allow" && s.about(fits) && slices.ContainsFunc(actions, s.covers) {
			return true
		}
	}
	return false
}

func (s statement) about(fits func(kind, who string) bool) bool {
	for kind, who := range s.Principal {
		for _, one := range who {
			if fits(kind, one) {
				return true
			}
		}
	}
	return false
}

// covers is true if the statement's actions include one.
func (s statement) covers(action string) bool {
	return slices.ContainsFunc(s.Action, func(pattern string) bool { return like(pattern, action) })
}
