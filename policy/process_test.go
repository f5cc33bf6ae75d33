package main

import (
	"bufio"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"redoubt/internal/built"
)

// TestTheCompiledPackServes starts the compiled pack the way that the engine
// starts a bare executable (pkg/v3 v3.259.0, resource/plugin/analyzer_plugin.go):
// one argument, the engine's address; the first line of its output is the port.
func TestTheCompiledPackServes(t *testing.T) {
	t.Parallel()
	exe, err := built.Pack()
	require.NoError(t, err)

	engine, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, engine.Close()) }()
	// The engine gives pack folders as a second argument in its oldest way.
	cmd := exec.Command(exe, engine.Addr().String(), ".")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait(), "it serves until the engine is gone")
	}()

	port, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	pack := plugin.NewAnalyzerWithClient("redoubt", pulumirpc.NewAnalyzerClient(conn))

	res, err := pack.Analyze(t.Context(), plugin.AnalyzerResource{
		URN:  "urn:pulumi:dev::shop::aws:lb/listener:Listener::https",
		Type: "aws:lb/listener:Listener",
		Name: "https",
		Properties: resource.PropertyMap{
			"loadBalancerArn": resource.MakeComputed(resource.NewStringProperty("")),
			"certificateArn":  resource.MakeComputed(resource.NewStringProperty("")),
			"protocol":        resource.NewStringProperty("HTTPS"),
			"sslPolicy":       resource.NewStringProperty("ELBSecurityPolicy-TLS-1-2-2017-01"),
		},
	})
	require.NoError(t, err)
	levels := map[string]apitype.EnforcementLevel{}
	for _, d := range res.Diagnostics {
		levels[d.PolicyName] = d.EnforcementLevel
	}
	require.Equal(t, apitype.Mandatory, levels["alb-listener-tls13-policy"])
}

// The stock CLI links the folder anew on each run, so that the pack must not
// grow the AWS SDK or the program that it judges. The grammars of patterns it
// shares with the program: they import the standard library only.
func TestThePackImportsNeitherTheProgramNorTheProvider(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "redoubt/policy/rules")
	shared := []string{"redoubt/internal/eventpattern", "redoubt/internal/filterpattern"}
	for _, d := range deps {
		if slices.Contains(shared, d) {
			continue
		}
		for _, not := range []string{"redoubt/infra", "redoubt/automation", "redoubt/internal", "github.com/pulumi/pulumi-aws", "github.com/aws/", "github.com/pulumi/pulumi/pkg"} {
			require.False(t, strings.HasPrefix(d, not), "policy imports %s", d)
		}
	}
}
