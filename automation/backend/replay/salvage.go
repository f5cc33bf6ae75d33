package replay

import "fmt"

// A journal that is not whole is salvaged entry by entry. Nothing is made up: an
// entry counts, counts in part or is left out, and what was left out is
// reported. Of a step that began and whose end is left out, nobody knows whether
// it happened: it stays a pending operation.

// drop is the error, unless what is wrong with a part of an entry is to be left
// out and reported.
func (f *folder) drop(reason error) error {
	if !f.options.Salvage {
		return reason
	}
	f.dropped = append(f.dropped, &JournalError{Sequence: f.sequence, Reason: reason.Error(), Partly: true})
	return nil
}

// leaveOut is the error, unless the entry is to be left out and reported.
// unreadable says that not even its kind is known.
func (f *folder) leaveOut(e entry, unreadable bool, reason error) error {
	err := asJournalError(reason, e.sequence)
	if !f.options.Salvage {
		return err
	}
	f.dropped = append(f.dropped, err)
	f.sequence = max(f.sequence, e.sequence)
	f.unsure = f.unsure || unreadable || e.kind.movesBase()
	return nil
}

// movesBase says whether entries after one of this kind may count from another
// base than those before it.
func (k kind) movesBase() bool {
	return k == kindWrite || k == kindRebuiltBaseState || !Known(int64(k))
}

// sameResource refuses an index of the base that leads to another resource than
// the entry is about, where an entry is left out that may have moved the base: the
// wrong resource would be taken out of the state, and nobody would miss it.
func (f *folder) sameResource(e entry, index int64) error {
	if !f.unsure {
		return nil
	}
	if old := f.base.resources[index].urn; old != f.urnOf(e) {
		return fmt.Errorf("it names resource %d of the base, which is %s, and is about another one: "+
			"an entry before it that was left out may have changed the base", index, old)
	}
	return nil
}

// urnOf is the resource that an entry is about; empty where it does not say.
func (f *folder) urnOf(e entry) string {
	if !e.state.empty() {
		if r, err := parseResource(e.doc, e.state); err == nil {
			return r.urn
		}
	}
	if begun, ok := f.begun[e.operationID]; ok && !begun.operation.empty() {
		if op, err := parseOperation(begun.doc, begun.operation); err == nil && op.resource != nil {
			return op.resource.urn
		}
	}
	return ""
}
