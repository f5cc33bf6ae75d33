package identity

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// findings collects what is wrong with a component's arguments, so that one
// run reports all of it.
type findings struct{ errs []error }

// add notes a finding as "field: why (fix)".
func (f *findings) add(field, why, fix string) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s (%s)", field, why, fix))
}

// wrap notes a finding that something else made, under the field.
func (f *findings) wrap(field string, err error) {
	if err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s: %w", field, err))
	}
}

func (f *findings) err() error { return errors.Join(f.errs...) }

var (
	namePrefix  = regexp.MustCompile(`^[a-z][a-z0-9-]{1,24}[a-z0-9]$`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
)

// prefix checks the start of physical names: roles, policies and pools stay
// within their 64 characters with what follows it.
func (f *findings) prefix(prefix string) {
	if !namePrefix.MatchString(prefix) {
		f.add("prefix", fmt.Sprintf("%q cannot start physical names", prefix), "3 to 26 of a-z, 0-9 and hyphens, for example redoubt-dev")
	}
}

// scope makes sure that policies can be composed from the scope.
func (f *findings) scope(scope Scope) {
	if scope.Partition == "" {
		f.add("scope.partition", "missing", "aws, aws-cn or aws-us-gov")
	}
	if scope.Region == "" {
		f.add("scope.region", "missing", "for example eu-central-1")
	}
	if !accountForm.MatchString(scope.AccountID) {
		f.add("scope.accountId", fmt.Sprintf("%q is no account", scope.AccountID), "twelve digits")
	}
}

// within checks a number against the range that AWS takes.
func (f *findings) within(field string, value, low, high int, fix string) {
	if value < low || value > high {
		f.add(field, fmt.Sprintf("%d is not from %d to %d", value, low, high), fix)
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

// managed are the options of a singleton's resource: a child that, where the
// stack is to keep it, neither a destroy nor a delete takes away.
func managed(parent pulumi.Resource, protect bool) []pulumi.ResourceOption {
	opts := []pulumi.ResourceOption{pulumi.Parent(parent)}
	if protect {
		opts = append(opts, pulumi.Protect(true), pulumi.RetainOnDelete(true))
	}
	return opts
}
