// Package graphtest runs Pulumi programs against mocks and records the resource
// graph that they register, so that tests ask questions of the graph ("which
// security group may reach which") and golden files show all of it.
//
//	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
//		_, err := network.NewVpc(ctx, "net", args)
//		return err
//	})
//	require.Equal(t, "10.20.0.0/16", g.One("aws:ec2/vpc:Vpc", "net-vpc").Input("cidrBlock"))
package graphtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The account in which every graph is built. ARNs that the mocks make and the
// answers to invokes agree with it.
const (
	Project   = "redoubt"
	Stack     = "test"
	Partition = "aws"
	Region    = "eu-central-1"
	AccountID = "123456789012"
)

// Option changes how a program is run.
type Option func(*recorder, *pulumi.RunInfo)

// Config sets stack configuration; keys are written "namespace:key".
func Config(values map[string]string) Option {
	return func(_ *recorder, info *pulumi.RunInfo) { info.Config = values }
}

// Preview runs the program as `pulumi preview` does before the first update:
// ids and computed outputs are not known yet. An input that depends on one is
// recorded as unknown, so a test can prove that a policy document is decidable
// at preview.
func Preview() Option {
	return func(r *recorder, info *pulumi.RunInfo) { r.preview, info.DryRun = true, true }
}

// Outputs adds to what resources of a type answer, over what graphtest makes by
// itself: computed fields that only the test knows, or an empty list in place
// of a full one.
func Outputs(typ string, outputs resource.PropertyMap) Option {
	return func(r *recorder, _ *pulumi.RunInfo) { r.outputs[typ] = outputs }
}

// Answer is what an invoke answers, in place of what graphtest knows.
func Answer(token string, values map[string]any) Option {
	return func(r *recorder, _ *pulumi.RunInfo) { r.answers[token] = values }
}

// Run runs the program and returns what it registered. The test fails at once
// if the program returns an error or registers the same URN twice.
func Run(t testing.TB, program pulumi.RunFunc, opts ...Option) *Graph {
	t.Helper()
	g, err := Build(program, opts...)
	if err != nil {
		t.Fatalf("run program: %v", err)
	}
	g.t = t
	return g
}

// Build is Run for tests of what goes wrong: the program's error is returned,
// with the graph up to it.
func Build(program pulumi.RunFunc, opts ...Option) (*Graph, error) {
	r := &recorder{outputs: map[string]resource.PropertyMap{}, answers: map[string]map[string]any{}}
	err := pulumi.RunErr(program, pulumi.WithMocks(Project, Stack, r), func(info *pulumi.RunInfo) {
		for _, opt := range opts {
			opt(r, info)
		}
	})
	return r.graph(), errors.Join(err, r.duplicates())
}

// recorder answers as the engine and the aws provider would, and writes down
// what it was asked. The SDK registers resources concurrently.
type recorder struct {
	preview bool
	outputs map[string]resource.PropertyMap
	answers map[string]map[string]any

	mu        sync.Mutex
	resources []*Resource
	calls     []Call
}

// NewResource implements pulumi.MockResourceMonitor.
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	res := &Resource{
		Type: args.TypeToken, Name: args.Name, Provider: args.Provider,
		Custom: args.Custom, Inputs: args.Inputs,
	}
	if rpc := args.RegisterRPC; rpc != nil {
		inputs, err := plugin.UnmarshalProperties(rpc.GetObject(), plugin.MarshalOptions{
			KeepUnknowns: true, KeepSecrets: true, KeepResources: true,
		})
		if err != nil {
			return "", nil, fmt.Errorf("inputs of %s: %w", args.Name, err)
		}
		res.Inputs, res.Parent = inputs, rpc.GetParent()
		res.DependsOn = slices.Clone(rpc.GetDependencies())
		res.Protect, res.RetainOnDelete = rpc.GetProtect(), rpc.GetRetainOnDelete()
		res.IgnoreChanges = slices.Clone(rpc.GetIgnoreChanges())
		res.Import = rpc.GetImportId()
		if res.PropertyDependencies == nil {
			res.PropertyDependencies = map[string][]string{}
		}
		for key, deps := range rpc.GetPropertyDependencies() {
			res.PropertyDependencies[key] = slices.Sorted(slices.Values(deps.GetUrns()))
		}
		slices.Sort(res.DependsOn)
	}
	if rpc := args.ReadRPC; rpc != nil {
		res.Parent, res.Read = rpc.GetParent(), true
	}
	res.URN = urnOf(res.Parent, res.Type, res.Name)
	if res.Custom || res.Read {
		res.ID = args.ID
		if res.ID == "" {
			res.ID = idOf(res)
		}
		res.Outputs = outputsOf(res, r.outputs[res.Type])
	} else {
		res.Outputs = res.Inputs
	}
	r.mu.Lock()
	r.resources = append(r.resources, res)
	r.mu.Unlock()
	if r.preview && !res.Read {
		return "", known(res.Inputs), nil
	}
	return res.ID, res.Outputs, nil
}

// Call implements pulumi.MockResourceMonitor for invokes.
func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	r.calls = append(r.calls, Call{Token: args.Token, Args: args.Args, Provider: args.Provider})
	r.mu.Unlock()
	if values, ok := r.answers[args.Token]; ok {
		return resource.NewPropertyMapFromMap(values), nil
	}
	return answer(args.Token, args.Args)
}

func (r *recorder) graph() *Graph {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.calls, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(fmt.Sprint(a.Args), fmt.Sprint(b.Args)))
	})
	return &Graph{Resources: treeOrder(r.resources), Calls: r.calls}
}

// duplicates reports what the real engine refuses and the SDK's mock monitor
// lets pass: two resources with one URN.
func (r *recorder) duplicates() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen, errs := map[string]bool{}, []error(nil)
	for _, res := range r.resources {
		if seen[res.URN] {
			errs = append(errs, fmt.Errorf("duplicate URN %s (give one of the two another logical name)", res.URN))
		}
		seen[res.URN] = true
	}
	return errors.Join(errs...)
}

// treeOrder sorts resources depth first: children after their parent, siblings
// by type and name. Registration order is a race and is not kept.
func treeOrder(resources []*Resource) []*Resource {
	exists := map[string]bool{}
	for _, r := range resources {
		exists[r.URN] = true
	}
	children := map[string][]*Resource{}
	for _, r := range resources {
		parent := r.Parent
		if !exists[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], r)
	}
	out := make([]*Resource, 0, len(resources))
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		siblings := children[parent]
		delete(children, parent)
		slices.SortFunc(siblings, func(a, b *Resource) int {
			return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name))
		})
		for _, r := range siblings {
			r.Depth = depth
			out = append(out, r)
			walk(r.URN, depth+1)
		}
	}
	walk("", 0)
	return out
}

// urnOf builds the URN as the engine does: the root stack is no part of the
// qualified type.
func urnOf(parent, typ, name string) string {
	qualified := typ
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		qualified = string(p.QualifiedType()) + "$" + typ
	}
	return fmt.Sprintf("urn:pulumi:%s::%s::%s::%s", Stack, Project, qualified, name)
}

// known drops what is unknown, because the mock monitor cannot carry it back.
func known(m resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range m {
		if !v.ContainsUnknowns() {
			out[k] = v
		}
	}
	return out
}
