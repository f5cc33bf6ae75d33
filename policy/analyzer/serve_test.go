package analyzer

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"redoubt/policy/rule"
)

func TestRunSaysWhatThePackIs(t *testing.T) {
	t.Parallel()
	opts := Options{Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation}}
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{nil, exitUsage, "", "is a Pulumi policy pack of 1 rule. The Pulumi engine starts it"},
		{[]string{"--help"}, exitOK, "--policy-pack", ""},
		{[]string{"--version"}, exitOK, "test 1.2.3", ""},
		{[]string{"preview"}, exitUsage, "", `"preview" is not the address of a Pulumi engine`},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, c.code, run(opts, c.args, &stdout, &stderr), "%v", c.args)
		require.Contains(t, stdout.String(), c.stdout)
		require.Contains(t, stderr.String(), c.stderr)
		require.Equal(t, c.stdout == "", stdout.Len() == 0, "stdout is for the port: %v", c.args)
	}
	var stderr bytes.Buffer
	require.Equal(t, exitError, run(Options{Name: "bad"}, nil, io.Discard, &stderr))
	require.Contains(t, stderr.String(), "Version")
}

// TestServe starts the pack as the engine does: it reads the port from standard
// output and calls it.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, newPack(t, rotation), "127.0.0.1:1", w) }()

	port, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	client := pulumirpc.NewAnalyzerClient(conn)
	info, err := client.GetAnalyzerInfo(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, "test", info.Name)
	_, err = client.Handshake(ctx, &pulumirpc.AnalyzerHandshakeRequest{EngineAddress: "127.0.0.1:1"})
	require.NoError(t, err)

	require.NoError(t, conn.Close())
	cancel()
	require.NoError(t, <-done)
}
