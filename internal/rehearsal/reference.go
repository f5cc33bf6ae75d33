package rehearsal

import (
	"fmt"
	"slices"
	"strings"
)

// ref says that the values at a path of a resource's properties refer to
// something.
type ref struct {
	path string
	to   *target
}

// target is what can be referred to: resources of these types, by id, ARN or
// one of their handles. A value that names nothing in the account is refused
// with the code and the message, a template over {value}.
type target struct {
	types         []string
	code, message string
	status        int
	// outside is true for values that need not be in this account: AWS's own,
	// or what the type's schema allows besides a reference.
	outside func(value string) bool
}

// refer gives refs from paths to one target.
func refer(to *target, paths ...string) []ref {
	out := make([]ref, len(paths))
	for i, p := range paths {
		out[i] = ref{p, to}
	}
	return out
}

// referred is the live resource that the first value at a path refers to, or
// nil: not known yet, outside the account, or not there.
func (c *call) referred(path string) *record {
	if all := c.referredAll(path); len(all) > 0 {
		return all[0]
	}
	return nil
}

// referredAll is every live resource that the values at a path refer to.
func (c *call) referredAll(path string) []*record {
	var out []*record
	for _, ref := range c.kind.refs {
		if ref.path != path && ref.path != path+"[*]" {
			continue
		}
		for _, v := range c.texts(ref.path) {
			if to, ok := c.acct.find(ref.to, c.conf.region, v); ok {
				out = append(out, c.acct.live[to])
			}
		}
	}
	return out
}

// missing is a refusal for every reference of the inputs to something that is not
// there. What AWS decided itself is not asked about.
func (c *call) missing() []error {
	var out []error
	for _, ref := range c.kind.refs {
		if ref.to.code == "" {
			continue
		}
		for _, v := range stringsAt(c.in, ref.path) {
			if c.elsewhere(v) || ref.to.outside != nil && ref.to.outside(v) {
				continue
			}
			if _, ok := c.acct.find(ref.to, c.conf.region, v); !ok {
				message := strings.ReplaceAll(ref.to.message, "{value}", v)
				out = append(out, c.refused(ref.to.code, ref.to.status, fmt.Sprintf("%s (property %s)", message, strings.ReplaceAll(ref.path, "[*]", "[]"))))
			}
		}
	}
	return out
}

// elsewhere is true for the ARN of another account, which nobody here can check.
func (c *call) elsewhere(value string) bool {
	parts := strings.SplitN(value, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[4] != "" && parts[4] != c.conf.account
}

// refsOf are those refs that a type has the properties for: for tables that a
// family of types shares.
func refsOf(token string, refs ...[]ref) []ref {
	var out []ref
	for _, r := range slices.Concat(refs...) {
		if _, ok := schemaOf(token).inputs[topProperty(r.path)]; ok {
			out = append(out, r)
		}
	}
	return out
}

// inputsOf are those names that a type has as inputs.
func inputsOf(token string, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		_, ok := schemaOf(token).inputs[name]
		return !ok
	})
}

// topProperty is the first property of a path of the tables.
func topProperty(path string) string {
	name, _, _ := strings.Cut(strings.ReplaceAll(path, "[*]", ""), ".")
	return name
}
