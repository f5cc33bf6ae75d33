// Package speed measures the policy pack against its peers, in one run: a pack
// without rules, which is the floor; the same rules in the Go SDK's own library for
// packs; AWSGuard; and ten of the rules as a pack of Node's. `make bench` runs it
// and writes docs/performance.md.
//
// The stack is this repository's own prod stack, as the golden file has it, many
// times over.
package speed
