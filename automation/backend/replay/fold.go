package replay

import "fmt"

// folder is what a journal comes to so far. Entries name resources in two ways:
// those of the base by index (…Old), those that this update stored by the
// operation that stored them (…New).
type folder struct {
	options Options
	base    *deployment
	// old has a mark for every resource of the base.
	old []oldMark
	// stored are the states that operations of this update stored, in order, and
	// byOperation where in it.
	stored      []storedState
	byOperation map[int64]int
	// begun are the operations that have not ended, with their Begin entries.
	begun map[int64]entry
	// extensions were parameterized in this update.
	extensions []extension
	// refreshed says that resources may have gone although others name them.
	refreshed   bool
	byteStrings bool
	// sealed says that a RebuiltBaseState came after stored states: the client
	// counts from another list than we have, and sends nothing more.
	sealed bool
	// rebuilds counts the RebuiltBaseStates, each of which goes through it all.
	rebuilds int
	sequence int64
	dropped  []*JournalError
	// unsure says that indices may count from another base than ours, see
	// salvage.go.
	unsure bool
}

// oldMark is what entries did to a resource of the base.
type oldMark struct {
	remove, delete, pendingReplacement bool
	replacement                        *resource
}

type storedState struct {
	*resource
	removed bool
}

func newFolder(base *deployment, options Options) *folder {
	f := &folder{options: options}
	f.rebase(base)
	return f
}

// rebase makes a deployment the one that indices count from, and forgets the
// rest.
func (f *folder) rebase(base *deployment) {
	f.base = base
	f.old = make([]oldMark, len(base.resources))
	f.stored, f.extensions = nil, nil
	f.byOperation, f.begun = map[int64]int{}, map[int64]entry{}
}

func (f *folder) add(e entry) (err error) {
	switch {
	case e.version > journalVersion:
		return fmt.Errorf("it is of version %d of the journal's format, and this service reads 1", e.version)
	case e.sequence <= 0:
		return fmt.Errorf("it has no sequence id")
	case e.sequence <= f.sequence:
		return fmt.Errorf("it comes after entry %d: entries must be sorted, and each once", f.sequence)
	case f.sealed:
		f.sequence = e.sequence
		return fmt.Errorf("it follows a rebuilt base state that had to be the journal's end")
	}
	f.sequence = e.sequence
	f.byteStrings = f.byteStrings || e.byteStrings
	switch e.kind {
	case kindBegin:
		f.begun[e.operationID] = e
		return nil
	case kindSuccess:
		return f.end(e, f.success)
	case kindFailure:
		delete(f.begun, e.operationID)
		return nil // It may carry a state; the old one holds.
	case kindRefreshSuccess:
		f.refreshed = true
		return f.end(e, f.update)
	case kindOutputs:
		if e.state.empty() {
			return nil
		}
		return f.update(e)
	case kindWrite:
		return f.write(e)
	case kindSecretsManager:
		return f.secretsManager(e)
	case kindRebuiltBaseState:
		return f.rebuild()
	case kindExtensionParameterize:
		return f.extensionParameterize(e)
	case kindSnippets:
		var snippets []*snippet
		if !e.snippets.empty() {
			if snippets, err = parseSnippets(e.doc, e.snippets); err != nil {
				return err
			}
		}
		f.base.snippets = snippets
		return nil
	}
	return fmt.Errorf("kind %d is not one that this service knows, so its effect on the state is not either", e.kind)
}

// end is for a step that has ended, unless it cannot be seen how: then it stays
// begun, and becomes a pending operation of a state that is salvaged.
func (f *folder) end(e entry, do func(entry) error) error {
	if err := do(e); err != nil {
		return err
	}
	delete(f.begun, e.operationID)
	return nil
}

// success ends a step. Its state, if any, is a new row after the others; what
// it replaces is another's business, and named.
func (f *folder) success(e entry) error {
	if !e.state.empty() {
		state, err := parseResource(e.doc, e.state)
		if err != nil {
			return fmt.Errorf("state: %w", err)
		}
		f.byOperation[e.operationID] = len(f.stored)
		f.stored = append(f.stored, storedState{resource: state})
	}
	f.refreshed = f.refreshed || e.isRefresh
	return f.each(
		target{e.removeOld, f.onOld(e, func(m *oldMark) { m.remove = true })},
		target{e.removeNew, f.onStored(func(s *storedState) { s.removed = true })},
		target{e.deleteOld, f.onOld(e, func(m *oldMark) { m.delete = true })},
		target{e.deleteNew, f.onStored(func(s *storedState) { s.mark(&s.delete, fieldDelete) })},
		target{e.pendingOld, f.onOld(e, func(m *oldMark) { m.pendingReplacement = true })},
		target{e.pendingNew, f.onStored(func(s *storedState) {
			s.mark(&s.pendingReplacement, fieldPendingReplacement)
		})},
	)
}

// update puts a state in the place of the one it names, or takes that one away
// where it has none: a refresh found the resource gone.
func (f *folder) update(e entry) error {
	if e.state.empty() {
		return f.each(
			target{e.removeOld, f.onOld(e, func(m *oldMark) { m.remove = true })},
			target{e.removeNew, f.onStored(func(s *storedState) { s.removed = true })},
		)
	}
	state, err := parseResource(e.doc, e.state)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return f.each(
		target{e.removeOld, f.onOld(e, func(m *oldMark) { m.replacement = state })},
		target{e.removeNew, f.onStored(func(s *storedState) { s.resource = state })},
	)
}

// target is a number of an entry's and what to do with it, which fails where it
// leads nowhere.
type target struct {
	number *int64
	do     func(number int64) error
}

func (f *folder) each(targets ...target) error {
	for _, t := range targets {
		if t.number == nil {
			continue
		}
		if err := t.do(*t.number); err != nil {
			if err = f.drop(err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *folder) onOld(e entry, do func(*oldMark)) func(int64) error {
	return func(index int64) error {
		if index < 0 || index >= int64(len(f.old)) {
			return fmt.Errorf("it names resource %d of the base, which has %d", index, len(f.old))
		}
		if err := f.sameResource(e, index); err != nil {
			return err
		}
		do(&f.old[index])
		return nil
	}
}

func (f *folder) onStored(do func(*storedState)) func(int64) error {
	return func(operation int64) error {
		i, known := f.byOperation[operation]
		if !known {
			return fmt.Errorf("it names what operation %d stored, and no entry says what that is", operation)
		}
		do(&f.stored[i])
		return nil
	}
}
