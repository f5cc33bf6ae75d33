package analyzer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// server is the SDK's analyzer server with what it cannot pass on.
type server struct {
	pulumirpc.AnalyzerServer
	analyzer  *Analyzer
	elsewhere elsewhere
}

// NewServer returns the pack as a gRPC service.
func NewServer(a *Analyzer) pulumirpc.AnalyzerServer {
	return &server{plugin.NewAnalyzerServer(a), a, elsewhere{encoded: map[string]answers{}}}
}

// Analyze also names the rules that are about other types.
func (s *server) Analyze(ctx context.Context, req *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	out, err := s.AnalyzerServer.Analyze(ctx, req)
	if err != nil {
		return nil, err
	}
	rest, err := s.elsewhere.of(s.analyzer, req.GetType())
	out.ProtoReflect().SetUnknown(rest.analyze)
	return out, err
}

// Remediate also names the rules that are about other types.
func (s *server) Remediate(ctx context.Context, req *pulumirpc.AnalyzeRequest) (*pulumirpc.RemediateResponse, error) {
	out, err := s.AnalyzerServer.Remediate(ctx, req)
	if err != nil {
		return nil, err
	}
	rest, err := s.elsewhere.of(s.analyzer, req.GetType())
	out.ProtoReflect().SetUnknown(rest.remediate)
	return out, err
}

// GetAnalyzerInfo rewrites the schemas to plain JSON values first: the SDK's
// server hands plugin.JSONSchema to structpb, which knows only map[string]any,
// and panics (sdk v3.259.0, analyzer_server.go, marshalConfigSchema).
func (s *server) GetAnalyzerInfo(ctx context.Context, _ *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	info, err := s.analyzer.GetAnalyzerInfo(ctx)
	if err != nil {
		return nil, err
	}
	schemas := map[string]*plugin.AnalyzerPolicyConfigSchema{}
	for i := range info.Policies {
		schemas[info.Policies[i].Name] = info.Policies[i].ConfigSchema
		info.Policies[i].ConfigSchema = nil
	}
	out, err := plugin.NewAnalyzerServer(described{s.analyzer, info}).GetAnalyzerInfo(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, p := range out.Policies {
		schema := schemas[p.Name]
		if schema == nil {
			continue
		}
		p.ConfigSchema = &pulumirpc.PolicyConfigSchema{Required: schema.Required}
		text, err := json.Marshal(schema.Properties)
		if err == nil {
			p.ConfigSchema.Properties = &structpb.Struct{}
			err = p.ConfigSchema.Properties.UnmarshalJSON(text)
		}
		if err != nil {
			return nil, fmt.Errorf("policy %s: its configuration schema cannot be sent: %w", p.Name, err)
		}
	}
	return out, nil
}

// described is an analyzer whose description is already at hand.
type described struct {
	*Analyzer
	info plugin.AnalyzerInfo
}

func (d described) GetAnalyzerInfo(context.Context) (plugin.AnalyzerInfo, error) { return d.info, nil }

// ConfigureStack tells preview from update, and which stack it is; the SDK's server drops it.
func (s *server) ConfigureStack(
	_ context.Context, req *pulumirpc.AnalyzerStackConfigureRequest,
) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	s.analyzer.mu.Lock()
	defer s.analyzer.mu.Unlock()
	s.analyzer.phase = phaseUpdate
	s.analyzer.stack = strings.Trim(req.GetOrganization()+"/"+req.GetProject()+"/"+req.GetStack(), "/")
	if req.GetDryRun() {
		s.analyzer.phase = phasePreview
	}
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}
