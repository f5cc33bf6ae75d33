package cedar

import (
	"slices"
	"time"

	"github.com/cedar-policy/cedar-go"

	"redoubt/automation/provision"
)

// Options of an authorizer. The zero value of each has a meaning.
type Options struct {
	// Folder has the administrator's own policies, *.cedar; empty for none.
	Folder string
	// WithoutSecondFactor leaves out the policy "second-factor": for an
	// installation without an identity provider, where nobody could have one.
	WithoutSecondFactor bool
	// Now is the time for bindings that expire; nil for time.Now.
	Now func() time.Time
}

// Authorizer is a provision.Authorizer; it is safe for concurrent use.
type Authorizer struct {
	policies *cedar.PolicySet
	now      func() time.Time
}

// New reads the policies. The error is a *provision.Error with everything that is
// wrong with the administrator's own, a line for each finding: file, line, what.
func New(o Options) (*Authorizer, error) {
	policies, err := load(o.Folder)
	if err != nil {
		return nil, err
	}
	if o.WithoutSecondFactor {
		policies.Remove(secondFactor)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Authorizer{policies: policies, now: o.Now}, nil
}

// Decide implements provision.Authorizer. The error is a mistake of the program:
// a principal without a kind, a stack without a project.
func (a *Authorizer) Decide(p provision.Principal, bindings []provision.Binding, action provision.Action, on provision.Resource) (provision.Decision, error) {
	d, err := a.decide(p, bindings, action, on)
	if err == nil && !d.Allowed && !p.MFA {
		p.MFA = true
		again, err := a.decide(p, bindings, action, on)
		d.NeedsMFA = err == nil && again.Allowed
	}
	return d, err
}

func (a *Authorizer) decide(p provision.Principal, bindings []provision.Binding, action provision.Action, on provision.Resource) (provision.Decision, error) {
	names, err := parts(on)
	if err != nil {
		return provision.Decision{}, err
	}
	now := a.now()
	entities, req, err := request(p, roles(p, bindings, names, now), action, on, names, now)
	if err != nil {
		return provision.Decision{}, err
	}
	answer, why := cedar.Authorize(a.policies, entities, req)
	d := provision.Decision{Allowed: answer == cedar.Allow}
	for _, r := range why.Reasons {
		d.Policies = append(d.Policies, string(r.PolicyID))
	}
	// Cedar skips a policy that fails, such as by an overflow. A forbid that fails
	// must not let through what it may be there to stop.
	for _, e := range why.Errors {
		if a.policies.Get(e.PolicyID).Effect() != cedar.Forbid {
			continue
		}
		if d.Allowed {
			d = provision.Decision{}
		}
		d.Policies = append(d.Policies, string(e.PolicyID))
	}
	slices.Sort(d.Policies)
	return d, nil
}
