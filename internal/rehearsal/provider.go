package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Version is the version of the pulumi-aws provider that the account stands in
// for; the schema that it knows is of this version.
const Version = "6.83.4"

// provider is one configured instance of the package "aws" on an account.
type provider struct {
	plugin.UnimplementedProvider

	acct *Account

	mu         sync.RWMutex
	configured bool
	conf       config
}

var _ plugin.GrpcProvider = (*provider)(nil)

// Provider is a new instance of the "aws" provider on this account, for an
// engine in this process. It works in one region, the one it is configured with.
func (a *Account) Provider() plugin.Provider { return &provider{acct: a} }

func (p *provider) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{
		AcceptSecrets: true, AcceptOutputs: false, SupportsAutonamingConfiguration: true,
	}, nil
}

func (p *provider) Attach(string) error { return nil }

func (p *provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	v := semver.MustParse(Version)
	return plugin.PluginInfo{Version: &v}, nil
}

// GetSchema is empty: the SDKs carry their own types, and nobody generates code
// from a rehearsal.
func (p *provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: []byte("{}")}, nil
}

func (p *provider) GetMapping(context.Context, plugin.GetMappingRequest) (plugin.GetMappingResponse, error) {
	return plugin.GetMappingResponse{}, nil
}

func (p *provider) GetMappings(context.Context, plugin.GetMappingsRequest) (plugin.GetMappingsResponse, error) {
	return plugin.GetMappingsResponse{}, nil
}

func (p *provider) SignalCancellation(context.Context) error { return p.acct.Flush() }

func (p *provider) Close() error { return p.acct.Flush() }

func (p *provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	res := plugin.CheckConfigResponse{Properties: req.News}
	if req.News.ContainsUnknowns() {
		return res, nil
	}
	if _, err := p.acct.readConfig(req.News); err != nil {
		res.Failures = []plugin.CheckFailure{{Reason: err.Error()}}
	}
	return res, nil
}

// DiffConfig replaces nothing but by a change of region, as the real provider.
func (p *provider) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return compare(req.OldInputs, req.NewInputs, req.IgnoreChanges, func(property string) bool { return property == "region" }), nil
}

func (p *provider) Configure(_ context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	conf, err := p.acct.readConfig(req.Inputs)
	if err != nil {
		return plugin.ConfigureResponse{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conf, p.configured = conf, true
	return plugin.ConfigureResponse{}, nil
}

// begin takes the account's lock and starts a call; end gives it back.
func (p *provider) begin(op operation, token, urn string) (c *call, end func(), err error) {
	p.mu.RLock()
	conf, configured := p.conf, p.configured
	p.mu.RUnlock()
	if !configured {
		return nil, nil, fmt.Errorf("rehearsal: %s %s before the provider was configured; the connection to the engine was lost, run the command again", op.doing, token)
	}
	a := p.acct
	if err := a.strike(op, token, urn); err != nil {
		return nil, nil, err
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil, nil, errors.New("rehearsal: the account is closed; open it again")
	}
	a.calls[op.name]++
	k, _ := kindOf(token)
	return &call{acct: a, kind: k, op: op, conf: conf, urn: urn}, a.mu.Unlock, nil
}
