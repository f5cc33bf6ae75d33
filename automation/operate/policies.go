package operate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"redoubt/automation/engine"
	"redoubt/policy/exempt"
	"redoubt/policy/profile"
)

// answersWithin is how long a pack may take to start and to say what it has.
const answersWithin = 10 * time.Second

// Policies asks a policy pack which policies it has, once for each build of it.
type Policies struct {
	// Pack is the pack's path.
	Pack string

	packs packs
	mu    sync.Mutex
	asked string // the digest of the build that has answered
	names []string
}

// Names are the policies whose findings there can be, sorted.
func (p *Policies) Names(ctx context.Context) ([]string, error) {
	digest, err := p.packs.digest(p.Pack)
	if err != nil {
		return nil, missingPack(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked == digest {
		return slices.Clone(p.names), nil
	}
	names, err := ask(ctx, p.Pack)
	if err != nil {
		return nil, fmt.Errorf("the policy pack %s does not say which policies it has: %w", p.Pack, err)
	}
	p.asked, p.names = digest, names
	return slices.Clone(names), nil
}

// ask starts a pack as the engine does: with the engine's address, and the pack's own
// port is the first line that it prints (pkg/v3, resource/plugin/analyzer_plugin.go).
func ask(ctx context.Context, pack string) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	// An engine that has nothing to say.
	server := grpc.NewServer()
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	cmd := exec.CommandContext(ctx, pack, listener.Addr().String())
	cmd.Env = engine.Inherit{}.Environment()
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(errors.New("it ends before it has said where it listens"), ctx.Err())
	}
	port, err := strconv.ParseUint(strings.TrimSpace(line), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%.40q is no port", line)
	}
	return namesAt(ctx, fmt.Sprintf("127.0.0.1:%d", port))
}

// findNothing are the policies that are settings of the pack.
var findNothing = []string{exempt.Policy, profile.Policy}

func namesAt(ctx context.Context, address string) (names []string, err error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // it was asked
	info, err := pulumirpc.NewAnalyzerClient(conn).GetAnalyzerInfo(ctx, &emptypb.Empty{}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	for _, p := range info.GetPolicies() {
		if !slices.Contains(findNothing, p.GetName()) {
			names = append(names, p.GetName())
		}
	}
	if len(names) == 0 {
		return nil, errors.New("it has none")
	}
	slices.Sort(names)
	return names, nil
}
