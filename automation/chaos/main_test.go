package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// programName makes this binary the program of the stacks, and serverVariable
// makes it a server.
const (
	programName    = "chaos-program"
	serverVariable = "REDOUBT_TEST_CHAOS_SERVER"
)

func TestMain(m *testing.M) {
	switch text := os.Getenv(serverVariable); {
	case filepath.Base(os.Args[0]) == programName:
		pulumi.Run(program)
	case text != "":
		if err := serve(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

type thing struct{ pulumi.CustomResourceState }

// things is how many resources the first version of the program has.
const things = 30

// program is a tree of things. Its second version changes some, replaces some,
// leaves some out and has some more.
func program(ctx *pulumi.Context) error {
	version := config.New(ctx, "").RequireInt("version")
	made := map[int]*thing{}
	var failures []error
	for i := range things + 5 {
		value, form := "1", "1"
		opts := []pulumi.ResourceOption{pulumi.Version(cloudVersion)}
		switch {
		case version == 1 && i >= things, version == 2 && i%5 == 4 && i < things:
			continue
		case version == 2 && i%3 == 0:
			value = "2"
		case version == 2 && i%7 == 0:
			form = "2"
		}
		if parent := made[(i-1)/3]; i > 0 && parent != nil {
			opts = append(opts, pulumi.DependsOn([]pulumi.Resource{parent}))
		}
		args := pulumi.Map{"value": pulumi.String(value), "form": pulumi.String(form)}
		if i%10 == 1 {
			args["secret"] = pulumi.ToSecret("canary")
		}
		made[i] = &thing{}
		failures = append(failures, ctx.RegisterResource(thingType, fmt.Sprintf("t%02d", i), args, made[i], opts...))
	}
	ctx.Export("version", pulumi.Int(version))
	return errors.Join(failures...)
}
