// Package rehearsal is a simulated AWS account: a Pulumi provider for the
// package "aws" that runs preview, up, refresh and destroy on the real engine
// without credentials and without touching AWS.
//
// # What it does
//
// Any aws:* resource works: it is named, given an id and an ARN, echoes its
// inputs and fills its outputs. The types that the product uses behave like
// AWS: the service tables (ec2.go, kms.go, lb.go, …) hold a row per type with
// its id and ARN format, its computed outputs, what a change replaces, what it
// refers to and what stands in the way of deleting it.
//
// It says no where AWS says no, with AWS's error code: a reference to
// something that is not in the account, overlapping networks, names that are
// taken, too long or badly formed, policy documents that do not parse or lock
// their owner out, and deletes of things in use. [Refusals] lists them all with
// the page or issue that each comes from.
//
// # What it is not
//
// It is not AWS. It has no permissions, no latency unless asked for
// ([Account.Inject]), no eventual consistency and no data plane: nothing can be
// put into a bucket. A type without a row in the tables behaves generically and
// is counted in [Stats].NotModelled, so that a report can say what was not
// rehearsed.
//
// # Using it
//
// Open an account, serve it, and give the engine the server's environment
// entry; every Pulumi command of that environment then uses this account:
//
//	account, err := rehearsal.Open("account.jsonl")
//	server, err := rehearsal.Serve(ctx, account, "127.0.0.1:0")
//	cmd.Env = append(os.Environ(), server.Env()) // PULUMI_DEBUG_PROVIDERS=aws:PORT
//
// The account's file is a journal of JSON lines, one per change, so that a
// write costs the same in a large account as in a small one. Secret values are
// never written to it: the stack's own state keeps them.
package rehearsal
