package rehearsal

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// oldestCLI is the oldest Pulumi CLI that the product works with.
var oldestCLI = semver.MustParse("3.259.0")

// cliFolder is the folder of a Pulumi CLI that is new enough: the one on PATH,
// else the one that the module's make tools built.
func cliFolder(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("pulumi"); err == nil {
		out, err := exec.Command(path, "version").Output()
		if v, perr := semver.ParseTolerant(strings.TrimSpace(string(out))); err == nil && perr == nil && v.GTE(oldestCLI) {
			return filepath.Dir(path)
		}
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
	}
	bin := filepath.Join(dir, "bin")
	_, err = os.Stat(filepath.Join(bin, "pulumi"))
	require.NoError(t, err, "there is no Pulumi CLI >= %s on PATH or in %s; run make tools", oldestCLI, bin)
	return bin
}

// cli is the Pulumi CLI for the Automation API, which wants a folder with bin/.
func cli(t *testing.T) auto.PulumiCommand {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Symlink(cliFolder(t), filepath.Join(root, "bin")))
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root})
	require.NoError(t, err)
	return command
}

// custom is a resource of any type, as a program without a typed SDK makes it.
type custom struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput `pulumi:"arn"`
}

func register(ctx *pulumi.Context, token, name string, in pulumi.Map, opts ...pulumi.ResourceOption) (*custom, error) {
	r := &custom{}
	return r, ctx.RegisterResource(token, name, in, r, opts...)
}

type awsProvider struct{ pulumi.ProviderResourceState }

// twoRegions is a program: a VPC with a subnet, a key and a log group, and a bucket
// in a second region. vpc replaces the VPC's id in the subnet, if it is given.
func twoRegions(vpc string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		v, err := register(ctx, "aws:ec2/vpc:Vpc", "main", pulumi.Map{
			"cidrBlock": pulumi.String("10.0.0.0/16"), "tags": pulumi.StringMap{"owner": pulumi.String("platform")},
		})
		if err != nil {
			return err
		}
		id := v.ID().ToStringOutput()
		if vpc != "" {
			id = pulumi.String(vpc).ToStringOutput()
		}
		_, err1 := register(ctx, "aws:ec2/subnet:Subnet", "app", pulumi.Map{
			"vpcId": id, "cidrBlock": pulumi.String("10.0.1.0/24"), "availabilityZone": pulumi.String("eu-west-1a"),
		})
		_, err2 := register(ctx, "aws:cloudwatch/logGroup:LogGroup", "app", pulumi.Map{"retentionInDays": pulumi.Int(30)})
		_, err3 := register(ctx, "aws:secretsmanager/secretVersion:SecretVersion", "token", pulumi.Map{
			"secretId": secretOf(ctx), "secretString": pulumi.ToSecret(pulumi.String("hunter2")),
		})
		other := &awsProvider{}
		if err := ctx.RegisterResource("pulumi:providers:aws", "replica", pulumi.Map{"region": pulumi.String("eu-central-1")}, other); err != nil {
			return err
		}
		bucket, err4 := register(ctx, "aws:s3/bucketV2:BucketV2", "replica", pulumi.Map{}, pulumi.Provider(other))
		if bucket != nil {
			ctx.Export("bucket", bucket.ID())
		}
		return errors.Join(err1, err2, err3, err4)
	}
}

func secretOf(ctx *pulumi.Context) pulumi.StringOutput {
	r, err := register(ctx, "aws:secretsmanager/secret:Secret", "token", pulumi.Map{})
	if err != nil {
		return pulumi.String("").ToStringOutput()
	}
	return r.ID().ToStringOutput()
}

// stackOn is a stack of a program on a served account.
func stackOn(t *testing.T, a *Account, program pulumi.RunFunc) auto.Stack {
	t.Helper()
	ctx := context.Background()
	server, err := Serve(ctx, a, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	stack, err := auto.UpsertStackInlineSource(ctx, "organization/rehearsal/dev", "rehearsal", program, auto.Pulumi(cli(t)),
		auto.EnvVars(map[string]string{
			"PULUMI_BACKEND_URL": "file://" + t.TempDir(), "PULUMI_HOME": t.TempDir(), "PULUMI_CONFIG_PASSPHRASE": "rehearsal", "PULUMI_SKIP_UPDATE_CHECK": "true",
			"PULUMI_DEBUG_PROVIDERS": server.Env()[len("PULUMI_DEBUG_PROVIDERS="):],
		}))
	require.NoError(t, err)
	require.NoError(t, stack.SetConfig(ctx, "aws:region", auto.ConfigValue{Value: "eu-west-1"}))
	return stack
}

// changes counts what a run did or would do, without what stays.
func changes(summary map[apitype.OpType]int) map[apitype.OpType]int {
	out := map[apitype.OpType]int{}
	for op, n := range summary {
		if op != apitype.OpSame && n > 0 {
			out[op] = n
		}
	}
	return out
}

func done(counts *map[string]int) map[string]int {
	out := map[string]int{}
	if counts != nil {
		for op, n := range *counts {
			if op != "same" && n > 0 {
				out[op] = n
			}
		}
	}
	return out
}

// The whole life of a stack on the real engine.
func TestLifeOfAStack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "account.jsonl")
	a, err := Open(file)
	require.NoError(t, err)
	stack := stackOn(t, a, twoRegions(""))

	preview, err := stack.Preview(ctx)
	require.NoError(t, err)
	require.Equal(t, map[apitype.OpType]int{apitype.OpCreate: 8}, changes(preview.ChangeSummary))
	require.Empty(t, a.Resources(), "a preview must not change the account")

	up, err := stack.Up(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"create": 8}, done(up.Summary.ResourceChanges))
	require.Len(t, a.Resources(), 6)
	for _, r := range a.Resources() {
		want := "eu-west-1"
		if r.Type == "aws:s3/bucketV2:BucketV2" {
			want = "eu-central-1"
		}
		require.Equal(t, want, r.Region, r.ID)
	}

	preview, err = stack.Preview(ctx)
	require.NoError(t, err)
	require.Empty(t, changes(preview.ChangeSummary), "nothing changed")

	require.NoError(t, a.Drift("main", "tags.owner", resource.NewProperty("somebody")))
	refresh, err := stack.Refresh(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"update": 1}, done(refresh.Summary.ResourceChanges), refresh.StdOut)

	up, err = stack.Up(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"update": 1}, done(up.Summary.ResourceChanges), up.StdOut)
	require.NoError(t, a.Flush())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2", "the account's file holds a secret")

	_, err = stack.Destroy(ctx)
	require.NoError(t, err)
	require.Empty(t, a.Resources())
	require.NoError(t, a.Close())
}

// A reference to what is not there fails the update with AWS's code, and the
// rest of the stack stays.
func TestUpdateWithUnknownReference(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a, err := Open("")
	require.NoError(t, err)
	stack := stackOn(t, a, twoRegions("vpc-00000000000000000"))

	_, err = stack.Preview(ctx)
	require.NoError(t, err, "AWS says nothing at preview, either")
	up, err := stack.Up(ctx, optup.ContinueOnError())
	require.Error(t, err)
	require.Contains(t, err.Error(), "creating EC2 Subnet (app): operation error EC2: CreateSubnet, https response error StatusCode: 400", up.StdErr)
	require.Contains(t, err.Error(), "api error InvalidVpcID.NotFound: The vpc ID 'vpc-00000000000000000' does not exist")
	require.Len(t, a.Resources(), 5)

	_, err = stack.Destroy(ctx)
	require.NoError(t, err)
	require.Empty(t, a.Resources())
}

// tasks is a program whose one resource is replaced whenever the image changes,
// the new one before the old one goes.
func tasks(image string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		task, err := register(ctx, "aws:ecs/taskDefinition:TaskDefinition", "app", pulumi.Map{
			"family": pulumi.String("app"), "containerDefinitions": pulumi.String(`[{"name":"app","image":"` + image + `"}]`),
		})
		if err == nil {
			ctx.Export("task", task.Arn)
		}
		return err
	}
}

func TestReplacement(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a, err := Open("")
	require.NoError(t, err)
	stack := stackOn(t, a, tasks("app:1"))
	first, err := stack.Up(ctx)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:1", first.Outputs["task"].Value)
	stack.Workspace().SetProgram(tasks("app:2"))
	second, err := stack.Up(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"replace": 1}, done(second.Summary.ResourceChanges))
	require.Equal(t, "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:2", second.Outputs["task"].Value)
	require.Len(t, a.Resources(), 1, "the old one is gone")

	require.NoError(t, a.Vanish("app"))
	refresh, err := stack.Refresh(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"delete": 1}, done(refresh.Summary.ResourceChanges))
}
