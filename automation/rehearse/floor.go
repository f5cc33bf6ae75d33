package rehearse

import (
	"context"
	"crypto/rand"
	"maps"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"redoubt/internal/rehearsal"
)

// echo is the engine's floor: a provider that accepts everything, checks and
// keeps nothing, and answers at once with what it was given. What a program
// costs against it is what the engine itself costs. A program cannot go on
// without some answers, so data sources are another provider's, and what AWS
// would have computed is known from a run before.
type echo struct {
	plugin.UnimplementedProvider

	sources  plugin.Provider
	computed map[resource.URN]rehearsal.Resource
}

func (e echo) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

func (echo) Attach(string) error { return nil }

func (echo) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse("6.83.4")
	return plugin.PluginInfo{Version: &version}, nil
}

func (echo) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

func (echo) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

func (e echo) Configure(ctx context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return e.sources.Configure(ctx, req)
}

func (echo) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	return plugin.CheckResponse{Properties: req.News}, nil
}

func (echo) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	if req.OldInputs.DeepEquals(req.NewInputs) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome}, nil
}

func (e echo) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	if req.Preview {
		return plugin.CreateResponse{Properties: req.Properties, Status: resource.StatusOK}, nil
	}
	if known, ok := e.computed[req.URN]; ok {
		return plugin.CreateResponse{ID: resource.ID(known.ID), Properties: known.Outputs, Status: resource.StatusOK}, nil
	}
	return plugin.CreateResponse{ID: resource.ID(rand.Text()), Properties: req.Properties, Status: resource.StatusOK}, nil
}

func (echo) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	out := req.OldOutputs.Copy()
	maps.Copy(out, req.NewInputs)
	return plugin.UpdateResponse{Properties: out, Status: resource.StatusOK}, nil
}

func (echo) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}, Status: resource.StatusOK}, nil
}

func (echo) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

func (e echo) Invoke(ctx context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return e.sources.Invoke(ctx, req)
}

func (echo) SignalCancellation(context.Context) error { return nil }

func (echo) Close() error { return nil }

// serveEcho serves the floor on a free port until stop is called.
func serveEcho(sources plugin.Provider, computed []rehearsal.Resource) (port int, stop func() error, err error) {
	provider := &echo{sources: sources, computed: map[resource.URN]rehearsal.Resource{}}
	for _, r := range computed {
		provider.computed[resource.URN(r.URN)] = r
	}
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(srv, plugin.NewProviderServer(provider))
			return nil
		},
	})
	if err != nil {
		return 0, nil, err
	}
	return handle.Port, func() error {
		close(cancel)
		return <-handle.Done
	}, nil
}
