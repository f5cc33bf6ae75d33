package tracing_test

import (
	"context"
	"encoding/hex"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
)

// received is a span that the collector has.
type received struct {
	service, name, trace, id, parent string
	failed                           bool
	attributes                       map[string]string
	// text is all that was sent of it.
	text string
}

// receiver is a collector of OTLP over gRPC.
type receiver struct {
	collector.UnimplementedTraceServiceServer
	address string

	mu    sync.Mutex
	spans []received
}

func collect(t *testing.T) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &receiver{address: listener.Addr().String()}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, r)
	go func() { _ = server.Serve(listener) }() // it ends with Stop
	t.Cleanup(server.Stop)
	return r
}

// Export implements the collector's service.
func (r *receiver) Export(_ context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range in.ResourceSpans {
		service := ""
		for _, a := range of.Resource.GetAttributes() {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				text, err := protojson.Marshal(s)
				if err != nil {
					return nil, err
				}
				got := received{
					service: service, name: s.Name, trace: hex.EncodeToString(s.TraceId), id: hex.EncodeToString(s.SpanId), parent: hex.EncodeToString(s.ParentSpanId),
					failed: s.Status.GetCode() == 2, attributes: map[string]string{}, text: string(text),
				}
				for _, a := range s.Attributes {
					got.attributes[a.Key] = a.Value.GetStringValue()
				}
				r.spans = append(r.spans, got)
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

// named are the spans of a name in a trace.
func named(all []received, trace, name string) (found []received) {
	for _, s := range all {
		if s.trace == trace && s.name == name {
			found = append(found, s)
		}
	}
	return found
}

// above says whether a span is above another one in its trace.
func above(all []received, upper, lower received) bool {
	for range all {
		if lower.parent == upper.id {
			return true
		}
		i := slices.IndexFunc(all, func(s received) bool { return s.trace == lower.trace && s.id == lower.parent })
		if i < 0 {
			return false
		}
		lower = all[i]
	}
	return false
}
