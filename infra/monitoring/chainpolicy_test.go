package monitoring_test

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// texts is the policy language's list: a lone string or several.
type texts []string

func (l *texts) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(string(data), `"`) {
		*l = make(texts, 1)
		return json.Unmarshal(data, &(*l)[0])
	}
	return json.Unmarshal(data, (*[]string)(l))
}

type policyStatement struct {
	Effect    string
	Principal json.RawMessage
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts
}

// allowed says whether a resource's policy lets the sender do it: an Allow
// matches and no Deny does. The account's own principals are not asked about.
func allowed(t *testing.T, policy string, p publication, action, resource string) bool {
	t.Helper()
	require.NotEmpty(t, policy, "%s sends to something without a policy", p.sender)
	var doc struct{ Statement []policyStatement }
	require.NoError(t, json.Unmarshal([]byte(policy), &doc))
	yes := false
	for _, s := range doc.Statement {
		if !s.speaksOf(t, p.by) || !matchesAny(s.Action, action) || !matchesAny(s.Resource, resource) || !s.holds(t, p.keys) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		yes = true
	}
	return yes
}

func (s policyStatement) speaksOf(t *testing.T, service string) bool {
	t.Helper()
	if string(s.Principal) == `"*"` {
		return true
	}
	var who map[string]texts
	require.NoError(t, json.Unmarshal(s.Principal, &who))
	return slices.Contains(who["Service"], service) || slices.Contains(who["AWS"], "*")
}

// holds reads the operators that the policies use. What the sender does not
// say is missing, and a condition on it does not hold; everything is sent over
// TLS.
func (s policyStatement) holds(t *testing.T, keys map[string]string) bool {
	t.Helper()
	for operator, conditions := range s.Condition {
		for key, values := range conditions {
			got, told := keys[key]
			if key == "aws:SecureTransport" {
				got, told = "true", true
			}
			var ok bool
			switch operator {
			case "StringEquals", "Bool":
				ok = slices.Contains(values, got)
			case "ArnLike", "StringLike":
				ok = matchesAny(values, got)
			default:
				require.Fail(t, "operator "+operator+" is not in this reader; teach it")
			}
			if !told || !ok {
				return false
			}
		}
	}
	return true
}

func matchesAny(patterns []string, s string) bool {
	// "*" of a policy also matches the slash that path.Match stops at.
	flat := strings.NewReplacer("/", "\x00")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(flat.Replace(pattern), flat.Replace(s))
		return err == nil && ok
	})
}
