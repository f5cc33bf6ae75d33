package rehearsal

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

func (p *provider) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	c, end, err := p.begin(opUpdate, string(req.Type), string(req.URN))
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	defer end()
	c.id = string(req.ID)
	c.old = c.acct.live[c.key()]
	c.in = withoutMarks(cloneMap(req.NewInputs))
	if req.Preview {
		return plugin.UpdateResponse{Properties: c.merged(req.OldInputs, req.OldOutputs)}, nil
	}
	if c.old == nil {
		return plugin.UpdateResponse{}, c.refused("ResourceNotFoundException", 404,
			fmt.Sprintf("%s does not exist in the rehearsal account; run pulumi refresh to see what is gone", c.id))
	}
	c.keepIgnored(req.IgnoreChanges)
	c.birth = c.old.birth
	c.out = c.merged(c.old.inputs, c.old.outputs)
	c.refresh()
	c.compute()
	if err := errors.Join(c.refusals()...); err != nil {
		return plugin.UpdateResponse{}, err
	}
	r := &record{key: c.old.key, urn: c.urn, birth: c.birth, inputs: c.in, outputs: c.out}
	if err := c.acct.put(r); err != nil {
		return plugin.UpdateResponse{}, err
	}
	return plugin.UpdateResponse{Properties: cloneMap(c.out)}, nil
}

// merged is the old state with the inputs of the update: what was asked for
// before and is no longer is left out, what AWS decided stays.
func (c *call) merged(oldInputs, oldOutputs resource.PropertyMap) resource.PropertyMap {
	out := cloneMap(oldOutputs)
	for name := range oldInputs {
		if _, still := c.in[name]; !still {
			delete(out, name)
		}
	}
	for name, v := range c.in {
		out[name] = clone(v)
	}
	delete(out, defaultsKey)
	return out
}

// refresh drops the outputs that follow from the inputs, so that they are made
// anew.
func (c *call) refresh() {
	for name, v := range c.kind.computed {
		if _, follows := v.(fresh); follows && !has(c.in, name) {
			delete(c.out, resource.PropertyKey(name))
		}
	}
}

// keepIgnored puts the live values of ignored properties in place of those that
// the engine remembers, because whoever else manages them has the last word.
func (c *call) keepIgnored(ignore []string) {
	for _, path := range ignore {
		p, err := resource.ParsePropertyPath(path)
		if err != nil {
			continue
		}
		live, ok := p.Get(resource.NewProperty(c.old.inputs))
		if !ok {
			continue
		}
		top := resource.NewProperty(c.in)
		if !p.Set(top, clone(live)) {
			continue // the program dropped the parent: there is nothing to keep it in
		}
	}
}
