package identity

import (
	"fmt"
	"slices"
	"strings"
)

// checkGrants holds an Allow of an identity policy to least privilege.
func (s Statement) checkGrants(report reporter) {
	if s.Effect != Allow {
		return
	}
	if len(s.NotActions) > 0 {
		report("NotActions", "an Allow of everything else grows with every new AWS action", "list the actions")
	}
	if len(s.NotResources) > 0 {
		report("NotResources", "an Allow on everything else grows with every new resource", "list the resources")
	}
	for _, a := range s.Actions {
		if a == "*" {
			report("Actions", `"*" is every right in the account`, "list the actions")
		}
	}
	s.checkWildcardResources(report)
	s.checkPassRole(report)
}

func (s Statement) checkWildcardResources(report reporter) {
	for _, r := range s.Resources {
		switch breadth(r) {
		case everything:
			s.checkEverything(r, report)
		case everyOfType:
			if len(s.Conditions) == 0 {
				report("Resources", fmt.Sprintf("%q is every resource of its type", r),
					"name the resources by their prefix, or narrow them with a condition such as kms:ResourceAliases or aws:ResourceTag")
			}
		}
	}
}

func (s Statement) checkEverything(resource string, report reporter) {
	for _, a := range s.Actions {
		service, name, _ := strings.Cut(a, ":")
		switch {
		case a == "*":
			// Reported as an action already.
		case name == "*":
			report("Resources", fmt.Sprintf("%q on %q is every right over a whole service", a, resource),
				"list the actions and the resources")
		case !isUnscoped(a):
			report("Resources", fmt.Sprintf("%q on %q, though %s has resource-level permissions for it", a, resource, service),
				"name the resources; if the action has no resource type, add it to the table in unscoped.go with its source")
		}
	}
}

// checkPassRole wants a receiver for every role handed on: without one the
// carrier may give the role to a service that it controls and act as it.
func (s Statement) checkPassRole(report reporter) {
	passes := slices.ContainsFunc(s.Actions, func(a string) bool { return actionMatches(a, "iam:PassRole") })
	if passes && !s.conditioned("iam:PassedToService") {
		report("Conditions", "iam:PassRole without a receiving service", "add StringEquals iam:PassedToService")
	}
}

// How much a resource pattern covers.
const (
	named = iota
	everyOfType
	everything
)

// breadth reads how much an ARN pattern covers: everything for "*" and
// "arn:…:*", every resource of a type for "arn:…:key/*".
func breadth(resource string) int {
	if strings.Trim(resource, "*") == "" {
		return everything
	}
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 {
		return named
	}
	if strings.Trim(parts[5], "*") == "" {
		return everything
	}
	_, rest, typed := strings.Cut(parts[5], "/")
	if kind, after, colon := strings.Cut(parts[5], ":"); colon && !strings.Contains(kind, "/") {
		rest, typed = after, true
	}
	// S3's resource part is bucket/key: the bucket is the name already.
	if typed && parts[2] != "s3" && strings.Trim(rest, "*/:") == "" {
		return everyOfType
	}
	return named
}
