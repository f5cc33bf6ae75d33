package rehearsal

import (
	"context"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// defaultsKey lists, among a resource's inputs, those that the provider filled
// in. The engine hides it; policy packs see it, as with the real provider.
const defaultsKey = "__defaults"

func (p *provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	c, end, err := p.begin(opCheck, string(req.Type), string(req.URN))
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	defer end()
	if !knownType(string(req.Type)) {
		return plugin.CheckResponse{}, fmt.Errorf("rehearsal: unknown resource type %s in provider aws v%s; check the token", req.Type, Version)
	}
	in := cloneMap(req.News)
	delete(in, defaultsKey)
	filled := []string{}
	for name, literal := range c.kind.defaults {
		if _, set := in[resource.PropertyKey(name)]; !set {
			in[resource.PropertyKey(name)] = value(literal)
			filled = append(filled, name)
		}
	}
	if name, ok := autonameOf(c.kind.token); ok {
		named, err := name.apply(in, req)
		if err != nil {
			return plugin.CheckResponse{Properties: in, Failures: []plugin.CheckFailure{{Property: resource.PropertyKey(name.property), Reason: err.Error()}}}, nil
		}
		if named {
			filled = append(filled, name.property)
		}
	}
	if schemaOf(c.kind.token).taggable() {
		in["tagsAll"] = c.conf.tagsAll(in["tags"])
	}
	c.in = in
	slices.Sort(filled)
	names := make([]resource.PropertyValue, len(filled))
	for i, f := range filled {
		names[i] = resource.NewProperty(f)
	}
	in[defaultsKey] = resource.NewProperty(names)
	return plugin.CheckResponse{Properties: in, Failures: c.outOfLimits()}, nil
}

// autoname is the property that is made from the logical name where the program
// gives none.
type autoname struct {
	property string
	// max is the longest that AWS allows.
	max int
	// lower is for names without capitals.
	lower bool
	// prefix stands before the logical name.
	prefix string
	// separator stands between the logical name and the random end.
	separator string
}

// apply names the resource if the program did not. An old name that was made
// here is kept: the random end must not change with every preview.
func (n autoname) apply(in resource.PropertyMap, req plugin.CheckRequest) (bool, error) {
	property := resource.PropertyKey(n.property)
	if has(in, n.property) || has(in, n.property+"Prefix") {
		return false, nil
	}
	if old, ok := req.Olds[property]; ok && slices.Contains(stringsAt(req.Olds, defaultsKey+"[*]"), n.property) {
		in[property] = old
		return true, nil
	}
	if o := req.Autonaming; o != nil {
		switch o.Mode {
		case plugin.AutonamingModeDisabled:
			return false, fmt.Errorf("automatic naming is disabled, but the program gives no %s; set it", n.property)
		case plugin.AutonamingModeEnforce:
			in[property] = resource.NewProperty(o.ProposedName)
			return true, nil
		case plugin.AutonamingModePropose:
			in[property] = resource.NewProperty(n.cased(o.ProposedName))
			return true, nil
		}
	}
	const randomLength = 7
	name, err := resource.NewUniqueName(req.RandomSeed, n.cased(req.URN.Name())+n.separator, randomLength, n.max, nil)
	if err != nil {
		return false, fmt.Errorf("%w; give the resource a shorter logical name, or set %s", err, n.property)
	}
	in[property] = resource.NewProperty(name)
	return true, nil
}
