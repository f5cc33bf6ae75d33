package engine

import "strings"

// Traces is where the CLI sends its spans. The zero value is nowhere.
type Traces struct {
	// Endpoint is a collector of OTLP: grpc://host:port, or grpcs:// with TLS. Others
	// see a process's flags: there is no secret in it.
	Endpoint string `json:"endpoint,omitempty"`
	// Parent is the W3C traceparent of the span that the CLI's are below.
	Parent string `json:"parent,omitempty"`
}

// flags are the CLI's arguments with the one that it takes for that.
func (t Traces) flags(args []string) []string {
	if t.Endpoint == "" {
		return args
	}
	return append([]string{"--otel-traces=" + t.Endpoint}, args...)
}

// variables say what the spans are below. Its value is checked where it comes from;
// here it is no more than one line.
func (t Traces) variables() []string {
	if t.Endpoint == "" || t.Parent == "" || strings.ContainsAny(t.Parent, "\n\x00") {
		return nil
	}
	return []string{"TRACEPARENT=" + t.Parent}
}
