package blueprint

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ErrNotHere says that the stack has nothing that the mistake could be made on.
var ErrNotHere = errors.New("the stack has nothing of the kind")

// Planting is a set of mistakes on their way into one run of a program.
type Planting struct {
	Mistakes []Mistake

	mu sync.Mutex
	// planted counts the resources that a target was found as.
	planted map[Target]int
	// errs says why a change could not be made.
	errs map[Target]error
	// known are the program's resources that values are taken of.
	known map[Target]pulumi.Resource
	// primary is the provider of the stack's own account and region.
	primary pulumi.ProviderResource
}

// NewPlanting makes a planting of the mistakes.
func NewPlanting(mistakes []Mistake) *Planting {
	return &Planting{
		Mistakes: mistakes,
		planted:  map[Target]int{}, errs: map[Target]error{}, known: map[Target]pulumi.Resource{},
	}
}

// Planted says what is wrong with how the mistake was planted: an error where
// the stack has no such resource or no such property (ErrNotHere), or more than one.
func (p *Planting) Planted(m Mistake) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range m.Changes() {
		switch n := p.planted[c.On]; {
		case p.errs[c.On] != nil:
			return p.errs[c.On]
		case n == 0:
			return fmt.Errorf("%w: %s", ErrNotHere, c.On)
		case n > 1:
			return fmt.Errorf("%s names %d resources of the stack", c.On, n)
		}
	}
	return nil
}

// Run runs the program with the mistakes in it.
func (p *Planting) Run(run pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if len(p.Mistakes) == 0 {
			return run(ctx)
		}
		if err := ctx.RegisterStackTransformation(p.remember); err != nil {
			return err
		}
		if err := ctx.RegisterResourceTransform(p.set); err != nil {
			return err
		}
		if err := run(ctx); err != nil {
			return err
		}
		return p.add(ctx)
	}
}

// remember keeps the resources that added ones need.
func (p *Planting) remember(in *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	p.mu.Lock()
	defer p.mu.Unlock()
	if provider, ok := in.Resource.(*aws.Provider); ok && in.Name == "primary" {
		p.primary = provider
	}
	for _, c := range p.changes() {
		for _, value := range c.Add {
			if of, ok := value.(Of); ok && of.Matches(in.Type, in.Name) {
				p.known[of.Target] = in.Resource
			}
		}
	}
	return nil
}

func (p *Planting) changes() []Change {
	var out []Change
	for _, m := range p.Mistakes {
		out = append(out, m.Changes()...)
	}
	return out
}

// set changes the resources that the mistakes name. It is the engine that asks,
// so that a change is data for every resource, whatever Go type it has.
func (p *Planting) set(_ context.Context, in *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	p.mu.Lock()
	defer p.mu.Unlock()
	props, opts, found, changed := in.Props, in.Opts, map[Target]bool{}, false
	for _, c := range p.changes() {
		if c.Add != nil || !c.On.Matches(in.Type, in.Name) {
			continue
		}
		found[c.On] = true
		edited, err := edit(props, c.Set)
		if err != nil {
			p.errs[c.On] = fmt.Errorf("%s: %w", c.On, err)
			continue
		}
		props, changed = edited, true
		opts.IgnoreChanges = append(opts.IgnoreChanges, c.Ignore...)
	}
	for target := range found {
		p.planted[target]++
	}
	if !changed {
		return nil
	}
	return &pulumi.ResourceTransformResult{Props: props, Opts: opts}
}

// add registers the resources that are too many.
func (p *Planting) add(ctx *pulumi.Context) error {
	for _, c := range p.changes() {
		if c.Add == nil {
			continue
		}
		props, err := p.inputs(c)
		if errors.Is(err, ErrNotHere) {
			continue // Planted says it
		}
		if err != nil {
			return err
		}
		var opts []pulumi.ResourceOption
		if p.primary != nil {
			opts = append(opts, pulumi.Provider(p.primary))
		}
		var added pulumi.CustomResourceState
		if err := ctx.RegisterResource(c.On.Token(), c.On.Name, props, &added, opts...); err != nil {
			return fmt.Errorf("adding %s: %w", c.On, err)
		}
		p.mu.Lock()
		p.planted[c.On]++
		p.mu.Unlock()
	}
	return nil
}

// inputs are the inputs of an added resource, with the values of others in them.
func (p *Planting) inputs(c Change) (pulumi.Map, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	props := pulumi.Map{}
	for key, value := range c.Add {
		of, isOf := value.(Of)
		if !isOf {
			props[key] = input(value)
			continue
		}
		r := p.known[of.Target]
		if r == nil {
			return nil, fmt.Errorf("%w: %s", ErrNotHere, of.Target)
		}
		v, ok := outputOf(r, of.Property)
		if !ok {
			return nil, fmt.Errorf("adding %s: %s has no property %s", c.On, of.Target, of.Property)
		}
		props[key] = v
	}
	return props, nil
}

// outputOf is an output of a resource, by its name in the schema.
func outputOf(r pulumi.Resource, name string) (pulumi.Input, bool) {
	if custom, ok := r.(pulumi.CustomResource); ok && name == "id" {
		return custom.ID(), true
	}
	v := reflect.Indirect(reflect.ValueOf(r))
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("pulumi") == name {
			out, ok := v.Field(i).Interface().(pulumi.Input)
			return out, ok
		}
	}
	return nil, false
}
