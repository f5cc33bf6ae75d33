package speed

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/internal/rehearsal"
	"redoubt/policy/fixture"
)

// BenchmarkPackPreview previews a new stack with the stock CLI and engine, without a
// pack, with the empty one and with all rules, in turns: what counts is the ratio
// of those that followed each other.
func BenchmarkPackPreview(b *testing.B) {
	project := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: speed\nruntime: go\n"), 0o600))
	require.NoError(b, os.WriteFile(filepath.Join(project, "Pulumi.dev.yaml"), []byte("config: {}\n"), 0o600))
	// What is found must not end the preview: it is to be measured whole.
	advisory := filepath.Join(project, "advisory.json")
	require.NoError(b, os.WriteFile(advisory, []byte(`{"all":"advisory"}`), 0o600))
	for _, tried := range []struct{ size, rounds int }{{100, 5}, {1000, 5}, {5000, 2}} {
		size := tried.size
		b.Run(fmt.Sprintf("resources=%d", size), func(b *testing.B) {
			port := account(b)
			program := declares(stackOf(b, size))
			open := func(policy, config string) *engine.Scratch {
				env := maps.Clone(engine.WithoutAWS)
				env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d", port)
				s, err := engine.NewScratch(b.Context(), engine.ScratchOptions{
					Project: project, Stack: "dev", Program: func([]string) pulumi.RunFunc { return program }, Env: env, Policy: policy, PolicyConfig: config,
				})
				require.NoError(b, err)
				b.Cleanup(func() { require.NoError(b, s.Close()) })
				return s
			}
			alone := open("", "")
			floor, all := open(named(empty).program(b)[0], advisory), open(named(redoubt).program(b)[0], advisory)
			var took, cpu [3][]time.Duration
			var ratios, cpuRatios []float64
			for range b.N * tried.rounds {
				for i, s := range []*engine.Scratch{alone, floor, all} {
					begun, before := time.Now(), spent()
					out, err := s.Preview(b.Context(), &engine.Recorder{})
					require.NoError(b, err)
					require.Equal(b, size, out.Counts["create"]-1, "the stack itself is one more")
					took[i], cpu[i] = append(took[i], time.Since(begun)), append(cpu[i], spent()-before)
				}
				last := len(took[0]) - 1
				ratios = append(ratios, took[2][last].Seconds()/took[1][last].Seconds())
				cpuRatios = append(cpuRatios, cpu[2][last].Seconds()/cpu[1][last].Seconds())
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took[0]).Seconds(), "alone-s")
			b.ReportMetric(median(took[1]).Seconds(), "empty-s")
			b.ReportMetric(median(took[2]).Seconds(), "redoubt-s")
			b.ReportMetric(median(ratios), "redoubt/empty")
			b.ReportMetric(median(cpu[1]).Seconds(), "empty-cpu-s")
			b.ReportMetric(median(cpuRatios), "redoubt/empty-cpu")
		})
	}
}

// account serves a simulated account for as long as the benchmark takes.
func account(b *testing.B) (port int) {
	b.Helper()
	a, err := rehearsal.Open("")
	require.NoError(b, err)
	s, err := rehearsal.Serve(b.Context(), a, "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, s.Close())
		require.NoError(b, a.Close())
	})
	return s.Port()
}

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
