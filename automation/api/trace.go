package api

import (
	"context"
	"crypto/rand"

	"go.opentelemetry.io/otel/trace"
)

// spanOf is the span that a request runs in: the one of the telemetry that is set
// up, or the caller's. A request without either gets a new one, so that a problem,
// the log and an operation can always be put together.
func spanOf(ctx context.Context) trace.SpanContext {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		return span
	}
	var id trace.TraceID
	var span trace.SpanID
	_, _ = rand.Read(id[:])   // never fails
	_, _ = rand.Read(span[:]) // nor does this
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span})
}

// traceparent is a span as W3C writes it.
func traceparent(span trace.SpanContext) string {
	if !span.IsValid() {
		return ""
	}
	return "00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-" + span.TraceFlags().String()
}
