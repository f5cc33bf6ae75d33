package monitoring

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// findings collects what is wrong with a component's arguments, so that one
// run reports all of it.
type findings struct{ errs []error }

// add notes a finding as "field: why (fix)".
func (f *findings) add(field, why, fix string) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s (%s)", field, why, fix))
}

// refuse notes a finding if something is wrong.
func (f *findings) refuse(wrong bool, field, why, fix string) {
	if wrong {
		f.add(field, why, fix)
	}
}

// required notes a finding if there is no value.
func (f *findings) required(field string, present bool, fix string) {
	f.refuse(!present, field, "missing", fix)
}

func (f *findings) err() error { return errors.Join(f.errs...) }

var (
	prefixForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{1,24}[a-z0-9]$`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
)

// place checks what every component has: the start of physical names, and
// where it lives.
func (f *findings) place(prefix string, scope identity.Scope) {
	f.refuse(!prefixForm.MatchString(prefix), "prefix", fmt.Sprintf("%q cannot start physical names", prefix),
		"3 to 26 of a-z 0-9 and hyphens, a letter first, for example redoubt-dev")
	f.scope(scope)
}

// scope makes sure that ARNs can be composed from it.
func (f *findings) scope(scope identity.Scope) {
	f.required("scope.partition", scope.Partition != "", "aws, aws-cn or aws-us-gov")
	f.required("scope.region", scope.Region != "", "for example eu-central-1")
	f.refuse(!accountForm.MatchString(scope.AccountID), "scope.accountId", fmt.Sprintf("%q is no account", scope.AccountID), "twelve digits")
}

// singleton checks what the stack does about an account's only one.
func (f *findings) singleton(field string, s singleton.Singleton) {
	if err := s.Validate(); err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s: %w", field, err))
	}
}

// retention checks a log group's period.
func (f *findings) retention(field string, days int) {
	f.refuse(!slices.Contains(RetentionDays, days), field,
		fmt.Sprintf("%d is not a period that CloudWatch Logs knows", days), fmt.Sprintf("use one of %v", RetentionDays))
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
