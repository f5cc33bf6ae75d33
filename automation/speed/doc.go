// Package speed measures the backend against what else keeps a Pulumi stack's
// state, in one run: the engine with checkpoints switched off, which loses
// everything in a crash and is the floor; the file:// backend; and this one, on
// SQLite and on PostgreSQL. `make bench` runs it and writes docs/performance.md.
//
// It also measures self-service against the bare CLI on the same backend, how soon
// an order starts, and how long the API takes to answer.
package speed
