package rule

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Document reads the policy document at a path. The verdict is Passed with a
// document, Undetermined where the text is unknown or unreadable, and Skip where
// the property is not set.
func (r *Resource) Document(path string) (Document, Verdict) {
	return ReadDocument(r.Get(path))
}

// ReadDocument reads a policy document from a value: JSON text, or the object
// form that the provider accepts too.
func ReadDocument(v Value) (Document, Verdict) {
	switch {
	case v.Empty():
		return Document{}, Skip()
	case v.HasUnknown():
		return Document{}, Unsure("%s is unknown", v.Path())
	}
	text, isStr := v.Str()
	if !isStr {
		b, err := json.Marshal(v.v.Mappable())
		if err != nil {
			return Document{}, Unreadable("%s cannot be read as a policy document", v.Path())
		}
		text = string(b)
	}
	doc, err := documents.parse(text)
	if err != nil {
		return Document{}, Unreadable("%s is not a policy document: %v", v.Path(), err)
	}
	if v.Secret() {
		doc = doc.hidden()
	}
	return doc, Pass()
}

// hidden is the document as one of a secret value.
func (d Document) hidden() Document {
	d.Secret, d.Statements = true, slices.Clone(d.Statements)
	for i := range d.Statements {
		d.Statements[i].secret = true
	}
	return d
}

// Judge applies a check to every statement and joins the verdicts; a document
// without statements passes.
func (d Document) Judge(check func(Statement) Verdict) Verdict {
	out := Pass()
	for _, st := range d.Statements {
		out = All(out, check(st))
	}
	return out
}

// Label names the statement in a message: `statement 2 ("AllowLogs")`, without
// the Sid where the document is secret.
func (s Statement) Label() string {
	if s.Sid == "" || s.secret {
		return fmt.Sprintf("statement %d", s.Index+1)
	}
	return fmt.Sprintf("statement %d (%q)", s.Index+1, s.Sid)
}

// Quote returns a part of the statement for a message, and "[secret]" where the
// document is secret.
func (s Statement) Quote(part string) string {
	if s.secret {
		return "[secret]"
	}
	return strconv.Quote(part)
}

// Allows says that the statement's effect is Allow.
func (s Statement) Allows() bool { return s.Effect == "Allow" }

// Grants says that the statement covers the action, by wildcard or by NotAction.
func (s Statement) Grants(action string) bool {
	for _, p := range s.Actions {
		if WildcardMatch(strings.ToLower(p), strings.ToLower(action)) {
			return true
		}
	}
	if len(s.NotActions) == 0 {
		return false
	}
	for _, p := range s.NotActions {
		if WildcardMatch(strings.ToLower(p), strings.ToLower(action)) {
			return false
		}
	}
	return true
}

// AnyPrincipal says that the statement covers everybody, also without an
// account: "*", {"AWS": "*"}, or NotPrincipal.
func (s Statement) AnyPrincipal() bool {
	if len(s.NotPrincipals) > 0 {
		return true
	}
	for _, p := range s.Principals {
		if p.ID == "*" && (p.Type == "*" || p.Type == "AWS") {
			return true
		}
	}
	return false
}

// AnyResource says that the statement covers every resource.
func (s Statement) AnyResource() bool {
	for _, r := range s.Resources {
		if strings.Trim(r, "*") == "" {
			return true
		}
	}
	return false
}

// narrowing lists the condition keys that bind a wildcard principal to an
// organization, an account, a network or a calling resource.
var narrowing = map[string]bool{
	"aws:principalorgid": true, "aws:principalorgpaths": true, "aws:principalaccount": true,
	"aws:principalarn": true, "aws:sourcearn": true, "aws:sourceaccount": true,
	"aws:sourceorgid": true, "aws:sourceorgpaths": true, "aws:sourceowner": true, "aws:sourcevpc": true,
	"aws:sourcevpce": true, "aws:sourceip": true, "aws:vpcsourceip": true, "aws:userid": true,
	"aws:vpceaccount": true, "aws:vpceorgid": true, "aws:vpceorgpaths": true,
	"kms:calleraccount": true, "s3:dataaccesspointaccount": true,
}

// Narrowed says that a condition binds the statement's principals: a key of the
// narrowing set, compared positively, that a request cannot meet by not having
// the key, and whose every value says something.
func (s Statement) Narrowed() bool {
	for _, c := range s.Conditions {
		if narrowing[c.Key] && c.demands() {
			return true
		}
	}
	return false
}

// demands says that the condition is positive, that a request without the key
// does not meet it, and that every value of it says something.
func (c Condition) demands() bool {
	if c.IfExists || c.ForAll || len(c.Values) == 0 {
		return false
	}
	if op, known := operators[c.Operator]; !known || op.negated {
		return false
	}
	for _, v := range c.Values {
		if strings.Trim(v, "*") == "" || InternetWide(v) {
			return false
		}
	}
	return true
}

// Requires says that the statement has a positive condition on one of the keys,
// given in lower case, with * for any text.
func (s Statement) Requires(keys ...string) bool {
	for _, c := range s.Conditions {
		for _, k := range keys {
			if WildcardMatch(k, c.Key) && c.demands() {
				return true
			}
		}
	}
	return false
}

// WildcardMatch matches the way IAM does: * is any text, ? is one character,
// and there is no escape.
func WildcardMatch(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
