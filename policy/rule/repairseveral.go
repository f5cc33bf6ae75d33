package rule

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Repair is what Rule.Remediate does.
type Repair = func(*Resource, Params) (resource.PropertyMap, bool)

// InTurn makes several repairs, each on what the one before left, and refuses
// where one of them does.
func InTurn(repairs ...Repair) Repair {
	return func(r *Resource, p Params) (resource.PropertyMap, bool) {
		now := *r
		for _, repair := range repairs {
			inputs, ok := repair(&now, p)
			if !ok {
				return nil, false
			}
			now.Inputs = inputs
		}
		return now.Inputs, true
	}
}

// Where makes a repair where the check fails, and leaves the inputs as they are
// where it does not.
func Where(check func(*Resource, Params) Verdict, repair Repair) Repair {
	return func(r *Resource, p Params) (resource.PropertyMap, bool) {
		if check(r, p).Outcome != Failed {
			return r.Inputs, true
		}
		return repair(r, p)
	}
}
