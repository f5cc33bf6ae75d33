package rehearsal

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

func (p *provider) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	c, end, err := p.begin(opCreate, string(req.Type), string(req.URN))
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	defer end()
	c.in = withoutMarks(cloneMap(req.Properties))
	if req.Preview {
		return plugin.CreateResponse{Properties: c.planned()}, nil
	}
	if req.Properties.ContainsUnknowns() {
		return plugin.CreateResponse{}, fmt.Errorf("rehearsal: creating %s: an input is not known; the engine must resolve it first", req.URN)
	}
	c.birth = c.acct.births[c.urn]
	if err := c.make(); err != nil {
		return plugin.CreateResponse{}, err
	}
	if err := errors.Join(c.refusals()...); err != nil {
		return plugin.CreateResponse{}, err
	}
	c.acct.births[c.urn]++
	c.overwrite()
	r := &record{key: c.key(), urn: c.urn, birth: c.birth, inputs: c.in, outputs: c.out}
	if err := c.acct.put(r); err != nil {
		return plugin.CreateResponse{}, err
	}
	return plugin.CreateResponse{ID: resource.ID(c.id), Properties: cloneMap(c.out)}, nil
}

// planned is the state that a preview of a creation shows: the inputs, the
// provider's defaults, and unknowns for all that AWS decides.
func (c *call) planned() resource.PropertyMap {
	out := cloneMap(c.in)
	unknown := func(name string) {
		if _, set := out[resource.PropertyKey(name)]; !set {
			out[resource.PropertyKey(name)] = resource.MakeComputed(resource.NewProperty(""))
		}
	}
	for name := range c.kind.computed {
		unknown(name)
	}
	s := schemaOf(c.kind.token)
	for name := range s.outputs {
		unknown(name)
	}
	for name, p := range s.inputs {
		if p.computed {
			unknown(name)
		}
	}
	return out
}

// make gives the resource in hand its id, its ARN and its outputs. Ids, ARNs and
// outputs may be made from each other, so that each gets a second chance.
func (c *call) make() error {
	c.out = cloneMap(c.in)
	arn := c.kind.arn
	if s := schemaOf(c.kind.token); arn == "" && c.kind.id != "{arn}" && (s.outputs["arn"].kind != 0 || s.inputs["arn"].computed) {
		arn = c.genericARN()
	}
	c.tabled()
	for range 2 {
		if c.id == "" {
			c.id = c.makeID()
		}
		if v, ok := c.expand(arn); ok && v != "" && !has(c.out, "arn") {
			c.out["arn"] = resource.NewProperty(v)
		}
		c.tabled()
	}
	if c.id == "" {
		return c.missingID()
	}
	c.compute()
	return nil
}

// missingID says why there is no id: a reference that names nothing, or an input
// that is not there.
func (c *call) missingID() error {
	if err := errors.Join(c.missing()...); err != nil {
		return err
	}
	return fmt.Errorf("rehearsal: %s has no id: %s needs properties that are not set; set them", c.urn, c.kind.id)
}

func (c *call) makeID() string {
	template := c.kind.id
	if template == "" {
		template = c.genericID()
	}
	if id, ok := c.expand(template); ok {
		return id
	}
	return ""
}

// compute fills in every output that is not there yet: from the table, then by
// the generic rules of the schema.
func (c *call) compute() {
	c.tabled()
	s := schemaOf(c.kind.token)
	for name, p := range s.outputs {
		c.generic(name, p)
	}
	for name, p := range s.inputs {
		if p.computed {
			c.generic(name, p)
		}
	}
}

// tabled fills in the table's outputs. Templates may build on each other, so that
// they are tried until nothing new comes of it.
func (c *call) tabled() {
	for again := true; again; {
		again = false
		for name, v := range c.kind.computed {
			if has(c.out, name) {
				continue
			}
			if made, ok := c.evaluate(v); ok {
				c.out[resource.PropertyKey(name)] = made
				again = true
			}
		}
	}
}

// evaluate makes a value of the tables real. It is false if a template needs
// what is not there, or a function has nothing to say.
func (c *call) evaluate(v any) (resource.PropertyValue, bool) {
	switch v := v.(type) {
	case string:
		s, ok := c.expand(v)
		return resource.NewProperty(s), ok
	case fresh:
		return c.evaluate((func(*call) any)(v))
	case func(*call) any:
		made := v(c)
		if made == nil {
			return resource.PropertyValue{}, false
		}
		return c.evaluate(made)
	case props:
		out := resource.PropertyMap{}
		for name, e := range v {
			made, ok := c.evaluate(e)
			if !ok {
				return resource.PropertyValue{}, false
			}
			out[resource.PropertyKey(name)] = made
		}
		return resource.NewProperty(out), true
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			made, ok := c.evaluate(e)
			if !ok {
				return resource.PropertyValue{}, false
			}
			out[i] = made
		}
		return resource.NewProperty(out), true
	}
	return value(v), true
}
