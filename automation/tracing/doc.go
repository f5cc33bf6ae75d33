// Package tracing sends what the service does as OpenTelemetry spans to a collector:
// one trace from the request that ordered an operation, over each phase of it, to
// the steps of the Pulumi CLI.
//
//	request POST /v1/                        package api
//	├─ queue                                 package worker: until one takes it
//	└─ operation up                          each time that one does
//	   ├─ phase preview                      one run of the engine
//	   │  └─ pulumi …                        the CLI's own
//	   └─ phase up
//	      └─ pulumi …
//	webhook delivery                         package webhook, below the request too
//
// Attributes are names, ids, counts and codes: no input, no output, no message.
package tracing
