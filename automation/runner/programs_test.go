package runner

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// programs are the blueprints of the tests.
var programs = map[string]Program{
	// things makes as many things as the configuration says, one of which may
	// be made slowly, and another be refused.
	"things": program(func(ctx *pulumi.Context, cfg *config.Config) error {
		for i := range cfg.RequireInt("things") {
			if err := thing(ctx, fmt.Sprintf("t%d", i), pulumi.Map{}); err != nil {
				return err
			}
		}
		if cfg.GetBool("slow") {
			if err := thing(ctx, "slow", pulumi.Map{"slow": pulumi.Bool(true)}); err != nil {
				return err
			}
		}
		if cfg.Get("refuse") != "" {
			if err := thing(ctx, "refused", pulumi.Map{"refuse": cfg.RequireSecret("refuse")}); err != nil {
				return err
			}
		}
		ctx.Export("plain", pulumi.String("seen"))
		ctx.Export("secret", pulumi.ToSecret(pulumi.String(canary)))
		if cfg.Get("secret") != "" {
			ctx.Export("configured", cfg.RequireSecret("secret"))
		}
		return nil
	}),
	// panics has one thing made, and then panics where nothing recovers.
	"panics": program(func(ctx *pulumi.Context, _ *config.Config) error {
		var t pulumi.CustomResourceState
		if err := ctx.RegisterResource(thingType, "t0", pulumi.Map{}, &t); err != nil {
			return err
		}
		ctx.Export("never", t.ID().ApplyT(func(pulumi.ID) string { panic("a program's own words") }))
		return nil
	}),
	// component has a thing made within a component.
	"component": program(func(ctx *pulumi.Context, _ *config.Config) error {
		var c pulumi.ResourceState
		if err := ctx.RegisterComponentResource(componentType, "c", &c); err != nil {
			return err
		}
		if err := thing(ctx, "inner", pulumi.Map{}, pulumi.Parent(&c)); err != nil {
			return err
		}
		return ctx.RegisterResourceOutputs(&c, pulumi.Map{"name": pulumi.String("c")})
	}),
	"fails": program(func(*pulumi.Context, *config.Config) error { return errors.New("a program's own error") }),
	// environment says what it sees there.
	"environment": program(func(*pulumi.Context, *config.Config) error {
		return fmt.Errorf("the region is %s", cmp.Or(os.Getenv("AWS_REGION"), "none"))
	}),
	// stuck never ends.
	"stuck": program(func(ctx *pulumi.Context, _ *config.Config) error {
		if err := thing(ctx, "refused", pulumi.Map{"refuse": pulumi.String("yes")}); err != nil {
			return err
		}
		select {}
	}),
	// plugin uses a provider that the CLI starts itself, and then waits.
	"plugin": program(func(ctx *pulumi.Context, _ *config.Config) error {
		var p pulumi.CustomResourceState
		if err := ctx.RegisterResource("envy:index:Thing", "p", pulumi.Map{}, &p); err != nil {
			return err
		}
		return thing(ctx, "slow", pulumi.Map{"slow": pulumi.Bool(true)}, pulumi.DependsOn([]pulumi.Resource{&p}))
	}),
}

// canary is a secret of the program's.
const canary = "canary-7c1f"

func program(run func(*pulumi.Context, *config.Config) error) Program {
	return func([]string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error { return run(ctx, config.New(ctx, "test")) }
	}
}

const (
	thingType     = "fake:index:Thing"
	componentType = "shop:index:Component"
)

func thing(ctx *pulumi.Context, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) error {
	var t pulumi.CustomResourceState
	return ctx.RegisterResource(thingType, name, inputs, &t, opts...)
}
