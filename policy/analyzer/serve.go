package analyzer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"redoubt/policy/profile"
)

// Main runs the pack as the engine starts it, and ends the process. The
// arguments are those of the process: the engine's address, or what the usage
// names for people. The variable profile.Variable goes over opts.Profile.
func Main(opts Options) {
	opts.Profile = cmp.Or(os.Getenv(profile.Variable), opts.Profile)
	os.Exit(run(opts, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes of a pack.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func run(opts Options, args []string, stdout, stderr io.Writer) int {
	say := func(w io.Writer, code int, text string) int {
		if _, err := fmt.Fprintln(w, text); err != nil {
			return exitError
		}
		return code
	}
	a, err := New(opts)
	if err != nil {
		return say(stderr, exitError, err.Error())
	}
	switch {
	case len(args) == 0:
		return say(stderr, exitUsage, usage(opts))
	case args[0] == "--version" || args[0] == "-v":
		return say(stdout, exitOK, opts.Name+" "+opts.Version)
	case args[0] == "--help" || args[0] == "-h":
		return say(stdout, exitOK, usage(opts))
	case args[0] == "schema" && len(args) == 1:
		text, err := a.Schema()
		if err != nil {
			return say(stderr, exitError, err.Error())
		}
		return say(stdout, exitOK, strings.TrimSuffix(string(text), "\n"))
	case args[0] == "check" && len(args) == 2:
		text, err := a.checkFile(args[1])
		if err != nil {
			return say(stderr, exitError, err.Error())
		}
		return say(stdout, exitOK, text)
	}
	// A second argument is the folder of PulumiPolicy.yaml, from engines that
	// start the pack as pulumi-analyzer-policy-<name>; the pack does not need it.
	if _, _, err := net.SplitHostPort(args[0]); err != nil {
		return say(stderr, exitUsage, fmt.Sprintf("%q is not the address of a Pulumi engine.\n%s", args[0], usage(opts)))
	}
	if err := a.reportTo(os.Getenv(reportVariable), os.Getenv(historyVariable)); err != nil {
		return say(stderr, exitUsage, err.Error())
	}
	if err := Serve(context.Background(), a, args[0], stdout); err != nil {
		return say(stderr, exitError, err.Error())
	}
	return exitOK
}

func usage(opts Options) string {
	return strings.Join([]string{
		fmt.Sprintf("%s %s is a Pulumi policy pack of %s. The Pulumi engine starts it.",
			opts.Name, opts.Version, count(len(opts.Rules), "rule")),
		"",
		"  pulumi preview --policy-pack <this file> [--policy-pack-config policy.json]",
		"",
		"  <this file> schema               the JSON Schema of a configuration file",
		"  <this file> check policy.json    everything that is wrong with one",
		"",
		fmt.Sprintf("%s=NAME in the environment chooses a profile: %s.", profile.Variable, strings.Join(profile.Names(), ", ")),
		"",
		"Give the compiled file, or the folder with PulumiPolicy.yaml, to --policy-pack of pulumi preview or pulumi up.",
		reportVariable + "=FILE writes a report of what was found, in the form that the name's end says; several with commas.",
	}, "\n")
}

// healthInterval is how often the engine is asked whether it is still there.
const healthInterval = 15 * time.Second

// Serve listens on a free port of this machine, writes the port to w, as the
// engine expects, and serves until ctx ends or the engine is gone.
func Serve(ctx context.Context, a *Analyzer, engine string, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop, // the server's message limit is 400 MB, rpcutil's own
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterAnalyzerServer(srv, NewServer(a))
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("policy pack %s cannot listen on 127.0.0.1: %w", a.opts.Name, err)
	}
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, healthInterval, cancel); err != nil {
			return fmt.Errorf("policy pack %s cannot watch the engine at %s: %w", a.opts.Name, engine, err)
		}
	}
	if _, err := fmt.Fprintf(w, "%d\n", handle.Port); err != nil {
		return fmt.Errorf("policy pack %s cannot tell the engine its port: %w", a.opts.Name, err)
	}
	select {
	case <-ctx.Done():
		close(stop)
		if err := <-handle.Done; err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	case err := <-handle.Done:
		return err
	}
}
