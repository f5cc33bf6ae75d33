package story

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"redoubt/policy/analyzer"
	"redoubt/policy/rules"
)

// badPacks are policy packs that do not do what they are there for; this binary is
// one of them where it has its name.
var badPacks = map[string]func(pack pulumirpc.AnalyzerServer) pulumirpc.AnalyzerServer{
	// mute-pack listens, and knows none of the engine's calls.
	"mute-pack": func(pulumirpc.AnalyzerServer) pulumirpc.AnalyzerServer {
		return struct {
			pulumirpc.UnimplementedAnalyzerServer
		}{}
	},
	// empty-pack answers each call with nothing.
	"empty-pack": func(pack pulumirpc.AnalyzerServer) pulumirpc.AnalyzerServer { return emptyPack{pack} },
	// hanging-pack judges nothing, ever.
	"hanging-pack": func(pack pulumirpc.AnalyzerServer) pulumirpc.AnalyzerServer { return hangingPack{pack} },
	// dying-pack dies of a bucket's lifecycle, in the middle of a stack.
	"dying-pack": func(pack pulumirpc.AnalyzerServer) pulumirpc.AnalyzerServer { return &dyingPack{pack, true} },
	// late-pack is the real one in previews, and dies in updates.
	"late-pack": func(pack pulumirpc.AnalyzerServer) pulumirpc.AnalyzerServer { return &dyingPack{pack, false} },
}

type emptyPack struct{ pulumirpc.AnalyzerServer }

func (emptyPack) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	return &pulumirpc.AnalyzerInfo{Name: "redoubt", SupportsConfig: true}, nil
}

func (emptyPack) Configure(context.Context, *pulumirpc.ConfigureAnalyzerRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (emptyPack) Analyze(context.Context, *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	return &pulumirpc.AnalyzeResponse{}, nil
}

func (emptyPack) AnalyzeStack(context.Context, *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	return &pulumirpc.AnalyzeResponse{}, nil
}

type hangingPack struct{ pulumirpc.AnalyzerServer }

func (hangingPack) Analyze(ctx context.Context, _ *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

type dyingPack struct {
	pulumirpc.AnalyzerServer
	dies bool
}

func (p *dyingPack) ConfigureStack(ctx context.Context, req *pulumirpc.AnalyzerStackConfigureRequest) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	p.dies = p.dies || !req.GetDryRun()
	return p.AnalyzerServer.ConfigureStack(ctx, req)
}

func (p *dyingPack) Analyze(ctx context.Context, req *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	if p.dies && req.GetType() == "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2" {
		os.Exit(7)
	}
	return p.AnalyzerServer.Analyze(ctx, req)
}

// badPack is the path of one.
func badPack(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Symlink(self, path))
	return path
}

// serveBadPack serves one until the engine, at this address, is gone.
func serveBadPack(name, engine string) error {
	pack, err := analyzer.New(analyzer.Options{Name: "redoubt", Version: "1.0.0", Rules: rules.All()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: stop, Init: func(srv *grpc.Server) error {
		pulumirpc.RegisterAnalyzerServer(srv, badPacks[name](analyzer.NewServer(pack)))
		return nil
	}})
	if err != nil {
		return err
	}
	if err := rpcutil.Healthcheck(ctx, engine, time.Second, cancel); err != nil {
		return err
	}
	fmt.Println(handle.Port)
	<-ctx.Done()
	return nil
}
