package rule

import "strings"

// Request is a question to a statement: somebody asks AWS to do something.
type Request struct {
	// Action is one action by its name: "s3:GetObject".
	Action string
	// Resource is the ARN of one resource. A statement without resources, as in
	// a trust policy, covers every one.
	Resource string
	// Context holds the values of the request's condition keys, in lower case.
	// A key with an empty list is one that the request does not have.
	Context map[string][]string
	// AssumeMet answers for the keys that Context does not list: every condition
	// on them holds. Without it the request does not have them.
	AssumeMet bool
}

// Applies says that the statement, Allow or Deny, speaks about the request: its
// actions, resources and conditions all do. Who asks is not looked at.
func (s Statement) Applies(q Request) bool {
	return s.Grants(q.Action) && s.covers(q) && s.meets(q)
}

// Denies says that a statement of the document denies the request.
func (d Document) Denies(q Request) bool {
	for _, st := range d.Statements {
		if !st.Allows() && st.Applies(q) {
			return true
		}
	}
	return false
}

func (s Statement) covers(q Request) bool {
	if len(s.NotResources) > 0 {
		return !s.anyMatches(s.NotResources, q)
	}
	return len(s.Resources) == 0 || s.anyMatches(s.Resources, q)
}

func (s Statement) anyMatches(patterns []string, q Request) bool {
	for _, p := range patterns {
		if p, ok := s.expand(p, q); ok && WildcardMatch(p, literal.Replace(q.Resource)) {
			return true
		}
	}
	return false
}

func (s Statement) meets(q Request) bool {
	for _, c := range s.Conditions {
		values, listed := q.Context[c.Key]
		if !listed && q.AssumeMet {
			continue
		}
		patterns := make([]string, 0, len(c.Values))
		for _, v := range c.Values {
			if p, ok := s.expand(v, q); ok {
				patterns = append(patterns, p)
			}
		}
		if !c.met(patterns, values) {
			return false
		}
	}
	return true
}

// Wildcards in a request, and in what a policy variable stands for, are text.
// While a pattern is matched they are control characters, which no policy holds.
var literal = strings.NewReplacer("*", "\x01", "?", "\x02")

var escapes = map[string]string{"*": "\x01", "?": "\x02", "$": "$"}

// expand puts the request's values in the place of policy variables. ok is
// false where the request has no such value, so that the pattern matches
// nothing. Documents older than 2012-10-17 have no variables.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (s Statement) expand(pattern string, q Request) (expanded string, ok bool) {
	if !s.variables || !strings.Contains(pattern, "${") {
		return pattern, true
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "${")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			out.WriteString("${" + rest)
			return out.String(), true
		}
		value, known := variable(name, q)
		if !known {
			return "", false
		}
		out.WriteString(value)
		pattern = after
	}
}

// variable returns what "aws:username" or "aws:username, 'nobody'" stands for.
func variable(name string, q Request) (string, bool) {
	if e, ok := escapes[name]; ok {
		return e, true
	}
	key, fallback, hasFallback := strings.Cut(name, ",")
	if values := q.Context[strings.ToLower(strings.TrimSpace(key))]; len(values) == 1 {
		return literal.Replace(values[0]), true
	}
	return literal.Replace(strings.Trim(strings.TrimSpace(fallback), "'")), hasFallback
}
