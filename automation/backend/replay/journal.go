package replay

import (
	"encoding/json"
	"fmt"
)

// kind is what a journal entry says; the numbers are the protocol's.
type kind int64

const (
	kindBegin kind = iota
	kindSuccess
	kindFailure
	kindRefreshSuccess
	kindOutputs
	kindWrite
	kindSecretsManager
	kindRebuiltBaseState
	kindExtensionParameterize
	kindSnippets
)

// Known says whether Replay knows what entries of a kind mean.
func Known(number int64) bool { return number >= int64(kindBegin) && number <= int64(kindSnippets) }

// Begins and Ends say whether an entry of that kind tells that a step begins, or
// what came of one.
func Begins(number int64) bool { return number == int64(kindBegin) }

// Ends: see Begins. A refresh's own kind is not among them.
func Ends(number int64) bool {
	return number == int64(kindSuccess) || number == int64(kindOutputs)
}

// journalVersion is the format of entries that the service offers to clients.
const journalVersion = 1

// JournalError is a journal that cannot be folded: it is not what a client sends.
// Nothing is lost; whoever keeps the entries still has them.
type JournalError struct {
	// Sequence is the entry's sequence id, 0 for one that has none.
	Sequence int64
	// Reason is a sentence without the entry's content, which may be secret.
	Reason string
	// Cause is what reading the journal failed with, where it did.
	Cause error
	// Partly says, of what Salvage left out, that it is only a part of the entry:
	// the rest of it counts.
	Partly bool
}

// Error implements error.
func (e *JournalError) Error() string {
	return fmt.Sprintf("journal entry %d: %s", e.Sequence, e.Reason)
}

// Unwrap returns the cause.
func (e *JournalError) Unwrap() error { return e.Cause }

// entry is an apitype.JournalEntry. What it carries stays a place in the
// document until it is needed.
type entry struct {
	doc                     []byte
	version, sequence       int64
	kind                    kind
	operationID             int64
	removeOld, removeNew    *int64
	deleteOld, deleteNew    *int64
	pendingOld, pendingNew  *int64
	state, operation        span
	secretsProvider         span
	newSnapshot, snippets   span
	extensionRef, extension span
	isRefresh, byteStrings  bool
}

func (s span) empty() bool { return s.from == s.to }

// parseEntry reads an entry, and not yet what it carries.
func parseEntry(doc json.RawMessage) (e entry, err error) {
	if !json.Valid(doc) {
		return e, errNotJSON
	}
	e.doc = doc
	err = eachField(doc, whole(doc), func(key []byte, value span) error {
		if isNull(doc, value) {
			return nil
		}
		if err := e.read(string(keyName(key)), value); err != nil {
			return fmt.Errorf("%s: %w", keyName(key), err)
		}
		return nil
	})
	return e, err
}

func (e *entry) read(key string, value span) (err error) {
	switch key {
	case "version":
		return e.number(&e.version, value)
	case "kind":
		return e.number((*int64)(&e.kind), value)
	case "sequenceID":
		return e.number(&e.sequence, value)
	case "operationID":
		return e.number(&e.operationID, value)
	case "removeOld":
		e.removeOld, err = integerAt(e.doc, value)
	case "removeNew":
		e.removeNew, err = integerAt(e.doc, value)
	case "deleteOld":
		e.deleteOld, err = integerAt(e.doc, value)
	case "deleteNew":
		e.deleteNew, err = integerAt(e.doc, value)
	case "pendingReplacementOld":
		e.pendingOld, err = integerAt(e.doc, value)
	case "pendingReplacementNew":
		e.pendingNew, err = integerAt(e.doc, value)
	case "isRefresh":
		e.isRefresh, err = boolAt(e.doc, value)
	case "requiresByteString":
		e.byteStrings, err = boolAt(e.doc, value)
	case "state":
		e.state = value
	case "operation":
		e.operation = value
	case "secretsProvider":
		e.secretsProvider = value
	case "newSnapshot":
		e.newSnapshot = value
	case "snippets":
		e.snippets = value
	case "extensionRef":
		e.extensionRef = value
	case "extension":
		e.extension = value
	}
	return err
}

func (e *entry) number(to *int64, value span) error {
	n, err := integerAt(e.doc, value)
	if n != nil {
		*to = *n
	}
	return err
}
