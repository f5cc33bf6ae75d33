package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	r := &record{key: c.key(), urn: c.urn, inputs: c.in, outputs: c.out}
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

// make gives the resource in hand its id, its ARN and its outputs. The id and
// the ARN may be made from each other.
func (c *call) make() error {
	c.out = cloneMap(c.in)
	s := schemaOf(c.kind.token)
	arn := c.kind.arn
	if arn == "" && s.outputs["arn"].kind != 0 && c.kind.id != "{arn}" {
		arn = c.genericARN()
	}
	for _, step := range []func(){
		func() {
			if c.kind.id != "" && c.id == "" && !strings.Contains(c.kind.id, "{arn}") {
				c.id, _ = c.expand(c.kind.id)
			}
		},
		func() {
			if arn != "" {
				if v, ok := c.expand(arn); ok || c.kind.id == "{arn}" {
					c.out["arn"] = resource.NewProperty(v)
				}
			}
		},
		func() {
			if c.id == "" {
				c.id = c.makeID()
			}
		},
	} {
		step()
	}
	if c.id == "" {
		return fmt.Errorf("rehearsal: %s has no id: the table's template %q needs a property that is not set", c.urn, c.kind.id)
	}
	if arn != "" && s.outputs["arn"].kind != 0 {
		v, _ := c.expand(arn)
		c.out["arn"] = resource.NewProperty(v)
	}
	c.compute()
	return nil
}

func (c *call) makeID() string {
	template := c.kind.id
	if template == "" {
		template = c.genericID()
	}
	id, _ := c.expand(template)
	return id
}

// compute fills in every output that is not there yet: from the table, then by
// the generic rules of the schema. Templates may build on each other, so that
// the table's are tried until nothing new comes of it.
func (c *call) compute() {
	pending := len(c.kind.computed) + 1
	for left := pending - 1; left < pending; {
		pending = left
		left = 0
		for name, v := range c.kind.computed {
			if has(c.out, name) {
				continue
			}
			if made, ok := c.evaluate(v); ok {
				c.out[resource.PropertyKey(name)] = made
			} else {
				left++
			}
		}
	}
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

// evaluate makes a value of the tables real. It is false if a template needs
// what is not there, or a function has nothing to say.
func (c *call) evaluate(v any) (resource.PropertyValue, bool) {
	switch v := v.(type) {
	case string:
		s, ok := c.expand(v)
		return resource.NewProperty(s), ok
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
