package workload_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload"
	"redoubt/infra/workload/functions/search-bootstrap/search"
	"redoubt/internal/graphtest"
)

func bootstrap(t *testing.T, change func(*workload.SearchBootstrapArgs)) pulumi.RunFunc {
	t.Helper()
	dir := archives(t)
	return func(ctx *pulumi.Context) error {
		p, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		args := &workload.SearchBootstrapArgs{
			Platform: p, DomainName: "redoubt-dev-search", Endpoint: pulumi.String("vpc-redoubt.es.amazonaws.com"),
			Setup: workload.SearchSetup{
				Roles: map[string]any{"log_reader": map[string]any{
					"index_permissions": []any{map[string]any{"index_patterns": []string{"logs-*"}, "allowed_actions": []string{"read"}}},
				}},
				RoleMappings: map[string]any{"log_reader": map[string]any{"backend_roles": []string{scope.RoleARN("redoubt-dev-app-task")}}},
			},
			Concurrency: workload.Unreserved, After: []pulumi.Resource{p.Artifacts},
		}
		change(args)
		_, err = workload.NewSearchBootstrap(ctx, "search", args)
		return err
	}
}

func TestSearchBootstrapRunsWhenSomethingChanges(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, bootstrap(t, func(*workload.SearchBootstrapArgs) {}))
	run, fn := g.Only("aws:lambda/invocation:Invocation"), g.Only(functionType)
	require.Equal(t, "CREATE_ONLY", run.Input("lifecycleScope"))
	require.Equal(t, fn.Input("name"), run.Input("functionName"))
	require.Equal(t, "vpc-redoubt.es.amazonaws.com", run.Input("triggers.endpoint"))
	require.Len(t, run.Input("triggers.code"), 64)
	require.True(t, g.Depends(run, g.One("aws:s3/bucketV2:BucketV2", "artifacts-bucket")), "After comes first")
	require.Equal(t, workload.SearchBootstrapRoleName("redoubt-dev"), g.Only("aws:iam/role:Role").Input("name"))
	setUp := policy(t, g, "search-set-up")["SetUpDomain"]
	require.Equal(t, []string{"es:ESHttpGet", "es:ESHttpPut"}, setUp.Actions)
	require.Contains(t, setUp.Resources, "arn:aws:es:eu-central-1:123456789012:domain/redoubt-dev-search/_plugins/_security/api/*")

	// The function must understand what the stack sends.
	var event search.Setup
	require.NoError(t, json.Unmarshal([]byte(run.Input("input").(string)), &event))
	require.NoError(t, event.Validate())
	require.Contains(t, event.Roles, "log_reader")
	require.JSONEq(t, `{"backend_roles":["arn:aws:iam::123456789012:role/redoubt-dev-app-task"]}`, string(event.RoleMappings["log_reader"]))
}

func TestSearchBootstrapFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*workload.SearchBootstrapArgs){
		"platform: nil":       func(a *workload.SearchBootstrapArgs) { a.Platform = nil },
		"domainName: empty":   func(a *workload.SearchBootstrapArgs) { a.DomainName = "" },
		"concurrency: 0":      func(a *workload.SearchBootstrapArgs) { a.Concurrency = 0 },
		"endpoint: nil":       func(a *workload.SearchBootstrapArgs) { a.Endpoint = nil },
		"setup: empty":        func(a *workload.SearchBootstrapArgs) { a.Setup = workload.SearchSetup{} },
		"nobody has it":       func(a *workload.SearchBootstrapArgs) { a.Setup.RoleMappings = nil },
		"use plain values":    func(a *workload.SearchBootstrapArgs) { a.Setup.Policies = map[string]any{"x": make(chan int)} },
		"not built":           func(a *workload.SearchBootstrapArgs) { a.Platform.ArchiveDir = t.TempDir() },
		"platform.prefix: \"": func(a *workload.SearchBootstrapArgs) { a.Platform.Prefix = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(bootstrap(t, change))
			require.ErrorContains(t, err, want)
		})
	}
}
