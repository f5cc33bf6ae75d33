// Package backend keeps the state of Pulumi stacks, as the service that the
// stock CLI logs in to: it is the domain, and knows neither HTTP nor a
// database. Service has the use cases; Store is what it asks of a database;
// Replay turns the journal of an update into the state that it left.
//
// What it promises, and to whom:
//
//   - Durable: what was acknowledged to the engine is committed. A crash of the
//     CLI, of this process or of the database loses no acknowledged step.
//   - Fenced: a stack has one live lease. Who lost it writes nothing any more.
//   - Encrypted: states, journals, events and configurations are sealed with a
//     key of the stack's, which is itself wrapped by the operator's key.
//   - Recorded: who did what is written in the same transaction as the change.
package backend
