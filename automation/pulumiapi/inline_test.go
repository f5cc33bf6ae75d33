package pulumiapi_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// inline drives an inline program through the Automation API, as runners do:
// with a token that may do what one operation needs, and no login.
func inline(t *testing.T, w *world, exe string) {
	ctx := context.WithoutCancel(t.Context())
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "bin"), 0o700))
	require.NoError(t, os.Symlink(exe, filepath.Join(root, "bin", "pulumi")))
	cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root, SkipVersionCheck: true})
	require.NoError(t, err)
	name := auto.FullyQualifiedStackName(org, "inline", "dev")
	input := "one"
	program := func(ctx *pulumi.Context) error {
		for _, name := range []string{"a", "b", "c"} {
			if _, err := pulumi.NewStash(ctx, name, &pulumi.StashArgs{Input: pulumi.ToSecret(pulumi.String(input + "-canary"))}); err != nil {
				return err
			}
		}
		ctx.Export("input", pulumi.ToSecret(pulumi.String(input)))
		return nil
	}
	stack, err := auto.UpsertStackInlineSource(ctx, name, "inline", program, auto.Pulumi(cli), auto.EnvVars(map[string]string{
		"PULUMI_HOME": filepath.Join(root, "home"), "PULUMI_BACKEND_URL": w.server.URL, "PULUMI_ACCESS_TOKEN": w.token(t, name, "write", "apply", "decrypt"),
		"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_JOURNALING_BATCH_PERIOD": "1",
	}))
	require.NoError(t, err)
	preview, err := stack.Preview(ctx)
	require.NoError(t, err)
	require.Equal(t, 4, preview.ChangeSummary["create"])
	up, err := stack.Up(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"create": 4}, *up.Summary.ResourceChanges)
	require.Equal(t, "one", up.Outputs["input"].Value)
	require.True(t, up.Outputs["input"].Secret)
	input = "two"
	up, err = stack.Up(ctx, optup.Message("the second"))
	require.NoError(t, err)
	require.Equal(t, "two", up.Outputs["input"].Value)
	up, err = stack.Up(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"same": 4}, *up.Summary.ResourceChanges)
	_, err = stack.Refresh(ctx)
	require.NoError(t, err)
	history, err := stack.History(ctx, 10, 1)
	require.NoError(t, err)
	require.Len(t, history, 4)
	require.Contains(t, history[2].Message, "the second") // the Automation API adds quotes
	_, err = stack.Destroy(ctx)
	require.NoError(t, err)
	state, err := stack.Export(ctx)
	require.NoError(t, err)
	require.NotContains(t, string(state.Deployment), "canary")
	require.NoError(t, stack.Workspace().RemoveStack(ctx, name))
}
