// Package story has only tests: whole lives of stacks, told to `redoubt serve` over
// HTTP as people would, with what goes wrong on the way. The binaries are the real
// ones, built once for the package; each server is a process of its own, the CLI is
// the stock one, the databases are SQLite and PostgreSQL, and orders go to the
// rehearsal account.
//
//	go test ./automation/story
//
// The binaries stay in the user's cache folder, where the next build finds them
// up to date.
package story
