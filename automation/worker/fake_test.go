package worker_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// fake is a provider of things, in the test's own process: it outlives nodes that
// the test kills. A slow thing is being made until the test says that it is.
type fake struct {
	plugin.UnimplementedProvider
	port int

	begun    chan struct{}
	release  func()
	released chan struct{}

	mu   sync.Mutex
	made map[string]int
}

func newFake() *fake {
	f := &fake{begun: make(chan struct{}, 100), released: make(chan struct{}), made: map[string]int{}}
	f.release = sync.OnceFunc(func() { close(f.released) })
	return f
}

// serveFake serves a provider until the test ends.
func serveFake(t *testing.T) *fake {
	t.Helper()
	f := newFake()
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: cancel, Init: func(srv *grpc.Server) error {
		pulumirpc.RegisterResourceProviderServer(srv, plugin.NewProviderServer(f))
		return nil
	}})
	require.NoError(t, err)
	t.Cleanup(func() {
		f.release()
		close(cancel)
		require.NoError(t, <-handle.Done)
	})
	f.port = handle.Port
	return f
}

// count is how many times a thing of a stack was made.
func (f *fake) count(stack, name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[stack+"/"+name]
}

func (*fake) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

func (*fake) Attach(string) error { return nil }

func (*fake) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse("1.0.0")
	return plugin.PluginInfo{Version: &version}, nil
}

func (*fake) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

func (*fake) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

func (*fake) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (*fake) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	return plugin.CheckResponse{Properties: req.News}, nil
}

func (*fake) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	if req.OldInputs.DeepEquals(req.NewInputs) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome, ChangedKeys: []resource.PropertyKey{"tag"}}, nil
}

func (f *fake) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	if req.Preview {
		return plugin.CreateResponse{Properties: req.Properties, Status: resource.StatusOK}, nil
	}
	if why, ok := req.Properties["refuse"]; ok {
		return plugin.CreateResponse{Status: resource.StatusUnknown}, fmt.Errorf("refused because of %s", why.StringValue())
	}
	name := string(req.URN.Stack()) + "/" + req.URN.Name()
	f.mu.Lock()
	f.made[name]++
	f.mu.Unlock()
	if slow, ok := req.Properties["slow"]; ok && slow.IsBool() {
		f.begun <- struct{}{}
		<-f.released
	}
	return plugin.CreateResponse{ID: resource.ID("id-" + name), Properties: req.Properties, Status: resource.StatusOK}, nil
}

func (*fake) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	return plugin.UpdateResponse{Properties: req.NewInputs, Status: resource.StatusOK}, nil
}

func (*fake) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}, Status: resource.StatusOK}, nil
}

func (*fake) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

func (*fake) SignalCancellation(context.Context) error { return nil }

func (*fake) Close() error { return nil }

// waitFor waits until there is a file, which is how a program of another process is
// told to go on.
func waitFor(ctx context.Context, path string) error {
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		if err := os.WriteFile(path+".waits", nil, 0o600); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
