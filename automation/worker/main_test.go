package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/runner"
)

// The test binary is all the processes there are: the tests, an operation's child,
// and nodes that a test may kill.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == seerName {
		os.Exit(serveSeer())
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case runner.ChildCommand:
			os.Exit(runner.Main(programs))
		case nodeCommand:
			os.Exit(node())
		}
	}
	os.Exit(m.Run())
}

// nodeCommand makes the test binary a node.
const nodeCommand = "node"

// node runs a worker until it is killed, or told to stop.
func node() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var s setup
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	i, err := s.open(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println("ready")
	err = i.work(ctx)
	if err := i.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// inputs are what the tests' blueprints take.
type inputs struct {
	Things int    `json:"things,omitempty"`
	Slow   bool   `json:"slow,omitempty"`
	Tag    string `json:"tag,omitempty"`
	// TagFile is a file with the tag, as what a program asks the cloud for is not in
	// its inputs.
	TagFile string `json:"tagFile,omitempty"`
	Secret  string `json:"secret,omitempty"`
	// Previewing makes previews wait until there is a file of this name.
	Previewing string `json:"previewing,omitempty"`
	Refuse     string `json:"refuse,omitempty"`
	// Record is a file that a resource of seen writes down what it sees in; Leak has it
	// fail with that in the error.
	Record string `json:"record,omitempty"`
	Leak   bool   `json:"leak,omitempty"`
	// Fickle makes an update do something else than its preview said.
	Fickle bool `json:"fickle,omitempty"`
	// Hidden makes a thing of the secret.
	Hidden bool `json:"hidden,omitempty"`
}

// programs are the blueprints of the tests.
var programs = map[string]runner.Program{
	// things makes as many things as the order says, of the fake provider.
	"things": func([]string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			var in inputs
			if err := json.Unmarshal(runner.Inputs(ctx), &in); err != nil {
				return err
			}
			if in.Previewing != "" && ctx.DryRun() {
				if err := waitFor(ctx.Context(), in.Previewing); err != nil {
					return err
				}
			}
			if in.TagFile != "" {
				tag, err := os.ReadFile(in.TagFile)
				if err != nil {
					return err
				}
				in.Tag = string(tag)
			}
			if in.Fickle && !ctx.DryRun() {
				in.Tag += " after all"
			}
			for i := range in.Things {
				if err := register(ctx, "fake:index:Thing", fmt.Sprintf("t%d", i), pulumi.Map{"tag": pulumi.String(in.Tag)}); err != nil {
					return err
				}
			}
			if in.Hidden {
				if err := register(ctx, "fake:index:Thing", "hidden", pulumi.Map{"tag": pulumi.ToSecret(pulumi.String(in.Secret))}); err != nil {
					return err
				}
			}
			if in.Slow {
				if err := register(ctx, "fake:index:Thing", "slow", pulumi.Map{"slow": pulumi.Bool(true)}); err != nil {
					return err
				}
			}
			if in.Refuse != "" {
				if err := register(ctx, "fake:index:Thing", "refused", pulumi.Map{"refuse": pulumi.String(in.Refuse)}); err != nil {
					return err
				}
			}
			ctx.Export("things", pulumi.Int(in.Things))
			ctx.Export("secret", pulumi.ToSecret(pulumi.String(in.Secret)))
			return nil
		}
	},
	// seen makes a resource that sees whose credentials the provider has.
	"seen": func([]string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			var in inputs
			if err := json.Unmarshal(runner.Inputs(ctx), &in); err != nil {
				return err
			}
			return register(ctx, "seer:index:Thing", "seen", pulumi.Map{
				"record": pulumi.String(in.Record), "leak": pulumi.Bool(in.Leak), "tag": pulumi.String(in.Tag),
			})
		}
	},
	// bucket makes a bucket in the account.
	"bucket": func([]string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			text, _ := ctx.GetConfig("redoubt:inputs") // no secrets, so that it is there too
			var in inputs
			if err := json.Unmarshal([]byte(text), &in); err != nil {
				return err
			}
			return register(ctx, "aws:s3/bucketV2:BucketV2", "data", pulumi.Map{"tags": pulumi.StringMap{"team": pulumi.String(in.Tag)}})
		}
	},
}

func register(ctx *pulumi.Context, kind, name string, in pulumi.Map) error {
	var r pulumi.CustomResourceState
	return ctx.RegisterResource(kind, name, in, &r)
}
