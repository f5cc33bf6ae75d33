// Package rule says what a policy rule is, and gives a rule what it needs to
// decide: a three-valued view of a resource's properties, the graph of the
// stack for joins, the meaning of IAM documents, the effective rules of a
// security group and the reach of a subnet's routes.
package rule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
)

// Severity says how bad a violation is, in the words of the field.
type Severity = apitype.PolicySeverity

// The severities, from the least to the worst.
const (
	Low      = apitype.PolicySeverityLow
	Medium   = apitype.PolicySeverityMedium
	High     = apitype.PolicySeverityHigh
	Critical = apitype.PolicySeverityCritical
)

// Level says what a violation does to an operation.
type Level = apitype.EnforcementLevel

// The levels. Remediate changes the resource where the rule can, and is
// mandatory where it cannot.
const (
	Mandatory = apitype.Mandatory
	Advisory  = apitype.Advisory
	Disabled  = apitype.Disabled
	Remediate = apitype.Remediate
)

// Framework names a published set of controls.
type Framework string

// The frameworks that rules are mapped to.
const (
	// FSBP is AWS Security Hub's Foundational Security Best Practices standard.
	FSBP Framework = "FSBP"
	// CIS is the CIS AWS Foundations Benchmark v5.0.
	CIS Framework = "CIS"
	// NIST is NIST SP 800-53 revision 5.
	NIST Framework = "NIST"
	// PCI is PCI DSS v4.0.
	PCI Framework = "PCI"
)

// Control is one control of a framework, for example {FSBP, "KMS.4"}.
type Control struct {
	Framework Framework
	ID        string
}

// Controls lists ids of one framework.
func Controls(f Framework, ids ...string) []Control {
	out := make([]Control, len(ids))
	for i, id := range ids {
		out[i] = Control{f, id}
	}
	return out
}

// Rule is one rule of the catalogue. It is a value: everything that the
// analyzer, the reports and the documentation say about the rule is here.
type Rule struct {
	// Name is the policy's name: kebab-case, unique in a pack, never reused.
	Name string
	// Summary is one sentence that says what must hold.
	Summary string
	// Guide lists the bullets of the Security Guide that the rule enforces.
	Guide []guide.ID
	// Severity is how bad a violation is.
	Severity Severity
	// Controls maps the rule to published frameworks.
	Controls []Control
	// Types lists the resource types that the rule judges, as short tokens
	// ("kms/key" for aws:kms/key:Key) or full ones. Each resource of these types
	// gets one verdict.
	Types []string
	// Level is the enforcement level without configuration.
	Level Level
	// Params are the rule's settings.
	Params []Param
	// Check decides on one resource by its inputs. Exactly one of Check and
	// CheckStack is set.
	Check func(r *Resource, p Params) Verdict
	// CheckStack decides on one resource by its place in the stack.
	CheckStack func(s *Stack, r *Resource, p Params) Verdict
	// Fix is what to write in a Go program, for example
	// "kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}".
	Fix string
	// URL is the page that explains the requirement.
	URL string
	// Remediate returns the resource's inputs with the violation repaired, and
	// false where that cannot be done safely. It is called only for a resource
	// that Check fails, at level Remediate. Nil where there is no safe repair.
	Remediate func(r *Resource, p Params) (resource.PropertyMap, bool)
}

// IsJoin says that the rule needs the whole stack.
func (r Rule) IsJoin() bool { return r.CheckStack != nil }

var kebab = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Validate reports everything that makes the rule unfit for a pack.
func (r Rule) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("rule %q: "+format, append([]any{r.Name}, args...)...))
	}
	if !kebab.MatchString(r.Name) {
		bad("Name must be kebab-case")
	}
	if r.Summary == "" || r.Fix == "" || r.URL == "" {
		bad("Summary, Fix and URL must be set")
	}
	if len(r.Types) == 0 {
		bad("Types must name at least one resource type")
	}
	if (r.Check == nil) == (r.CheckStack == nil) {
		bad("exactly one of Check and CheckStack must be set")
	}
	if r.Remediate != nil && r.Check == nil {
		bad("Remediate needs Check: the engine cannot remediate stack rules")
	}
	if !slices.Contains([]Severity{Low, Medium, High, Critical}, r.Severity) {
		bad("Severity %q is not one of low, medium, high, critical", r.Severity)
	}
	if !slices.Contains([]Level{Mandatory, Advisory, Disabled}, r.Level) {
		bad("Level %q is not one of mandatory, advisory, disabled", r.Level)
	}
	for _, id := range r.Guide {
		if _, ok := guide.Lookup(id); !ok {
			bad("Guide names %q, which is no bullet of the guide", id)
		}
	}
	for _, p := range r.Params {
		if err := p.validate(); err != nil {
			bad("parameter %q: %w", p.Name, err)
		}
	}
	return errors.Join(errs...)
}
