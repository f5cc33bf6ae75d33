package speed

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/policy/fixture"
)

// declared is a resource of whatever type, and its outputs that others point at.
type declared struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput `pulumi:"arn"`
}

// declares is the program that declares the case's resources.
func declares(c fixture.Case) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		d := declaration{ctx: ctx, byName: map[string]fixture.Resource{}, made: map[string]*declared{}}
		for _, r := range c.Resources {
			d.byName[r.Name] = r
		}
		for _, r := range c.Resources {
			if _, err := d.declare(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// declaration declares a resource after those that it points at.
type declaration struct {
	ctx    *pulumi.Context
	byName map[string]fixture.Resource
	made   map[string]*declared
}

func (d declaration) declare(r fixture.Resource) (*declared, error) {
	if res, done := d.made[r.Name]; done {
		return res, nil
	}
	res := &declared{}
	d.made[r.Name] = nil // what points back at it meanwhile goes without it
	inputs := pulumi.Map{}
	for key, v := range r.Properties {
		in, err := d.input(v)
		if err != nil {
			return nil, err
		}
		inputs[key] = in
	}
	if !strings.HasPrefix(r.Type, "aws:") {
		d.made[r.Name] = res
		return res, d.ctx.RegisterComponentResource(r.Type, r.Name, &pulumi.ResourceState{})
	}
	err := d.ctx.RegisterResource(r.Type, r.Name, inputs, res, pulumi.Protect(r.Options.Protect), pulumi.IgnoreChanges(r.Options.IgnoreChanges))
	d.made[r.Name] = res
	return res, err
}

func (d declaration) input(v any) (pulumi.Input, error) {
	switch v := v.(type) {
	case []any:
		out := pulumi.Array{}
		for _, e := range v {
			in, err := d.input(e)
			if err != nil {
				return nil, err
			}
			out = append(out, in)
		}
		return out, nil
	case m:
		if to, isRef := v["$ref"].(string); isRef {
			return d.output(to)
		}
		out := pulumi.Map{}
		for key, e := range v {
			in, err := d.input(e)
			if err != nil {
				return nil, err
			}
			out[key] = in
		}
		return out, nil
	default:
		return pulumi.ToOutput(v), nil
	}
}

// output is the property of another resource that a reference names.
func (d declaration) output(to string) (pulumi.Input, error) {
	name, property, _ := strings.Cut(to, ".")
	res, err := d.declare(d.byName[name])
	switch {
	case err != nil:
		return nil, err
	case res == nil:
		return pulumi.String(name), nil
	case property == "arn":
		return res.Arn, nil
	default:
		return res.ID(), nil
	}
}
