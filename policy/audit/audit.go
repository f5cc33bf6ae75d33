package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"redoubt/policy/analyzer"
	"redoubt/policy/report"
)

// Options of an audit.
type Options struct {
	// Pack is the policy pack.
	Pack analyzer.Options
	// Config is the pack's configuration, as analyzer.ParseConfig reads it.
	Config map[string]plugin.AnalyzerPolicyConfig
	// Stack is organization/project/stack; empty for what the state's URNs say.
	Stack string
	// File is where the state was read; empty for none that findings can point at.
	File string
	// Progress is told how many of the resources were judged. May be nil.
	Progress func(done, total int)
}

// Run judges a state. The report holds no secret of it: rules name none, and what
// the state shows in plain text is masked in every message besides.
func Run(ctx context.Context, state State, opts Options) (report.Report, error) {
	opts.Pack.Keep = true
	pack, err := analyzer.New(opts.Pack)
	if err == nil {
		err = pack.Configure(ctx, opts.Config)
	}
	if err != nil {
		return report.Report{}, err
	}
	var secrets []string
	stack, err := state.stack(reader{&secrets})
	if err != nil {
		return report.Report{}, err
	}
	for i, r := range stack {
		if err := ctx.Err(); err != nil {
			return report.Report{}, err
		}
		in := r.AnalyzerResource
		in.Properties = r.inputs
		// What the stack only reads is others': it is there for joins alone.
		if !r.external {
			if _, err := pack.Analyze(ctx, in); err != nil {
				return report.Report{}, err
			}
		}
		if opts.Progress != nil {
			opts.Progress(i+1, len(stack))
		}
	}
	all := make([]plugin.AnalyzerStackResource, len(stack))
	for i, r := range stack {
		all[i] = r.AnalyzerStackResource
	}
	if _, err := pack.AnalyzeStack(ctx, all); err != nil {
		return report.Report{}, err
	}
	about := report.Subject{Stack: cmp.Or(opts.Stack, state.name()), Phase: report.PhaseState, File: opts.File}
	return finish(pack.Report(about), state, secrets), nil
}

// finish points findings at their lines, and masks secrets.
func finish(r report.Report, state State, secrets []string) report.Report {
	mask := masks(secrets)
	for i, f := range r.Findings {
		if r.Subject.File != report.ProjectFile {
			r.Findings[i].Line = state.lines[resource.URN(f.URN)]
		}
		r.Findings[i].Message = mask.Replace(f.Message)
	}
	for i, u := range r.Undetermined {
		r.Undetermined[i].Reason = mask.Replace(u.Reason)
	}
	return r
}

// shortest is the length below which a text is no secret, but a word that would be
// masked everywhere.
const shortest = 6

func masks(secrets []string) *strings.Replacer {
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return len(s) < shortest })
	// The longest first: one may be a part of another.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	var pairs []string
	for _, s := range slices.Compact(secrets) {
		pairs = append(pairs, s, maskedText)
	}
	return strings.NewReplacer(pairs...)
}

// name is project/stack, by the first URN.
func (s State) name() string {
	if len(s.resources) == 0 {
		return "an empty stack"
	}
	urn := s.resources[0].URN
	return string(urn.Project()) + "/" + string(urn.Stack())
}

// deployed is a resource as the engine would hand it over.
type deployed struct {
	plugin.AnalyzerStackResource
	inputs   resource.PropertyMap
	external bool
}

func (s State) stack(d reader) ([]deployed, error) {
	inputs := make(map[resource.URN]resource.PropertyMap, len(s.resources))
	var errs []error
	for _, r := range s.resources {
		in, err := d.properties(r.Inputs)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: inputs: %w", r.URN, err))
		}
		inputs[r.URN] = in
	}
	out := make([]deployed, 0, len(s.resources))
	for _, r := range s.resources {
		outputs, err := d.properties(r.Outputs)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: outputs: %w", r.URN, err))
			continue
		}
		// The id is a property of its own in a state, and an output for rules.
		if _, has := outputs["id"]; !has && r.ID != "" {
			outputs["id"] = resource.NewStringProperty(string(r.ID))
		}
		out = append(out, deployed{asked(r, outputs, inputs), inputs[r.URN], r.External})
	}
	return out, errors.Join(errs...)
}

// asked is the resource in the engine's question about the stack.
func asked(r apitype.ResourceV3, outputs resource.PropertyMap, inputs map[resource.URN]resource.PropertyMap) plugin.AnalyzerStackResource {
	return plugin.AnalyzerStackResource{
		AnalyzerResource: plugin.AnalyzerResource{
			URN: r.URN, Type: r.Type, Name: r.URN.Name(), Properties: outputs, Provider: provider(r.Provider, inputs),
			Options: plugin.AnalyzerResourceOptions{
				Protect: r.Protect, IgnoreChanges: r.IgnoreChanges, AdditionalSecretOutputs: r.AdditionalSecretOutputs,
				AliasURNs: r.Aliases, Parent: r.Parent,
			},
		},
		Parent: r.Parent, Dependencies: r.Dependencies, PropertyDependencies: r.PropertyDependencies,
	}
}

// provider finds what a resource's reference names: a URN and, behind it, an id.
func provider(reference string, inputs map[resource.URN]resource.PropertyMap) *plugin.AnalyzerProviderResource {
	const between = "::"
	end := strings.LastIndex(reference, between)
	if end < 0 {
		return nil
	}
	urn := resource.URN(reference[:end])
	found, ok := inputs[urn]
	if !ok || !urn.IsValid() {
		return nil
	}
	return &plugin.AnalyzerProviderResource{URN: urn, Type: tokens.Type(urn.Type()), Name: urn.Name(), Properties: found}
}
