package redact

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Handler masks credentials in all that is logged through it, and hands it on.
type Handler struct{ next slog.Handler }

// NewHandler wraps a handler.
func NewHandler(next slog.Handler) *Handler { return &Handler{next} }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(attribute(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.next.WithAttrs(attributes(attrs))}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler { return &Handler{h.next.WithGroup(name)} }

func attributes(attrs []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = attribute(a)
	}
	return clean
}

func attribute(a slog.Attr) slog.Attr {
	if Secret(a.Key) {
		return slog.String(a.Key, Mask)
	}
	// Resolved here and not by the next handler: what a LogValuer makes is
	// logged too.
	a.Value = value(a.Value.Resolve())
	return a
}

func value(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(Text(v.String()))
	case slog.KindGroup:
		return slog.GroupValue(attributes(v.Group())...)
	case slog.KindAny:
		return anything(v)
	default: // numbers, times, booleans
		return v
	}
}

// anything keeps a value that holds no credential as it is, so that the next
// handler prints it as it would; else it becomes a text.
func anything(v slog.Value) slog.Value {
	text := ""
	switch x := v.Any().(type) {
	case nil:
		return v
	case error:
		return slog.StringValue(Text(x.Error()))
	case []byte:
		return slog.StringValue(Text(string(x)))
	case fmt.Stringer:
		return slog.StringValue(Text(x.String()))
	default:
		// Both forms: a text handler prints the one, a JSON handler the other.
		encoded, err := json.Marshal(x)
		if err != nil {
			return slog.StringValue(Text(fmt.Sprintf("%+v", x)))
		}
		if plain := fmt.Sprintf("%+v", x); Text(plain) != plain {
			return slog.StringValue(Text(plain))
		}
		text = string(encoded)
	}
	if clean := Text(text); clean != text {
		return slog.StringValue(clean)
	}
	return v
}
