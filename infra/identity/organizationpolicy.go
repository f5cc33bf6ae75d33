package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// The types of policies, as Organizations names them.
const (
	scpType = "SERVICE_CONTROL_POLICY"
	rcpType = "RESOURCE_CONTROL_POLICY"
)

// maxPolicies is how many policies of one type a target holds.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const maxPolicies = 5

// organizationPolicy is a policy ready to be made.
type organizationPolicy struct{ key, description, typ, content string }

var (
	organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	targetForm       = regexp.MustCompile(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|\d{12})$`)
	regionForm       = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	custodianForm    = regexp.MustCompile(`^arn:[^:]+:iam::(\*|\d{12}):role/[\w+=,.@/*-]*[\w+=,.@-][\w+=,.@/*-]*$`)
)

// render returns the policies in the table's order, the perimeter last.
func (args *OrganizationArgs) render() ([]organizationPolicy, error) {
	if args == nil {
		return nil, errors.New("args: nil (pass &identity.OrganizationArgs{…})")
	}
	f := args.check()
	var policies []organizationPolicy
	for _, g := range guardrails {
		if !args.wants(g.name) {
			continue
		}
		content, err := g.policy(args).JSON(ServiceControlPolicy)
		f.wrap(string(g.name), err)
		policies = append(policies, organizationPolicy{string(g.name), g.description, scpType, content})
	}
	if args.Perimeter {
		doc := args.perimeter()
		content, err := doc.JSON(ResourceControlPolicy)
		f.wrap("perimeter", err)
		policies = append(policies, organizationPolicy{"perimeter", "Resources answer the organization only", rcpType, content})
	}
	elsewhere := max(args.Attached, 1)
	for _, typ := range args.types() {
		own := 0
		for _, p := range policies {
			if p.typ == typ {
				own++
			}
		}
		if own+elsewhere > maxPolicies {
			f.add("targets", fmt.Sprintf("%d policies of type %s each, with %d from elsewhere; a target holds %d", own+elsewhere, typ, elsewhere, maxPolicies),
				"name fewer guardrails, or detach others")
		}
	}
	return policies, f.err()
}

func (args *OrganizationArgs) wants(g Guardrail) bool {
	return len(args.Guardrails) == 0 || slices.Contains(args.Guardrails, g)
}

// types are the policy types that the arguments ask for.
func (args *OrganizationArgs) types() []string {
	if args.Perimeter {
		return []string{scpType, rcpType}
	}
	return []string{scpType}
}

func (args *OrganizationArgs) check() *findings {
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	f.wrap("rootAccess", args.RootAccess.Validate())
	if !args.Management {
		f.add("management", "false: only the management account makes the organization's policies", "leave the component out elsewhere, or set it there")
	}
	if !organizationForm.MatchString(args.OrgID) {
		f.add("orgId", fmt.Sprintf("%q", args.OrgID), "o- and 10 to 32 lower-case letters and digits")
	}
	if len(args.Targets) == 0 {
		f.add("targets", "empty: the policies would hold nowhere", "name a root, unit or account")
	}
	f.each("targets", args.Targets, targetForm, "r-…, ou-…-… or an account's twelve digits")
	f.each("allowedRegions", args.AllowedRegions, regionForm, "for example eu-central-1")
	f.each("trustedAccounts", args.TrustedAccounts, accountForm, "twelve digits")
	f.each("custodians", args.Custodians, custodianForm, "arn:<partition>:iam::<account or *>:role/<name>, not every role")
	for i, g := range args.Guardrails {
		if !slices.ContainsFunc(guardrails, func(row guardrail) bool { return row.name == g }) {
			f.add(fmt.Sprintf("guardrails[%d]", i), fmt.Sprintf("%q is not one", g), "use an identity.Guardrail… constant")
		}
	}
	if args.wants(GuardrailRegions) && !slices.Contains(args.AllowedRegions, args.Scope.Region) {
		f.add("allowedRegions", fmt.Sprintf("%q is not among them, so the stacks' own region would be denied", args.Scope.Region), "add it")
	}
	return f
}

// each checks every string of a list, and that none is there twice.
func (f *findings) each(field string, values []string, form *regexp.Regexp, fix string) {
	for i, v := range values {
		if !form.MatchString(v) {
			f.add(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q does not fit", v), fix)
		}
		if slices.Index(values, v) != i {
			f.add(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q twice", v), "name it once")
		}
	}
}
