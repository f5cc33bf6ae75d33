// Package pulumiapi speaks the protocol that the stock Pulumi CLI speaks to its
// service, over the use cases of package backend: `pulumi login <address>` and
// everything after it works against it.
//
// The protocol has no published description; what is said about it in the
// comments here was read in github.com/pulumi/pulumi/pkg/v3 v3.259.0, and the
// file is named. It is tried with the real CLI in this package's tests.
//
// The endpoints are a table, see endpoints.go. Adding one is a row and a
// function of a *call.
package pulumiapi
