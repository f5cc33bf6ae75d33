package languagehost_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"redoubt/internal/languagehost"
)

// serve starts a host and a client of it, as the engine would be.
func serve(t *testing.T, opts languagehost.Options) pulumirpc.LanguageRuntimeClient {
	t.Helper()
	s, err := languagehost.Serve(context.WithoutCancel(t.Context()), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "closing twice is harmless")
	})
	port, ok := strings.CutPrefix(s.Env(), "PULUMI_DEBUG_LANGUAGES=go:")
	require.True(t, ok, s.Env())
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return pulumirpc.NewLanguageRuntimeClient(conn)
}

// program writes a Go program into a folder of its own.
func program(t *testing.T, body string) *pulumirpc.ProgramInfo {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module program\n\ngo 1.26\n"), 0o600))
	source := "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\t_, _ = fmt.Fprint(os.Stderr)\n" + body + "\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600))
	return &pulumirpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir, EntryPoint: "."}
}

func TestRunGivesTheProgramWhatPulumiRunReads(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	client := serve(t, languagehost.Options{Stdout: &out})
	info := program(t, `for _, k := range []string{"PROJECT", "STACK", "ORGANIZATION", "CONFIG", "CONFIG_SECRET_KEYS", "DRY_RUN", "MONITOR", "ENGINE"} {
		fmt.Println(k + "=" + os.Getenv("PULUMI_"+k))
	}`)
	// The newest address counts: the engine handshakes more than once.
	for _, address := range []string{"127.0.0.1:1", "127.0.0.1:2"} {
		_, err := client.Handshake(t.Context(), &pulumirpc.LanguageHandshakeRequest{EngineAddress: address})
		require.NoError(t, err)
	}
	res, err := client.Run(t.Context(), &pulumirpc.RunRequest{
		Project: "p", Stack: "s", Organization: "o", Config: map[string]string{"p:a": "1"}, ConfigSecretKeys: []string{"p:b"},
		DryRun: true, MonitorAddress: "127.0.0.1:3", Pwd: info.ProgramDirectory, Info: info,
	})
	require.NoError(t, err)
	require.Empty(t, res.Error)
	require.False(t, res.Bail)
	require.Equal(t, strings.Join([]string{
		"PROJECT=p", "STACK=s", "ORGANIZATION=o", `CONFIG={"p:a":"1"}`, `CONFIG_SECRET_KEYS=["p:b"]`, "DRY_RUN=true", "MONITOR=127.0.0.1:3", "ENGINE=127.0.0.1:2", "",
	}, "\n"), out.String())
}

func TestRunSaysHowAProgramEnded(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		body      string
		bail      bool
		wantError string
	}{
		"told the engine": {"os.Exit(32)", true, ""},
		"crashed":         {"os.Exit(3)", false, "ended badly: exit status 3"},
		"does not build":  {"undefined()", false, "go build in"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := program(t, row.body)
			res, err := serve(t, languagehost.Options{}).Run(t.Context(), &pulumirpc.RunRequest{Info: info, Pwd: info.ProgramDirectory})
			require.NoError(t, err)
			require.Equal(t, row.bail, res.Bail)
			if row.wantError == "" {
				require.Empty(t, res.Error)
			} else {
				require.Contains(t, res.Error, row.wantError)
			}
		})
	}
}

func TestRunPluginStreamsOutputAndExitCode(t *testing.T) {
	t.Parallel()
	info := program(t, `fmt.Println("port", os.Args[1], os.Getenv("COLOUR"))
	os.Exit(7)`)
	stream, err := serve(t, languagehost.Options{}).RunPlugin(t.Context(), &pulumirpc.RunPluginRequest{
		Info: info, Pwd: info.ProgramDirectory, Args: []string{"4711"}, Env: []string{"COLOUR=red"},
	})
	require.NoError(t, err)
	var stdout bytes.Buffer
	exit := int32(-1)
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		stdout.Write(msg.GetStdout())
		if code, ok := msg.GetOutput().(*pulumirpc.RunPluginResponse_Exitcode); ok {
			exit = code.Exitcode
		}
	}
	require.Equal(t, "port 4711 red\n", stdout.String())
	require.EqualValues(t, 7, exit)
}
