package worker

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"redoubt/automation/provision"
	"redoubt/automation/river"
	"redoubt/automation/tracing"
)

// span begins the span of an operation that this worker has taken, below the request
// that ordered it, beside that of its wait in the queue. There is another each time that a worker takes it: before its
// approval, and after.
func (w *Worker) span(o provision.Operation) (context.Context, trace.Span) {
	request := tracing.Under(context.Background(), o.Trace)
	if o.StartedAt.Equal(o.UpdatedAt) { // the first time
		_, waited := w.opts.Tracer.Start(request, "queue", trace.WithTimestamp(o.CreatedAt), trace.WithAttributes(
			attribute.String("redoubt.operation", o.ID), attribute.String("redoubt.queue", river.QueueOf(o.Kind))))
		waited.End(trace.WithTimestamp(o.StartedAt))
	}
	return w.opts.Tracer.Start(request, "operation "+string(o.Kind),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("redoubt.operation", o.ID), attribute.String("redoubt.kind", string(o.Kind)),
			attribute.String("redoubt.stack", o.Stack.String()), attribute.String("redoubt.blueprint", o.Blueprint.Name),
			attribute.String("redoubt.node", w.opts.Node)))
}

// left says how an operation was left, and ends its span.
func left(span trace.Span, o provision.Operation, err error) {
	span.SetAttributes(attribute.String("redoubt.state", string(o.State)))
	switch {
	case err != nil:
		span.SetStatus(codes.Error, "it could not be moved along")
	case o.Failure != nil && o.State.Final():
		span.SetStatus(codes.Error, string(o.Failure.Code)) // its message may hold anything
	}
	span.End()
}

// traced is the engine for one operation, whose runs are spans below it.
type traced struct {
	provision.Engine
	tracer    trace.Tracer
	metrics   Metrics
	operation context.Context
}

// Run implements provision.Engine: what the engine itself traces is below the phase.
func (e traced) Run(ctx context.Context, r provision.Run, emit func(provision.Event), kill <-chan struct{}) (provision.Result, error) {
	below, span := e.tracer.Start(e.operation, "phase "+string(r.Phase), trace.WithAttributes(
		attribute.String("redoubt.operation", r.Operation), attribute.String("redoubt.phase", string(r.Phase)),
		attribute.String("redoubt.stack", r.Stack.String())))
	defer span.End()
	r.Traceparent = tracing.Traceparent(below)
	result, err := e.Engine.Run(ctx, r, emit, kill)
	for op, n := range result.Counts {
		span.SetAttributes(attribute.Int("redoubt.resources."+op, n))
	}
	span.SetAttributes(attribute.Int("redoubt.findings", len(result.Findings)))
	for _, f := range result.Findings {
		e.metrics.Found(f.Pack, f.Policy, f.Level)
	}
	if err != nil {
		span.SetStatus(codes.Error, string(provision.CodeOf(err)))
	}
	return result, err
}
