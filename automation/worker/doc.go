// Package worker is the loop of a node that runs operations: it takes what waits,
// as many at once as it has slots, and moves each along until it is done with it.
//
//	w := worker.New(service, engine, queue, worker.Options{Slots: 4})
//	err := w.Run(ctx)
//
// What is next is for the table of operations to say (provision.Store.Runnable): a
// job in the queue only says that it is time to look, and so do an order in the same
// process, which needs no queue, and a clock. A node
// dies at any moment: its claims end, and the sweep of another takes what it had.
package worker
