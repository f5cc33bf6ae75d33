// Package replay turns what a CLI sent while an update ran into the state that
// the update left, and rewrites a state for a stack that gets another name.
//
// The CLI journals every step of an update as a small entry instead of sending
// the whole state each time. [Replay] folds such a journal over the state that
// the update began with:
//
//	result, err := replay.Replay(base, entries, replay.Options{Version: "v3.259.0", Time: now})
//
// The rules are those of Pulumi's own replayer (pkg/v3/backend, JournalReplayer),
// which the tests run beside this one. That package brings most of the engine
// with it, and it decodes states into types: what a newer CLI added to a resource
// is lost there, and so are integers over 2⁵³. Here a state stays the JSON that
// the CLI wrote. A resource that an update did not touch leaves byte for byte as
// it came; in one that it touched, only the fields that change are written anew.
//
// Nothing here panics on what a client sent: a journal that cannot be folded is a
// [JournalError] that names the entry.
package replay
