// Package providertest is a provider of things for tests of operations: it counts
// what is made, and makes slow things when the test says so.
package providertest

import (
	"context"
	"fmt"
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

// Things is a provider of things, which have any properties. In the test's own
// process it outlives the processes that the test kills.
type Things struct {
	plugin.UnimplementedProvider
	// Port is where Serve serves it: PULUMI_DEBUG_PROVIDERS=fake:<port>.
	Port int

	// Begun is told when the making of a thing with a property "slow" begins, and
	// Canceled when the engine cancels. Release ends the making of all of them.
	Begun, Canceled chan struct{}
	Release         func()
	released        chan struct{}

	mu   sync.Mutex
	made map[string]int
}

// waiting is how many moments are remembered that no test has asked for yet.
const waiting = 100

// New is a provider that is not served yet.
func New() *Things {
	f := &Things{Begun: make(chan struct{}, waiting), Canceled: make(chan struct{}, waiting), released: make(chan struct{}), made: map[string]int{}}
	f.Release = sync.OnceFunc(func() { close(f.released) })
	return f
}

// Serve serves a provider until the test ends.
func Serve(t testing.TB) *Things {
	t.Helper()
	f, cancel := New(), make(chan bool)
	handle, err := f.Listen(cancel)
	require.NoError(t, err)
	t.Cleanup(func() {
		f.Release()
		close(cancel)
		require.NoError(t, <-handle.Done)
	})
	f.Port = handle.Port
	return f
}

// Listen serves it until cancel is closed.
func (f *Things) Listen(cancel chan bool) (rpcutil.ServeHandle, error) {
	return rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: cancel, Init: func(srv *grpc.Server) error {
		pulumirpc.RegisterResourceProviderServer(srv, plugin.NewProviderServer(f))
		return nil
	}})
}

// Count is how many times a thing of a stack was made.
func (f *Things) Count(stack, name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[stack+"/"+name]
}

// Handshake says that things may have secrets.
func (*Things) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

// Attach is what an engine does that did not start it.
func (*Things) Attach(string) error { return nil }

// GetPluginInfo gives a version.
func (*Things) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse("1.0.0")
	return plugin.PluginInfo{Version: &version}, nil
}

// CheckConfig takes any configuration.
func (*Things) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

// DiffConfig sees no difference.
func (*Things) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

// Configure needs nothing.
func (*Things) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

// Check takes any properties.
func (*Things) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	return plugin.CheckResponse{Properties: req.News}, nil
}

// Diff updates a thing in place whose inputs differ.
func (*Things) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	if req.OldInputs.DeepEquals(req.NewInputs) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome, ChangedKeys: []resource.PropertyKey{"tag"}}, nil
}

// Create makes a thing, unless it has a property "refuse", which says why not.
func (f *Things) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
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
	name := string(req.URN.Stack()) + "/" + req.URN.Name()
	f.mu.Lock()
	f.made[name]++
	f.mu.Unlock()
	if slow, ok := req.Properties["slow"]; ok && slow.IsBool() {
		f.Begun <- struct{}{}
		<-f.released
	}
	return plugin.CreateResponse{ID: resource.ID("id-" + name), Properties: req.Properties, Status: resource.StatusOK}, nil
}

// Update gives a thing its new inputs.
func (*Things) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	return plugin.UpdateResponse{Properties: req.NewInputs, Status: resource.StatusOK}, nil
}

// Read finds a thing as it was.
func (*Things) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}, Status: resource.StatusOK}, nil
}

// Delete forgets a thing.
func (*Things) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

// SignalCancellation tells the test.
func (f *Things) SignalCancellation(context.Context) error {
	f.Canceled <- struct{}{}
	return nil
}

// Close is the end of an engine.
func (*Things) Close() error { return nil }
