package speed

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/engine"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/internal/processtest"
	"redoubt/internal/scripttest"
)

// programs are how many resources the program has, and how often the pair is
// measured, in turns: what an order costs more is the same whatever it does, and so
// its share is less where there is more to do.
//
// The rounds are odd in number, so that a median is one that was measured.
var programs = []struct{ resources, rounds int }{{100, 15}, {1000, 5}}

// BenchmarkService compares orders with what they do: the same program, on the same
// backend, by the same CLI, started by nobody but the Automation API, without what
// that asks and nobody reads (engine.OpenStack).
//
// An order of an update is a preview, on which policy and people decide, and an
// update: so that is what it is compared with. Rehearsal, policy and approvals are
// off: they are what self-service is for, and no overhead.
func BenchmarkService(b *testing.B) {
	for _, d := range databases {
		b.Run("database="+d.name, func(b *testing.B) {
			i, cli := install(b, d.open(b)), countedCLI(b)
			e, err := operate.Open(operate.Options{URL: i.states, Policy: operate.NoPolicy, Account: operate.Ambient, Data: b.TempDir(), CLI: cli.CLI, Spare: spare})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, e.Close()) })
			i.work(b, e)
			i.pair(b, cli, "warm-up", 100, new(pair), new(pair), false)
			for _, p := range programs {
				b.Run(fmt.Sprintf("resources=%d", p.resources), func(b *testing.B) {
					var up, preview pair
					for range b.N {
						for n := range p.rounds {
							i.pair(b, cli, fmt.Sprintf("of-%d-%d", p.resources, n), p.resources, &up, &preview, n%2 == 1)
						}
					}
					b.ReportMetric(0, "ns/op")
					up.report(b, "up")
					preview.report(b, "preview")
				})
			}
		})
	}
}

// pair is what both took. One of a round was measured right after the other, when the
// machine was about as busy: so each round has a ratio.
type pair struct {
	bare, service           []time.Duration
	bareForks, serviceForks int
}

func (p *pair) report(b *testing.B, name string) {
	bare, service := median(p.bare), median(p.service)
	b.ReportMetric(bare.Seconds(), name+"-bare-s")
	b.ReportMetric(service.Seconds(), name+"-service-s")
	ratios, more := make([]float64, len(p.bare)), make([]time.Duration, len(p.bare))
	for n := range p.bare {
		ratios[n], more[n] = p.service[n].Seconds()/p.bare[n].Seconds(), p.service[n]-p.bare[n]
	}
	b.ReportMetric(median(ratios), name+"-ratio")
	b.ReportMetric(millis(median(more)), name+"-more-ms")
	b.ReportMetric(float64(p.bareForks)/float64(len(p.bare)), name+"-bare-forks")
	b.ReportMetric(float64(p.serviceForks)/float64(len(p.service)), name+"-service-forks")
}

func median[T cmp.Ordered](all []T) T { return slices.Sorted(slices.Values(all))[len(all)/2] }

// pair makes a stack, and previews it when it is there; once each way, and the one or
// the other first.
func (i *installation) pair(b *testing.B, cli counted, name string, resources int, up, preview *pair, serviceFirst bool) {
	b.Helper()
	measure := func(took *[]time.Duration, forks *int, do func()) {
		before, start := cli.starts(b), time.Now()
		do()
		*took = append(*took, time.Since(start))
		*forks += cli.starts(b) - before
	}
	bare := i.bare(b, cli, name, resources)
	do := func(run func(context.Context, *engine.Recorder) (engine.Outcome, error)) {
		_, err := run(context.WithoutCancel(b.Context()), &engine.Recorder{})
		require.NoError(b, err)
	}
	var env provision.Environment
	for _, order := range []struct {
		of            *pair
		bare, service func()
	}{
		{up, func() { do(bare.Preview); do(bare.Up) }, func() { env = i.stack(b, name, resources) }},
		{preview, func() { do(bare.Preview) }, func() { i.preview(b, env) }},
	} {
		one := func() { measure(&order.of.bare, &order.of.bareForks, order.bare) }
		two := func() {
			measure(&order.of.service, &order.of.serviceForks, order.service)
			settle(b) // the process of the next order is started: that is nobody else's time
		}
		if serviceFirst {
			one, two = two, one
		}
		one()
		two()
	}
}

// settle waits until the process that is kept for the next order is there, and waits.
func settle(b *testing.B) {
	b.Helper()
	const stillFor = 5
	still := 0
	require.Eventually(b, func() bool {
		if rests(b) {
			still++
		} else {
			still = 0
		}
		return still >= stillFor
	}, time.Minute, 5*time.Millisecond)
}

// rests says whether a process for an order is there, and none does anything.
func rests(b *testing.B) bool {
	b.Helper()
	all := processtest.Children(b, os.Getpid(), runner.ChildCommand)
	return len(all) > 0 && !slices.ContainsFunc(all, func(p processtest.Process) bool { return !p.Waits })
}

// bare is a stack of the same backend without self-service.
func (i *installation) bare(b *testing.B, cli counted, name string, resources int) *engine.Stack {
	b.Helper()
	ctx := context.WithoutCancel(b.Context())
	by, err := i.backend.Authenticate(ctx, i.token)
	require.NoError(b, err)
	full := backend.StackName{Org: org, Project: "bare", Stack: name}
	_, err = i.backend.CreateStack(ctx, by, backend.NewStack{Name: full})
	require.NoError(b, err)
	folder, claim, err := engine.MakeFolder(engine.OperationFolder)
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, folder.Remove())
		require.NoError(b, claim.Close())
	})
	env, err := folder.Variables("", false)
	require.NoError(b, err)
	require.NoError(b, folder.SharePlugins("", false))
	for k, v := range (engine.Backend{URL: i.states, Token: i.token}).Variables() {
		env[k] = v
	}
	stack, err := engine.OpenStack(ctx, engine.StackOptions{
		Name:     full.String(),
		Project:  workspace.Project{Name: tokens.PackageName(full.Project), Runtime: workspace.NewProjectRuntimeInfo("go", nil)},
		Settings: workspace.ProjectStack{Config: config.Map{}}, Program: noOp(resources), Folder: folder.Work(), Env: env,
		Command: &engine.Command{CLI: cli.CLI, Env: engine.Inherit{Network: true}.Environment(), Folder: folder.Output()},
	})
	require.NoError(b, err)
	return stack
}

// counted is the CLI behind a script that counts its starts.
type counted struct {
	engine.CLI
	log string
}

func countedCLI(b *testing.B) counted {
	b.Helper()
	cli, err := engine.FindCLI()
	require.NoError(b, err)
	folder := b.TempDir()
	c := counted{engine.CLI{Executable: filepath.Join(folder, "pulumi"), Folder: folder, Version: cli.Version}, filepath.Join(folder, "starts")}
	script := fmt.Sprintf("#!/bin/sh\necho start >>'%s'\nexec '%s' \"$@\"\n", c.log, cli.Executable)
	scripttest.Write(b, c.Executable, script)
	require.NoError(b, os.WriteFile(c.log, nil, 0o600))
	return c
}

func (c counted) starts(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile(c.log)
	require.NoError(b, err)
	return strings.Count(string(text), "\n")
}
