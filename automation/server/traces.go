package server

import (
	"redoubt/automation/redact"
	"redoubt/automation/tracing"
)

// check finds what is wrong with the settings as such.
func (t Tracing) check(found report) {
	if err := (tracing.Options{Endpoint: t.Endpoint}).Check(); err != nil {
		found("tracing.endpoint", "%s", redact.Text(err.Error()))
	}
	if !(t.Ratio >= 0 && t.Ratio <= 1) { // nor is it NaN
		found("tracing.ratio", "%v is no share of all: from 0, none, to 1, all", t.Ratio)
	}
	if t.Insecure && t.Endpoint == "" {
		found("tracing.insecure", "this says how the collector is reached, and there is none: give tracing.endpoint")
	}
}

// tracingOptions are what spans are sent with.
func (s *Server) tracingOptions() tracing.Options {
	t := s.config.Tracing
	return tracing.Options{Endpoint: t.Endpoint, Insecure: t.Insecure, Ratio: t.Ratio, Version: s.version, Log: s.log}
}
