package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const header = "traceparent"

// Under is ctx for spans below the one that a W3C traceparent names; ctx itself where
// that is none.
func Under(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{header: traceparent})
}

// Traceparent is the span of ctx as W3C writes it; empty for none.
func Traceparent(ctx context.Context) string {
	into := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, into)
	return into[header]
}

// Sampled says whether the span of a traceparent is kept, and so what is below it.
func Sampled(traceparent string) bool {
	return trace.SpanContextFromContext(Under(context.Background(), traceparent)).IsSampled()
}
