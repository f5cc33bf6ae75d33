package rule

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Account returns the account that the resource belongs to, and "" where that
// is not known: the only account that its provider may use, or the one in the
// ARN that the resource, or the boundary of it, has.
func (r *Resource) Account() string {
	if allowed := r.provided("allowedAccountIds"); len(allowed) == 1 {
		return allowed[0]
	}
	if arn, ok := r.Output("arn").Str(); ok && AccountOf(arn) != "" {
		return AccountOf(arn)
	}
	if !r.Is("iam/role", "iam/user") {
		return ""
	}
	arn, _ := r.Get("permissionsBoundary").Str()
	return AccountOf(arn)
}

// Accounts returns the accounts in which the stack is known to have resources:
// one resource may tell what another does not.
func (s *Stack) Accounts() []string {
	if s.accounts == nil {
		s.accounts = []string{}
		for _, r := range s.all {
			if account := r.Account(); account != "" {
				s.accounts = appendNew(s.accounts, []string{account})
			}
		}
	}
	return s.accounts
}

// Region returns the region of the resource's provider, "" where it is unknown.
func (r *Resource) Region() string {
	if regions := r.provided("region"); len(regions) == 1 {
		return regions[0]
	}
	return ""
}

// provided reads strings of the provider's inputs. The engine sends a
// provider's lists as JSON text.
func (r *Resource) provided(key string) []string {
	var out []string
	for _, v := range newValue(r.Provider[resource.PropertyKey(key)], key, false).Items() {
		s, ok := v.Str()
		if !ok {
			continue
		}
		var list []string
		if json.Unmarshal([]byte(s), &list) == nil {
			out = append(out, list...)
			continue
		}
		out = append(out, s)
	}
	return out
}
