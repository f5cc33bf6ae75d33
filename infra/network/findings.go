package network

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// findings collects what is wrong with a component's arguments, so that one
// run reports all of it.
type findings struct{ errs []error }

// add notes a finding as "field: why (fix)".
func (f *findings) add(field, why, fix string) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s (%s)", field, why, fix))
}

// required notes a finding if there is no value.
func (f *findings) required(field string, present bool, fix string) {
	if !present {
		f.add(field, "missing", fix)
	}
}

func (f *findings) err() error { return errors.Join(f.errs...) }

var namePrefix = regexp.MustCompile(`^[a-z][a-z0-9-]{1,24}[a-z0-9]$`)

// prefix checks the start of physical names. The longest name made from it is
// a target group's: 32 characters with "-65535". AWS refuses load balancer
// names that start with "internal-".
func (f *findings) prefix(prefix string) {
	if !namePrefix.MatchString(prefix) || strings.Contains(prefix, "--") {
		f.add("prefix", fmt.Sprintf("%q cannot start physical names", prefix), "3 to 26 of a-z 0-9 and single hyphens, for example redoubt-dev")
	}
	if strings.HasPrefix(prefix, "internal-") {
		f.add("prefix", "AWS reserves load balancer names that start with internal-", "choose another prefix")
	}
}

// tagged returns the tags with the Name that the AWS console shows.
func tagged(tags map[string]string, name string) pulumi.StringMap {
	out := pulumi.StringMap{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out[key] = pulumi.String(tags[key])
	}
	out["Name"] = pulumi.String(name)
	return out
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// checkScope makes sure that policies can be composed from the scope.
func checkScope(f *findings, scope identity.Scope) {
	f.required("scope.partition", scope.Partition != "", "aws, aws-cn or aws-us-gov")
	f.required("scope.region", scope.Region != "", "for example eu-central-1")
	if !accountID.MatchString(scope.AccountID) {
		f.add("scope.accountId", fmt.Sprintf("%q is no account", scope.AccountID), "twelve digits")
	}
}
