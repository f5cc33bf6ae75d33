package workload_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload"
	"redoubt/internal/graphtest"
)

// An archive that is in a bucket already is signed as it is: no other version.
func TestAnArchiveInABucketIsSigned(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, function("none", func(a *workload.FunctionArgs) {
		a.Program, a.Code = "", &workload.FunctionCode{Bucket: "builds", Key: "invoices/1.zip", Version: "3sL4", Runtime: "nodejs22.x", Handler: "index.handler", Architecture: "x86_64"}
	}))
	require.Empty(t, g.ByType("aws:s3/bucketObjectv2:BucketObjectv2"), "nothing is uploaded")
	job := g.Only(jobType)
	require.Equal(t, "builds", job.Input("source.s3.bucket"))
	require.Equal(t, "invoices/1.zip", job.Input("source.s3.key"))
	require.Equal(t, "3sL4", job.Input("source.s3.version"))
	fn := g.Only(functionType)
	require.Equal(t, "nodejs22.x", fn.Input("runtime"))
	require.Equal(t, "index.handler", fn.Input("handler"))
	require.Equal(t, []any{"x86_64"}, fn.Input("architectures"))
	require.Equal(t, []string{job.URN}, fn.PropertyDependencies["s3Key"])
}

func TestAnArchiveInABucketIsChecked(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(function("none", func(a *workload.FunctionArgs) {
		a.Code = &workload.FunctionCode{Bucket: "B", Version: "null", Runtime: "nodejs12.x", Handler: "a b", Architecture: "mips"}
	}))
	for _, field := range []string{"program", "code.bucket", "code.key", "code.version", "code.runtime", "code.handler", "code.architecture"} {
		require.ErrorContains(t, err, field+": ")
	}
}

func TestAServiceListensWhereItSays(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(func(a *workload.ServiceArgs) {
		a.Port, a.SecretKeyAliases = 8080, []string{"alias/other"}
	}))
	require.Contains(t, g.Only("aws:ecs/taskDefinition:TaskDefinition").Input("containerDefinitions"), `"containerPort":8080,"hostPort":8080`)
	require.Contains(t, g.One("aws:iam/rolePolicy:RolePolicy", "app-execution-start-tasks").Input("policy"), `"DecryptSecrets"`)
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		return service(func(a *workload.ServiceArgs) { a.Port, a.SecretKeyAliases = 80, []string{"other"} })(ctx)
	})
	require.ErrorContains(t, err, "port: 80")
	require.ErrorContains(t, err, "secretKeyAliases[0]: ")
}

func TestNamesOfVariables(t *testing.T) {
	t.Parallel()
	require.True(t, workload.TellsSecret("DB_PASSWORD"))
	require.False(t, workload.TellsSecret("DB_PASSWORD_ARN"))
	require.True(t, workload.ReservedVariable("AWS_REGION"))
	require.NoError(t, workload.CheckSize(256, 512))
	require.Error(t, workload.CheckSize(256, 4096))
}
