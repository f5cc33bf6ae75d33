package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// policyVersion is the language version with policy variables; without it IAM
// reads the document as 2008-10-17 and takes "${aws:username}" literally.
const policyVersion = "2012-10-17"

// Effect is what a statement does with a request that matches it.
type Effect string

// The two effects of the policy language.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Principals is who a statement of a resource or trust policy speaks of. An
// identity policy leaves it empty.
type Principals struct {
	// Any is everyone, "*". An Allow for everyone needs a condition.
	Any bool
	// AWS are account roots, roles and users, as ARNs.
	AWS []string
	// Service are service principals, for example "ecs-tasks.amazonaws.com".
	Service []string
	// Federated are ARNs of identity providers.
	Federated []string
}

// Condition holds a request key to values. More than one value means any of
// them, more than one condition means all of them.
type Condition struct {
	// Test is the operator, for example "StringEquals" or "ArnLikeIfExists".
	Test string
	// Key is the request's key, for example "aws:SourceAccount".
	Key string
	// Values are compared with the key; at least one.
	Values []string
}

// Statement is one rule of a document. Either Actions or NotActions, and
// either Resources or NotResources (neither in a trust policy).
type Statement struct {
	Sid          string
	Effect       Effect
	Principals   Principals
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	Conditions   []Condition
}

// Document is a policy: its statements in order.
type Document []Statement

// JSON returns the document in the policy language, compact and the same for
// the same statements. The error joins every finding of the kind's rules, each
// "statement: field: why (fix)".
func (d Document) JSON(kind Kind) (string, error) {
	findings := d.check(kind)
	text, err := marshalPlain(d)
	if err != nil {
		return "", fmt.Errorf("policy document: %w (use plain strings)", err)
	}
	if limit := kinds[kind].limit; limit > 0 && Size(string(text)) > limit {
		findings = append(findings, fmt.Errorf(
			"document: %d characters without white space, %s holds %d (merge statements or split the policy)",
			Size(string(text)), kind, limit))
	}
	if len(findings) > 0 {
		return "", errors.Join(findings...)
	}
	return string(text), nil
}

// IdentityPolicy returns the document as a role's inline policy.
func (d Document) IdentityPolicy() (string, error) { return d.JSON(InlinePolicy) }

// ResourcePolicy returns the document as a resource's policy.
func (d Document) ResourcePolicy() (string, error) { return d.JSON(ResourcePolicy) }

// TrustPolicy returns the document as a role's trust policy.
func (d Document) TrustPolicy() (string, error) { return d.JSON(TrustPolicy) }

// Size returns the length that IAM counts against its limits: white space is
// free. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func Size(text string) int {
	n := 0
	for _, r := range text {
		if !strings.ContainsRune(" \t\r\n", r) {
			n++
		}
	}
	return n
}

// oneOrMany is the policy language's list: a lone string or an array.
type oneOrMany []string

func (l oneOrMany) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return marshalPlain(l[0])
	}
	return marshalPlain([]string(l))
}

func (l *oneOrMany) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		*l = make(oneOrMany, 1)
		return json.Unmarshal(data, &(*l)[0])
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// marshalPlain is json.Marshal without its HTML escapes, which would count six
// characters for one against IAM's size limits.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
