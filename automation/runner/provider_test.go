package runner

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// fake is a provider of things. A slow thing is being made until the test says
// that it is.
type fake struct {
	plugin.UnimplementedProvider
	port int

	// begun is told when the making of a slow thing begins, canceled when the
	// engine cancels; release ends the making of all slow things.
	begun, canceled chan struct{}
	release         func()
	released        chan struct{}

	mu   sync.Mutex
	made map[string]int
}

func newFake() *fake {
	f := &fake{begun: make(chan struct{}, 10), canceled: make(chan struct{}, 10), released: make(chan struct{}), made: map[string]int{}}
	f.release = sync.OnceFunc(func() { close(f.released) })
	return f
}

// serveFake serves a provider until the test ends.
func serveFake(t *testing.T) *fake {
	t.Helper()
	f := newFake()
	cancel := make(chan bool)
	handle, err := f.serve(cancel)
	require.NoError(t, err)
	t.Cleanup(func() {
		f.release()
		close(cancel)
		require.NoError(t, <-handle.Done)
	})
	f.port = handle.Port
	return f
}

func (f *fake) serve(cancel chan bool) (rpcutil.ServeHandle, error) {
	return rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: cancel, Init: func(srv *grpc.Server) error {
		pulumirpc.RegisterResourceProviderServer(srv, plugin.NewProviderServer(f))
		return nil
	}})
}

// count is how many times a thing was made.
func (f *fake) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[name]
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

func (*fake) Diff(context.Context, plugin.DiffRequest) (plugin.DiffResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

func (f *fake) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	if req.Preview {
		return plugin.CreateResponse{Properties: req.Properties, Status: resource.StatusOK}, nil
	}
	if why, ok := req.Properties["refuse"]; ok {
		// As providers do that should not (pulumi/pulumi#3138).
		if why.IsSecret() {
			why = why.SecretValue().Element
		}
		return plugin.CreateResponse{Status: resource.StatusUnknown}, fmt.Errorf("refused because of %s", why.StringValue())
	}
	name := req.URN.Name()
	f.mu.Lock()
	f.made[name]++
	f.mu.Unlock()
	if req.Properties["slow"].IsBool() {
		f.begun <- struct{}{}
		<-f.released
	}
	return plugin.CreateResponse{ID: resource.ID("id-" + name), Properties: req.Properties, Status: resource.StatusOK}, nil
}

func (*fake) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}, Status: resource.StatusOK}, nil
}

func (*fake) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

func (f *fake) SignalCancellation(context.Context) error {
	f.canceled <- struct{}{}
	return nil
}

func (*fake) Close() error { return nil }

// pluginName is the provider that the CLI finds on PATH and starts itself.
const pluginName = "pulumi-resource-envy"

// servePlugin is the provider's process: it says its port, and ends with the
// engine, which is at the address that it is given.
func servePlugin() int {
	cancel := make(chan bool)
	handle, err := newFake().serve(cancel)
	if err == nil && len(os.Args) > 1 {
		err = rpcutil.Healthcheck(context.Background(), os.Args[len(os.Args)-1], healthcheckEvery, func() { close(cancel) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(handle.Port)
	if err := <-handle.Done; err != nil {
		return 1
	}
	return 0
}
