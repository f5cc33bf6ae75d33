// Package river wakes workers up with River's queues (github.com/riverqueue/river):
// provision.Dispatcher, and what a worker listens to.
//
//	queue, err := river.Open(ctx, address, river.Options{Slots: 4})
//	err = queue.Listen(ctx, func(ctx context.Context, j river.Job) { … })
//
// A job is a wake-up call and nothing else: it carries the id of an operation,
// lives for as long as it takes to hand that on, and may be lost, late or
// doubled. What is to be done, by whom, and that it is done once, is in the table
// of operations. So a worker that was killed leaves no job behind that blocks
// anybody, and a queue that is lost costs seconds: workers look into the table by
// themselves, too.
//
// In PostgreSQL the jobs are in the service's database, in a schema of their own,
// "river". With SQLite they are in a file of their own beside it, redoubt-queue.db:
// all writes to redoubt.db go through one writer, which commits those of many
// callers together, and River cannot write through it. Either way a job is
// inserted after the transaction that it is for has committed. A process that dies
// between the two has ordered nothing twice and lost nothing: the operation waits
// in its table, and a worker's look finds it.
package river
