package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"
)

// Options are what a journal does not say about the state that it leads to.
type Options struct {
	// Time is when the state came to be, for its manifest.
	Time time.Time
	// Version is that of the CLI that made it, "v3.259.0"; the CLI is content
	// with none.
	Version string
	// Salvage folds a journal that is not whole: what leads nowhere, and entries
	// that cannot be read, are left out and reported in Dropped, where they are
	// errors otherwise. See salvage.go. Use it to offer a person the best state
	// that can be had, after the error.
	Salvage bool
}

// Result is what an update left.
type Result struct {
	// Deployment is the state, an apitype.UntypedDeployment as JSON.
	Deployment json.RawMessage
	// Resources is how many it has.
	Resources int
	// Pending are the operations that began and of which nobody knows the end.
	Pending []PendingOperation
	// Findings are what is wrong with the state, as VerifyIntegrity reports it.
	Findings []Finding
	// Dropped is what Salvage left out.
	Dropped []*JournalError
}

// PendingOperation is a step that may have happened.
type PendingOperation struct {
	// Type is "creating", "updating", "deleting", "reading" or "importing".
	Type string
	URN  string
}

// PendingCreates counts the resources that may exist although the state does not
// have them.
func (r Result) PendingCreates() int {
	n := 0
	for _, op := range r.Pending {
		if op.Type == "creating" {
			n++
		}
	}
	return n
}

// Replay folds a journal over the state that its update began with.
//
// The base is an apitype.UntypedDeployment as JSON, the very one that the client
// got when the update began, since entries name its resources by their places;
// nil, null and {} are a stack without a state. The entries are
// apitype.JournalEntry as JSON, sorted by their sequence ids, which may have
// gaps, and each once. Replay keeps them until it returns: the iterator must not
// use their memory again. An error of the iterator ends the replay and comes
// back, wrapped; but for a *JournalError, which is an entry that is there and
// cannot be read.
//
// A journal that no client sends is a *JournalError. So is a kind of entry that
// Replay does not know: what a newer client means by it cannot be left out
// safely. A state whose references dangle is no error: it is the only one there
// is, and has Findings.
//
// The time is linear in the sizes of base and journal.
func Replay(base json.RawMessage, entries iter.Seq2[json.RawMessage, error], options Options) (Result, error) {
	d, err := parseUntyped(base)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrBase, err)
	}
	f := newFolder(d, options)
	for raw, err := range entries {
		var unreadable *JournalError
		if err != nil && !errors.As(err, &unreadable) {
			return Result{}, fmt.Errorf("read the journal after entry %d: %w", f.sequence, err)
		}
		if err := f.take(raw, unreadable); err != nil {
			return Result{}, err
		}
	}
	if d, err = f.generate(); err != nil {
		return Result{}, asJournalError(err, f.sequence)
	}
	return Result{
		Deployment: d.untyped(manifest(options.Time, options.Version)),
		Resources:  len(d.resources),
		Pending:    d.pendingOperations(),
		Findings:   d.verify(),
		Dropped:    f.dropped,
	}, nil
}

// ErrBase says that it is the state that the update began with, and not the
// journal, that cannot be read.
var ErrBase = errors.New("the state that the update began with cannot be read")

// take adds an entry, or leaves it out where that is asked for.
func (f *folder) take(raw json.RawMessage, unreadable *JournalError) error {
	if unreadable != nil {
		return f.leaveOut(entry{sequence: unreadable.Sequence}, true, unreadable)
	}
	e, err := parseEntry(raw)
	if err != nil {
		return f.leaveOut(e, true, err)
	}
	if err := f.add(e); err != nil {
		return f.leaveOut(e, false, err)
	}
	return nil
}

func asJournalError(err error, sequence int64) *JournalError {
	var known *JournalError
	if errors.As(err, &known) {
		return known
	}
	return &JournalError{Sequence: sequence, Reason: err.Error(), Cause: err}
}

// Entries is a journal that is in memory already.
func Entries(list ...json.RawMessage) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for _, raw := range list {
			if !yield(raw, nil) {
				return
			}
		}
	}
}

// untyped is the deployment in its wrapper, which says how to read it.
func (d *deployment) untyped(manifest json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	size := 1 << 10
	for _, r := range d.resources {
		size += len(r.raw) + 64
	}
	b.Grow(size)
	names, version := d.features.names(), versionPlain
	if len(names) > 0 {
		version = versionFeatures
	}
	b.WriteString(`{"version":` + strconv.Itoa(version))
	if len(names) > 0 {
		b.WriteString(`,"features":`)
		quoteAll(&b, names)
	}
	b.WriteString(`,"deployment":`)
	d.write(&b, manifest)
	b.WriteByte('}')
	return b.Bytes()
}

func (d *deployment) pendingOperations() []PendingOperation {
	list := make([]PendingOperation, 0, len(d.pending))
	for _, op := range d.pending {
		list = append(list, PendingOperation{Type: op.kind, URN: op.resource.urn})
	}
	return list
}
