package server

import (
	"io"
	"log/slog"

	"redoubt/automation/redact"
)

// NewLog makes the log that a configuration asks for. Credentials are masked in
// all that it writes.
func NewLog(config Log, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.Level}
	var handler slog.Handler = slog.NewTextHandler(to, options)
	if config.Format == "json" {
		handler = slog.NewJSONHandler(to, options)
	}
	return slog.New(redact.NewHandler(handler))
}
