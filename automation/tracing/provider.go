package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Options say where spans go.
type Options struct {
	// Endpoint is the collector's address for OTLP over gRPC, host:port; empty for no
	// tracing at all.
	Endpoint string
	// Insecure is for a collector without TLS.
	Insecure bool
	// Ratio is the share of traces that are kept, 0 to 1, of those that begin here:
	// whoever hands a trace on has decided about it.
	Ratio float64
	// Version is the service's.
	Version string
	// Log is told of spans that cannot be sent; nil for nobody.
	Log *slog.Logger
}

// Check says what is wrong with an endpoint.
func (o Options) Check() error {
	if o.Endpoint == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(o.Endpoint)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%q is no address of a collector: host:port, for example 127.0.0.1:4317", o.Endpoint)
	}
	return nil
}

// Provider makes spans and sends them. A nil one makes none.
type Provider struct {
	options Options
	sdk     *sdk.TracerProvider
}

// Open prepares the sending; nil without an endpoint. The collector need not be
// there yet, nor all the time: what cannot be sent is lost, and nothing waits for it.
func Open(ctx context.Context, o Options) (*Provider, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	to := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(o.Endpoint)}
	if o.Insecure {
		to = append(to, otlptracegrpc.WithInsecure())
	}
	exporter, err := otlptracegrpc.New(ctx, to...)
	if err != nil {
		return nil, fmt.Errorf("the collector of traces: %w", err)
	}
	about, err := resource.Merge(resource.Environment(), resource.NewSchemaless(
		attribute.String("service.name", "redoubt"), attribute.String("service.version", o.Version)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err), exporter.Shutdown(ctx))
	}
	if o.Log != nil {
		// The SDK has one for the process, which otherwise writes to standard error.
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Log.Warn("spans are lost", "error", err) }))
	}
	return &Provider{options: o, sdk: sdk.NewTracerProvider(
		sdk.WithBatcher(exporter), sdk.WithResource(about), sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))),
	)}, nil
}

// Spans is what makes spans.
func (p *Provider) Spans() trace.TracerProvider {
	if p == nil {
		return noop.NewTracerProvider()
	}
	return p.sdk
}

// Tracer makes the spans of a package.
func (p *Provider) Tracer(name string) trace.Tracer {
	return p.Spans().Tracer("redoubt/automation/" + name)
}

// CLI is the collector as the Pulumi CLI's --otel-traces takes it; empty for none.
func (p *Provider) CLI() string {
	switch {
	case p == nil:
		return ""
	case p.options.Insecure:
		return "grpc://" + p.options.Endpoint
	default:
		return "grpcs://" + p.options.Endpoint
	}
}

// flushing is how long Close may take: a collector that is away holds up no stop.
const flushing = 5 * time.Second

// Close sends what is left.
func (p *Provider) Close() error {
	if p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushing)
	defer cancel()
	if err := p.sdk.Shutdown(ctx); err != nil {
		if p.options.Log != nil {
			p.options.Log.Warn("the last spans are lost", "error", err)
		}
	}
	return nil
}
