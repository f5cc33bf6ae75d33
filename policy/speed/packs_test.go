package speed

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"redoubt/internal/built"
)

// pack is a policy pack that is measured.
type pack struct {
	name string
	// sizes are the stacks that it is tried on, rounds how often, of which the median
	// counts: what is slow beyond measure is tried with few.
	sizes  []int
	rounds int
	// program returns the command that serves the pack, without the engine's address.
	program func(t testing.TB) []string
	// folder is where it is started.
	folder string
}

const (
	empty   = "empty"
	redoubt = "redoubt"
	ten     = "node-ten"
)

var packs = []pack{
	{name: empty, sizes: []int{100, 1000, 5000}, rounds: 5, program: peer(empty)},
	{name: redoubt, sizes: []int{100, 1000, 5000}, rounds: 5, program: func(t testing.TB) []string { return path(t, built.Pack) }},
	{name: "policyx", sizes: []int{100, 1000}, rounds: 2, program: peer("policyx")},
	{name: "awsguard", sizes: []int{100, 1000}, rounds: 3, program: node("awsguard"), folder: nodeFolder("awsguard")},
	{name: ten, sizes: []int{100, 1000}, rounds: 3, program: node("ten"), folder: nodeFolder("ten")},
}

func named(name string) pack {
	for _, p := range packs {
		if p.name == name {
			return p
		}
	}
	panic("no pack " + name)
}

func path(t testing.TB, program func() (string, error)) []string {
	t.Helper()
	exe, err := program()
	require.NoError(t, err)
	return []string{exe}
}

func peer(name string) func(testing.TB) []string {
	program := sync.OnceValues(func() (string, error) {
		return built.Peer("policy-peer-"+name, "redoubt/policy/speed/peers/"+name)
	})
	return func(t testing.TB) []string { return path(t, program) }
}

// nodeFolder is where tools/node-packs.sh has installed a pack of Node's.
func nodeFolder(name string) string { return filepath.Join("..", "..", "bin", "node-packs", name) }

// node serves a pack as the language host of Node does, with the program that it
// starts; the benchmark is skipped where there is none.
func node(name string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()
		exe, err := exec.LookPath("node")
		if _, missing := os.Stat(nodeFolder(name)); err != nil || missing != nil {
			t.Skip("Node, or its packs, are not there: tools/node-packs.sh installs them where it finds Node")
		}
		return []string{exe, filepath.Join("..", "node_modules", "@pulumi", "pulumi", "cmd", "run-policy-pack")}
	}
}

// served is a pack's process.
type served struct {
	pulumirpc.AnalyzerClient
	// start is how long it took from the start of the process until the pack had
	// described itself.
	start time.Duration
	info  *pulumirpc.AnalyzerInfo
	pid   int
	stop  func()
}

// serve starts the pack and asks it what the engine asks first.
func (p pack) serve(t testing.TB) *served {
	t.Helper()
	program, engine := p.program(t), anEngine(t)
	args := append(slices.Clone(program), engine, ".")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = p.folder
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stdout)
	port, err := lines.ReadString('\n')
	require.NoError(t, err, "the pack's port")
	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(400<<20)))
	require.NoError(t, err)
	s := &served{AnalyzerClient: pulumirpc.NewAnalyzerClient(conn), pid: cmd.Process.Pid}
	s.stop = sync.OnceFunc(func() {
		err := errors.Join(conn.Close(), cmd.Process.Kill())
		_, drained := io.Copy(io.Discard, lines)
		require.NoError(t, errors.Join(err, drained))
		require.Error(t, cmd.Wait(), "it was killed")
	})
	t.Cleanup(s.stop)
	s.greet(t, engine)
	s.start = time.Since(begun)
	return s
}

// anEngine is what a pack asks now and then whether the engine is still there.
func anEngine(t testing.TB) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(srv, health.NewServer())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listener) }()
	t.Cleanup(func() {
		srv.Stop()
		require.NoError(t, <-ended)
	})
	return listener.Addr().String()
}

// greet makes the calls with which the engine opens. Not every pack knows the
// first, and the library policyx cannot do without it.
func (s *served) greet(t testing.TB, engine string) {
	t.Helper()
	folder := "."
	_, _ = s.Handshake(t.Context(), &pulumirpc.AnalyzerHandshakeRequest{EngineAddress: engine, RootDirectory: &folder, ProgramDirectory: &folder})
	_, err := s.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{
		Stack: "dev", Project: "fixture", Organization: "organization", DryRun: true,
	})
	require.NoError(t, err)
	s.info, err = s.GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
}

// configure gives the pack the configuration that it described as its own.
func (s *served) configure(t testing.TB) {
	t.Helper()
	for _, c := range s.info.InitialConfig {
		if c.Properties == nil { // the engine sends an empty one
			c.Properties = &structpb.Struct{}
		}
	}
	_, err := s.Configure(t.Context(), &pulumirpc.ConfigureAnalyzerRequest{PolicyConfig: s.info.InitialConfig})
	require.NoError(t, err)
}

// preview is what the engine sends in one: every resource, twice, and then the stack.
type preview struct {
	resources []*pulumirpc.AnalyzeRequest
	stack     *pulumirpc.AnalyzeStackRequest
}

// recorder is a pack that keeps what it is asked, so that the requests are the very
// ones that the engine's client makes.
type recorder struct {
	pulumirpc.AnalyzerClient
	preview
}

func (r *recorder) Analyze(_ context.Context, in *pulumirpc.AnalyzeRequest, _ ...grpc.CallOption) (*pulumirpc.AnalyzeResponse, error) {
	r.resources = append(r.resources, in)
	return &pulumirpc.AnalyzeResponse{}, nil
}

func (r *recorder) AnalyzeStack(_ context.Context, in *pulumirpc.AnalyzeStackRequest, _ ...grpc.CallOption) (*pulumirpc.AnalyzeResponse, error) {
	r.stack = in
	return &pulumirpc.AnalyzeResponse{}, nil
}

// record makes the requests of a preview of the stack.
func record(t testing.TB, stack []plugin.AnalyzerStackResource, inputs []plugin.AnalyzerResource) preview {
	t.Helper()
	r := &recorder{}
	client := plugin.NewAnalyzerWithClient("recorder", r)
	for _, in := range inputs {
		_, err := client.Analyze(t.Context(), in)
		require.NoError(t, err)
	}
	_, err := client.AnalyzeStack(t.Context(), stack)
	require.NoError(t, err)
	return r.preview
}

// measured is how long a preview took, and what was found in it.
type measured struct {
	analyze, stack time.Duration
	findings       []*pulumirpc.AnalyzeDiagnostic
}

// preview sends a preview, one call after the other as the engine does.
func (s *served) preview(t testing.TB, p preview) measured {
	t.Helper()
	var out measured
	begun := time.Now()
	for _, in := range p.resources {
		_, err := s.Remediate(t.Context(), in)
		require.NoError(t, err)
		res, err := s.Analyze(t.Context(), in)
		require.NoError(t, err)
		for _, d := range res.Diagnostics {
			d.Urn = cmp.Or(d.Urn, in.Urn) // as the engine takes it
			out.findings = append(out.findings, d)
		}
	}
	out.analyze = time.Since(begun)
	begun = time.Now()
	res, err := s.AnalyzeStack(t.Context(), p.stack)
	require.NoError(t, err)
	out.stack = time.Since(begun)
	out.findings = append(out.findings, res.Diagnostics...)
	return out
}
