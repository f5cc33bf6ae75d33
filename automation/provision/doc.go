// Package provision is the domain of self-service: teams order stacks made of
// blueprints, policy decides, people approve, and everything is recorded.
//
// An order is an Operation on an Environment. The table of operations is the
// truth about what is to be done; whatever wakes a worker up (see Dispatcher) may
// be lost, late or twice. A worker claims the environment, so that one operation
// at a time runs on it, and moves the operation along the transitions of state.go,
// each of which is one transaction with its event, its audit entry and its
// deliveries to webhooks.
//
// The states of the stacks themselves, their leases and their secrets are package
// backend's. What needs a technology is an interface here and a package beside
// this one: Store in sql, Dispatcher in river, Engine in operate, Authorizer in
// cedar.
package provision
