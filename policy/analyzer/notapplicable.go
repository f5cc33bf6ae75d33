package analyzer

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/proto"

	"redoubt/policy/rule"
)

// The engine takes each policy for passed that an answer about a resource does not
// name, and tells that resource by resource: a pack that names only what it found
// claims for every resource that it keeps all rules, of which it was asked none,
// and most of a preview's events are their names (pkg/v3 v3.259.0,
// resource/analyzer/policy_summary.go).

// unanswered names a rule that neither passed nor was broken: that does not apply,
// that values unknown yet will decide, or whose violation is exempt.
func unanswered(r rule.Rule, v rule.Verdict, found []plugin.AnalyzeDiagnostic) []plugin.PolicyNotApplicable {
	if v.Outcome == rule.Passed || len(found) > 0 {
		return nil
	}
	return []plugin.PolicyNotApplicable{{PolicyName: r.Name, Reason: v.Reason()}}
}

// elsewhere names for each type the rules that look at one resource, but at none of
// that type: most of them, in every answer, and so they are encoded once.
type elsewhere struct {
	mu      sync.Mutex
	encoded map[string]answers
}

// answers are encoded answers about a resource that have nothing but the list.
type answers struct{ analyze, remediate []byte }

// of returns the list for a type. Encoded fields that follow a message's own are more
// elements of the same list to who reads it.
func (e *elsewhere) of(a *Analyzer, token string) (answers, error) {
	typ := rule.Canonical(token)
	if len(a.checks[typ]) == 0 {
		typ = "" // one list for all types that no rule is about
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if out, known := e.encoded[typ]; known {
		return out, nil
	}
	var list []*pulumirpc.PolicyNotApplicable
	for i, r := range a.rules {
		if !r.IsJoin() && !slices.Contains(a.checks[typ], i) {
			list = append(list, &pulumirpc.PolicyNotApplicable{PolicyName: r.Name})
		}
	}
	analyze, failed := proto.Marshal(&pulumirpc.AnalyzeResponse{NotApplicable: list})
	remediate, err := proto.Marshal(&pulumirpc.RemediateResponse{NotApplicable: list})
	if err := errors.Join(failed, err); err != nil {
		return answers{}, fmt.Errorf("the rules about other types than %s cannot be sent: %w", token, err)
	}
	e.encoded[typ] = answers{analyze, remediate}
	return e.encoded[typ], nil
}
