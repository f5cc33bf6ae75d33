// Package api is the HTTP API of self-service, everything below /v1: a table of
// endpoints over the use cases of package provision.
//
// The endpoints are in endpoints.go, the conventions that all of them follow in
// conventions.go, problem.go, idempotency.go and stream.go, and what is sent in
// a file for each noun. OpenAPI is made of the same table and the same types, see
// Document; docs/api.md is for who uses it.
package api
