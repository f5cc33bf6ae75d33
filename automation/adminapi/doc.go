// Package adminapi is a small JSON API for administrators: organizations,
// tokens, protection and salvage of stacks, keys, required policies and the audit log; and
// its client, which the commands of redoubt use.
//
// Errors are RFC 9457 problem details. The API is not stable: it is v0.
//
// The endpoints are a table, see endpoints.go. Adding one is a row and a
// function of a *call.
package adminapi
