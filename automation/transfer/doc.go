// Package transfer moves the states of stacks from one Pulumi backend into
// another: from file://, s3://, postgres:// or a service into a service, and
// back.
//
// The stock CLI reads every backend and writes those without a service: their
// formats are its own. A service is written through its API, because `pulumi
// stack import` and `pulumi stack migrate` drop the pending operations of a state
// (pkg/cmd/pulumi/stack/io.go, SaveSnapshot), re-encrypt only what a service had
// encrypted (stack_import.go), and lose what this CLI does not know.
//
// Secrets are decrypted by the CLI with the manager that encrypted them, are held
// in memory, and are encrypted by the target's manager. Between processes they
// go through pipes.
package transfer
