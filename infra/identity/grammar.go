package identity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// The policy language as JSON. Field order is the order on the page.
type wireDocument struct {
	Version   string          `json:"Version"`
	Statement []wireStatement `json:"Statement"`
}

type wireStatement struct {
	Sid         string                          `json:"Sid,omitempty"`
	Effect      Effect                          `json:"Effect"`
	Principal   *wirePrincipal                  `json:"Principal,omitempty"`
	Action      oneOrMany                       `json:"Action,omitempty"`
	NotAction   oneOrMany                       `json:"NotAction,omitempty"`
	Resource    oneOrMany                       `json:"Resource,omitempty"`
	NotResource oneOrMany                       `json:"NotResource,omitempty"`
	Condition   map[string]map[string]oneOrMany `json:"Condition,omitempty"`
}

type wirePrincipal struct {
	AWS       oneOrMany `json:"AWS,omitempty"`
	Federated oneOrMany `json:"Federated,omitempty"`
	Service   oneOrMany `json:"Service,omitempty"`
	any       bool
}

func (p wirePrincipal) MarshalJSON() ([]byte, error) {
	if p.any {
		return []byte(`"*"`), nil
	}
	type plain wirePrincipal
	return marshalPlain(plain(p))
}

func (p *wirePrincipal) UnmarshalJSON(data []byte) error {
	if string(data) == `"*"` {
		p.any = true
		return nil
	}
	type plain wirePrincipal
	return json.Unmarshal(data, (*plain)(p))
}

// MarshalJSON writes the document in the policy language without judging it;
// JSON judges.
func (d Document) MarshalJSON() ([]byte, error) {
	doc := wireDocument{Version: policyVersion, Statement: make([]wireStatement, len(d))}
	for i, s := range d {
		doc.Statement[i] = s.wire()
	}
	return marshalPlain(doc)
}

// UnmarshalJSON reads a policy document of the current version. Conditions
// come back sorted by operator and key.
func (d *Document) UnmarshalJSON(data []byte) error {
	var doc wireDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("policy document: %w (compare with the IAM policy grammar)", err)
	}
	if doc.Version != policyVersion {
		return fmt.Errorf("policy document: Version %q is not %q (set it)", doc.Version, policyVersion)
	}
	*d = make(Document, len(doc.Statement))
	for i, w := range doc.Statement {
		(*d)[i] = w.statement()
	}
	return nil
}

func (s Statement) wire() wireStatement {
	w := wireStatement{
		Sid: s.Sid, Effect: s.Effect,
		Action: s.Actions, NotAction: s.NotActions,
		Resource: s.Resources, NotResource: s.NotResources,
	}
	if !s.Principals.empty() {
		w.Principal = &wirePrincipal{
			AWS: s.Principals.AWS, Federated: s.Principals.Federated,
			Service: s.Principals.Service, any: s.Principals.Any,
		}
	}
	for _, c := range s.Conditions {
		if w.Condition == nil {
			w.Condition = map[string]map[string]oneOrMany{}
		}
		if w.Condition[c.Test] == nil {
			w.Condition[c.Test] = map[string]oneOrMany{}
		}
		w.Condition[c.Test][c.Key] = append(w.Condition[c.Test][c.Key], c.Values...)
	}
	return w
}

func (w wireStatement) statement() Statement {
	s := Statement{
		Sid: w.Sid, Effect: w.Effect,
		Actions: w.Action, NotActions: w.NotAction,
		Resources: w.Resource, NotResources: w.NotResource,
	}
	if w.Principal != nil {
		s.Principals = Principals{
			Any: w.Principal.any, AWS: w.Principal.AWS,
			Service: w.Principal.Service, Federated: w.Principal.Federated,
		}
	}
	for _, test := range slices.Sorted(maps.Keys(w.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(w.Condition[test])) {
			s.Conditions = append(s.Conditions, Condition{test, key, w.Condition[test][key]})
		}
	}
	return s
}

func (p Principals) empty() bool {
	return !p.Any && len(p.AWS)+len(p.Service)+len(p.Federated) == 0
}
