package webhook

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"redoubt/automation/provision"
	"redoubt/automation/tracing"
)

// orderedIn is the trace of the order that a delivery tells of; empty where it tells
// of none, or that is not known.
func orderedIn(tx provision.Tx, d provision.Delivery) string {
	var about struct {
		Data struct {
			Operation string `json:"operation_id"`
		} `json:"data"`
	}
	if json.Unmarshal(d.Payload, &about) != nil || about.Data.Operation == "" {
		return ""
	}
	o, err := tx.Operation(about.Data.Operation)
	if err != nil {
		return "" // it is delivered without
	}
	return o.Trace
}

// span begins the span of an attempt. The receiver is not told of it: it is somebody
// else's.
func (o *Outbox) span(a attempt) trace.Span {
	tracer := o.Tracer
	if tracer == nil {
		tracer = noop.NewTracerProvider().Tracer("")
	}
	_, span := tracer.Start(tracing.Under(context.Background(), a.trace), "webhook delivery",
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("redoubt.webhook", a.hook.ID), attribute.String("redoubt.delivery", a.delivery.ID),
			attribute.String("redoubt.type", a.delivery.Type), attribute.Int("redoubt.attempt", a.delivery.Attempts)))
	return span
}

// ended says what became of an attempt. Its error is for the people of the webhook.
func ended(span trace.Span, status int, err error) {
	if status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if err != nil {
		span.SetStatus(codes.Error, "it was not delivered")
	}
}
