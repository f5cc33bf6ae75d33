package pulumiapi_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"redoubt/guide"
	"redoubt/policy/analyzer"
	"redoubt/policy/rule"
)

// The stock CLI runs programs and policy packs as processes. Here they are this
// test binary under other names: nothing has to be compiled for them.
const (
	programName = "shop-program"
	packName    = "shop-pack"
)

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case programName:
		if strings.Contains(os.Getenv("PULUMI_CONFIG"), `"shop:broken"`) {
			os.Exit(1) // before anything is registered, as a program does that does not compile
		}
		pulumi.Run(shop)
	case packName:
		analyzer.Main(packOptions())
	default:
		os.Exit(m.Run())
	}
}

// link makes this binary available under another name.
func link(folder, name string) (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	return path, os.Symlink(exe, path)
}

type custom struct{ pulumi.CustomResourceState }

func register(ctx *pulumi.Context, token, name string, in pulumi.Map, opts ...pulumi.ResourceOption) (*custom, error) {
	r := &custom{}
	return r, ctx.RegisterResource(token, name, in, r, opts...)
}

// shop is the program: a few resources, one of them protected, secrets from the
// configuration and from the program, and a number that float64 cannot hold.
func shop(ctx *pulumi.Context) error {
	cfg := config.New(ctx, "shop")
	password := cfg.RequireSecret("password")
	topic, err1 := register(ctx, "aws:sns/topic:Topic", "orders", pulumi.Map{})
	_, err2 := register(ctx, "aws:cloudwatch/logGroup:LogGroup", "app", pulumi.Map{"retentionInDays": pulumi.Int(cfg.RequireInt("retention"))})
	vault, err3 := register(ctx, "aws:secretsmanager/secret:Secret", "db", pulumi.Map{}, pulumi.Protect(true))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err4 := register(ctx, "aws:secretsmanager/secretVersion:SecretVersion", "db", pulumi.Map{
		"secretId": vault.ID(), "secretString": password,
	}, pulumi.Parent(vault))
	stash, err5 := pulumi.NewStash(ctx, "note", &pulumi.StashArgs{Input: pulumi.Map{"text": pulumi.String("<a> & b"), "secret": pulumi.ToSecret(pulumi.String("canary-in-stash"))}})
	if err := errors.Join(err4, err5); err != nil {
		return err
	}
	ctx.Export("topic", topic.ID())
	ctx.Export("password", password)
	ctx.Export("note", stash.Output)
	return nil
}

// packOptions are a policy pack of one rule: a log group keeps its logs.
func packOptions() analyzer.Options {
	return analyzer.Options{
		Name: "shop-rules", Version: "1.2.3", DisplayName: "Shop",
		Rules: []rule.Rule{{
			Name: "logs-are-kept", Summary: "A log group keeps its logs for a week or longer.", Guide: []guide.ID{guide.OverviewDataS3}, Severity: rule.Medium, Level: rule.Mandatory,
			Types: []string{"cloudwatch/logGroup"},
			Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
				if days, ok := r.Get("retentionInDays").Int(); ok && days < 7 {
					return rule.Fail("logs are kept for %d days", days)
				}
				return rule.Pass()
			},
			Fix: "cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(7)}", URL: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/",
		}},
	}
}
