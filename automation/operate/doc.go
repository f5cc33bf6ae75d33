// Package operate runs operations of provisioning on the real engine: it is
// provision.Engine over package runner, one process for each run.
//
//	engine, err := operate.Open(operate.Options{URL: server.URL(), Policy: "/usr/bin/redoubt-policy", Account: operate.Rehearsal, Data: data})
//	service.Perform(ctx, work, engine)
//
// An order's inputs are told to the program in memory (runner.Inputs). Where none of
// them is a secret they are in the stack's configuration too, under redoubt:inputs.
//
// A rehearsal (provision.PhaseRehearse) is an update of an empty stack in an account
// in memory, with a state in a folder that goes with it: nothing of it is real, and
// what is there already is not there. So a program that reads another stack's
// outputs cannot be rehearsed alone.
package operate
