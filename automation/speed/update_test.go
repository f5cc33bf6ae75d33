package speed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/automation/runner"
	"redoubt/automation/server"
	"redoubt/internal/postgrestest"
)

// TestMain collects garbage as seldom as `redoubt serve` does, and `redoubt up`,
// whose program this process also runs. The binary is also an operation's child.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	if len(os.Args) > 1 && os.Args[1] == runner.ChildCommand {
		os.Exit(runner.Main(map[string]runner.Program{things: func([]string) pulumi.RunFunc { return orderedNoOp }}))
	}
	os.Exit(m.Run())
}

// keeper is what keeps the state: it returns the environment of the CLI and the
// name of the stack.
type keeper struct {
	name string
	// sizes are how many resources are tried: a keeper that is slow beyond
	// measure is tried with few.
	sizes []int
	// rounds are how often up to 1,000 resources are made, of which the median
	// counts: what takes two seconds varies by a fifth. What takes long is made once.
	rounds int
	open   func(b *testing.B) (env map[string]string, stack string)
}

var keepers = []keeper{
	{"unsafe", []int{100, 1000, 10_000}, 5, func(b *testing.B) (map[string]string, string) {
		env, stack := file(b)
		env["PULUMI_EXPERIMENTAL"], env["PULUMI_SKIP_CHECKPOINTS"] = "true", "true"
		return env, stack
	}},
	{"file", []int{100, 1000}, 1, file},
	{"sqlite", []int{100, 1000, 10_000}, 5, func(b *testing.B) (map[string]string, string) { return tuned(service(b, "")) }},
	{"sqlite-untuned", []int{1000}, 1, func(b *testing.B) (map[string]string, string) { return service(b, "") }},
	{"postgres", []int{100, 1000, 10_000}, 5, func(b *testing.B) (map[string]string, string) {
		return tuned(service(b, postgrestest.Start(b).URL(b, "postgres")))
	}},
}

func file(b *testing.B) (map[string]string, string) {
	b.Helper()
	return map[string]string{
		"PULUMI_BACKEND_URL":       "file://" + filepath.ToSlash(b.TempDir()) + "?metadata=skip",
		"PULUMI_CONFIG_PASSPHRASE": "bench",
	}, "bench"
}

// service is a server of this process; its clients are other processes.
func service(b *testing.B, database string) (map[string]string, string) {
	b.Helper()
	url, token := serve(b, database)
	return map[string]string{"PULUMI_BACKEND_URL": url, "PULUMI_ACCESS_TOKEN": token}, "main/speed/bench"
}

// tuned sends steps as soon as they are there, as runners do; the CLI's own
// default waits 50 ms for more.
func tuned(env map[string]string, stack string) (map[string]string, string) {
	env["PULUMI_JOURNALING_BATCH_PERIOD"], env["PULUMI_JOURNALING_BATCH_SIZE"] = "1", "100"
	return env, stack
}

func serve(b *testing.B, database string) (url, token string) {
	b.Helper()
	config := server.Defaults()
	config.Listen, config.Data, config.Database.URL = "127.0.0.1:0", filepath.Join(b.TempDir(), "data"), database
	s, err := server.Open(b.Context(), config)
	require.NoError(b, err)
	token, err = s.Bootstrap(b.Context())
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-ended)
		require.NoError(b, s.Close())
	})
	return s.URL(), token
}

// noOp is a program of resources that the engine itself provides: what is
// measured is the engine and what keeps its state.
func noOp(resources int) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		for i := range resources {
			if _, err := pulumi.NewStash(ctx, fmt.Sprintf("thing-%d", i), &pulumi.StashArgs{Input: pulumi.String("value")}); err != nil {
				return err
			}
		}
		return nil
	}
}

// BenchmarkUpdate makes and destroys resources that do nothing.
func BenchmarkUpdate(b *testing.B) {
	for _, resources := range []int{100, 1000, 10_000} {
		for _, k := range keepers {
			for _, size := range k.sizes {
				if size == resources {
					b.Run(fmt.Sprintf("keeper=%s/resources=%d", k.name, size), func(b *testing.B) { update(b, k, size) })
				}
			}
		}
	}
}

func update(b *testing.B, k keeper, resources int) {
	cli, err := engine.FindCLI()
	require.NoError(b, err)
	env, name := k.open(b)
	folder := b.TempDir()
	env["PULUMI_HOME"], env["PULUMI_SKIP_UPDATE_CHECK"] = filepath.Join(folder, "home"), "true"
	env["PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK"] = "true"
	ctx := context.WithoutCancel(b.Context())
	stack, err := auto.UpsertStackInlineSource(ctx, name, "speed", noOp(resources), auto.Pulumi(&engine.Command{CLI: cli, Env: engine.Inherit{}.Environment(), Folder: b.TempDir()}), auto.WorkDir(folder), auto.EnvVars(env))
	require.NoError(b, err)
	rounds := k.rounds
	if resources > 1000 {
		rounds = 1
	}
	var up, destroy []time.Duration
	for range b.N * rounds {
		start := time.Now()
		result, err := stack.Up(ctx, optup.SuppressProgress(), optup.Color("never"), optup.ShowSecrets(false))
		require.NoError(b, err)
		up = append(up, time.Since(start))
		require.Equal(b, resources+1, (*result.Summary.ResourceChanges)["create"])
		start = time.Now()
		_, err = stack.Destroy(ctx, optdestroy.SuppressProgress(), optdestroy.Color("never"))
		require.NoError(b, err)
		destroy = append(destroy, time.Since(start))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(up).Seconds(), "up-s/op")
	b.ReportMetric(median(destroy).Seconds(), "destroy-s/op")
}
