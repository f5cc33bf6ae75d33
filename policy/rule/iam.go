package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Document is an IAM policy document, of an identity, a resource or a trust.
type Document struct {
	Version    string
	Statements []Statement
	// Secret says that the document came from a secret value: nothing of its
	// text may be printed.
	Secret bool
}

// Statement is one statement of a document, with every "string or list" as a list.
type Statement struct {
	// Index is the position in the document, from 0.
	Index  int
	Sid    string
	Effect string
	// Principals and NotPrincipals are nil in an identity policy.
	Principals, NotPrincipals []Principal
	Actions, NotActions       []string
	Resources, NotResources   []string
	Conditions                []Condition

	secret bool
	// variables says that ${…} is a policy variable: the document is of 2012.
	variables bool
}

// Principal is one principal: {"*", "*"}, {"AWS", "123456789012"},
// {"Service", "logs.amazonaws.com"}.
type Principal struct{ Type, ID string }

// Condition is one key of one operator of a statement's Condition block.
type Condition struct {
	// Operator is the operator without set prefix and IfExists, lower case:
	// "stringequals".
	Operator string
	// IfExists says that a request without the key meets the condition.
	IfExists bool
	// ForAll says "ForAllValues:", which a request without the key meets too, and
	// ForAny "ForAnyValue:", which it does not.
	ForAll, ForAny bool
	// Key is the condition key in lower case: "aws:securetransport".
	Key    string
	Values []string
}

// longest is more than AWS takes of any policy, in bytes; a search domain's may
// have 100 KiB, and most others less than 32.
const longest = 256 << 10

// ParseDocument reads a policy document. The error says which part is wrong.
func ParseDocument(text string) (Document, error) {
	if len(text) > longest {
		return Document{}, errors.New("it is longer than AWS takes of any policy")
	}
	var raw struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return Document{}, errors.New("it is not a JSON object with Version and Statement")
	}
	if len(raw.Statement) == 0 {
		return Document{}, errors.New("it has no Statement")
	}
	elements, err := oneOrMany(raw.Statement)
	if err != nil {
		return Document{}, errors.New("Statement is neither an object nor a list of objects")
	}
	doc := Document{Version: raw.Version}
	for i, e := range elements {
		st, err := parseStatement(i, e)
		if err != nil {
			return Document{}, fmt.Errorf("in Statement[%d]: %w", i, err)
		}
		st.variables = doc.Version == "2012-10-17"
		doc.Statements = append(doc.Statements, st)
	}
	return doc, nil
}

func parseStatement(i int, raw json.RawMessage) (Statement, error) {
	var w struct {
		Sid, Effect             string
		Principal, NotPrincipal json.RawMessage
		Action, NotAction       json.RawMessage
		Resource, NotResource   json.RawMessage
		Condition               map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return Statement{}, errors.New("it is not a statement object")
	}
	if w.Effect != "Allow" && w.Effect != "Deny" {
		return Statement{}, errors.New("its Effect must be Allow or Deny")
	}
	st := Statement{Index: i, Sid: w.Sid, Effect: w.Effect}
	var errs [6]error
	st.Actions, errs[0] = stringList("Action", w.Action)
	st.NotActions, errs[1] = stringList("NotAction", w.NotAction)
	st.Resources, errs[2] = stringList("Resource", w.Resource)
	st.NotResources, errs[3] = stringList("NotResource", w.NotResource)
	st.Principals, errs[4] = principals("Principal", w.Principal)
	st.NotPrincipals, errs[5] = principals("NotPrincipal", w.NotPrincipal)
	var err error
	st.Conditions, err = conditions(w.Condition)
	return st, errors.Join(errors.Join(errs[:]...), err)
}

func oneOrMany(raw json.RawMessage) ([]json.RawMessage, error) {
	var many []json.RawMessage
	if err := json.Unmarshal(raw, &many); err == nil {
		return many, nil
	}
	var one map[string]json.RawMessage
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil, err
	}
	return []json.RawMessage{raw}, nil
}

func stringList(field string, raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var one any
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil, fmt.Errorf("%s is not readable", field)
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case bool, float64: // condition values may be bare
			out = append(out, fmt.Sprint(e))
		default:
			return nil, fmt.Errorf("%s must be a string or a list of strings", field)
		}
	}
	return out, nil
}

func principals(field string, raw json.RawMessage) ([]Principal, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var star string
	if err := json.Unmarshal(raw, &star); err == nil {
		if star != "*" {
			return nil, fmt.Errorf("%s must be \"*\" or an object", field)
		}
		return []Principal{{"*", "*"}}, nil
	}
	var byType map[string]json.RawMessage
	if err := json.Unmarshal(raw, &byType); err != nil {
		return nil, fmt.Errorf("%s must be \"*\" or an object", field)
	}
	var out []Principal
	for _, t := range sortedKeys(byType) {
		ids, err := stringList(field+"."+t, byType[t])
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			out = append(out, Principal{t, id})
		}
	}
	return out, nil
}

func conditions(block map[string]map[string]json.RawMessage) ([]Condition, error) {
	var out []Condition
	for _, op := range sortedKeys(block) {
		for _, key := range sortedKeys(block[op]) {
			values, err := stringList("Condition."+op+"."+key, block[op][key])
			if err != nil {
				return nil, err
			}
			c := Condition{Operator: strings.ToLower(op), Key: strings.ToLower(key), Values: values}
			c.Operator, c.ForAll = strings.CutPrefix(c.Operator, "forallvalues:")
			c.Operator, c.ForAny = strings.CutPrefix(c.Operator, "foranyvalue:")
			c.Operator, c.IfExists = strings.CutSuffix(c.Operator, "ifexists")
			out = append(out, c)
		}
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
