package replay_test

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// run plays an update: what it does to the state before it starts, a refresh or
// two, the program's steps, and the deletions.
func (g *generator) run() {
	g.send(apitype.JournalEntry{
		Kind: apitype.JournalEntryKindSecretsManager, SecretsProvider: secretsProvider(pick(g, "dev", "dev", "prod")),
	})
	if g.chance(15) {
		g.rewrite()
	}
	if g.chance(10) {
		g.send(apitype.JournalEntry{Kind: apitype.JournalEntryKindSnippets, Snippets: g.snippets()})
	}
	g.wait()
	for range max(0, g.IntN(5)-2) {
		g.refresh()
	}
	g.program()
	g.deletions()
	g.wait()
	if g.chance(5) {
		g.send(apitype.JournalEntry{Kind: apitype.JournalEntryKindRebuiltBaseState})
	}
}

// rewrite is what the engine does to a state that it cannot start from as it is.
func (g *generator) rewrite() {
	next := g.base
	next.Resources = slices.Clone(next.Resources)
	if len(next.Resources) > 1 && g.chance(50) {
		next.Resources = slices.Delete(next.Resources, 1, 2)
	}
	if g.chance(50) {
		next.Resources = append(next.Resources, g.state(next.Resources))
	}
	if g.chance(30) {
		next.PendingOperations = nil
	}
	g.base = next
	g.send(apitype.JournalEntry{Kind: apitype.JournalEntryKindWrite, NewSnapshot: &next})
	g.number()
}

// refresh reads every resource, some of which are gone, and makes what it found
// the base.
func (g *generator) refresh() {
	gone := map[*row]bool{}
	for _, r := range g.rows {
		if g.chance(10) {
			continue
		}
		op := g.operation("", nil)
		g.later(func() {
			e := apitype.JournalEntry{
				Kind: apitype.JournalEntryKindRefreshSuccess, OperationID: op, IsRefresh: true, RemoveOld: r.old, RemoveNew: r.new,
			}
			switch {
			case g.chance(5):
				e.Kind = apitype.JournalEntryKindFailure
				e.State = g.touched(r.ResourceV3)
			case g.chance(15):
				gone[r] = true
			default:
				e.State = g.touched(r.ResourceV3)
				if r.Delete {
					e.State.Delete = true
				}
				r.ResourceV3 = *e.State
			}
			g.send(e)
		})
	}
	g.wait()
	g.send(apitype.JournalEntry{Kind: apitype.JournalEntryKindRebuiltBaseState})
	g.base.Resources = nil
	for _, r := range g.rows {
		if !gone[r] {
			r.Aliases = nil
			g.base.Resources = append(g.base.Resources, r.ResourceV3)
		}
	}
	g.number()
	g.wait()
}

// program plays the steps that registrations of resources lead to.
func (g *generator) program() {
	rows := g.rows
	for _, r := range rows {
		if r.Delete || g.chance(15) {
			continue // The deletions come to it.
		}
		switch g.IntN(8) {
		case 0, 1, 2:
			g.same(r)
		case 3:
			g.update(r, "updating")
		case 4:
			g.replace(r)
		case 5:
			g.replaceAfterDelete(r)
		case 6:
			g.update(r, "reading")
		case 7:
			g.refreshFirst(r)
		}
		for range g.IntN(2) {
			g.create()
		}
		if g.chance(5) {
			ref, extension := g.ref(), g.extension()
			g.operations++
			g.send(apitype.JournalEntry{
				Kind: apitype.JournalEntryKindExtensionParameterize, OperationID: g.operations, ExtensionRef: &ref, Extension: &extension,
			})
		}
	}
}

// end sends the end of an operation: a success as given, or now and then a
// failure that still has its state.
func (g *generator) end(op int64, e apitype.JournalEntry, stored *row) bool {
	e.OperationID, e.Kind = op, apitype.JournalEntryKindSuccess
	failed := g.chance(7)
	if failed {
		e.Kind = apitype.JournalEntryKindFailure
	}
	g.send(e)
	if !failed && stored != nil {
		stored.old, stored.new = nil, &op
		stored.ResourceV3 = *e.State
		g.rows = append(g.rows, stored)
	}
	return !failed
}

// replaced takes a row out of those that later steps may work on.
func (g *generator) replaced(r *row) {
	g.rows = slices.DeleteFunc(g.rows, func(other *row) bool { return other == r })
}

func (g *generator) same(r *row) {
	op := g.operation("", nil)
	g.elided[op] = true
	g.later(func() {
		e := apitype.JournalEntry{State: g.touched(r.ResourceV3), RemoveOld: r.old, RemoveNew: r.new}
		if stored := (&row{}); g.end(op, e, stored) {
			g.replaced(r)
			g.outputs(stored)
		}
	})
}

func (g *generator) update(r *row, kind apitype.OperationType) {
	state := g.touched(r.ResourceV3)
	op := g.operation(kind, state)
	g.later(func() {
		e := apitype.JournalEntry{State: state, RemoveOld: r.old, RemoveNew: r.new}
		if stored := (&row{}); g.end(op, e, stored) {
			g.replaced(r)
			g.outputs(stored)
		}
	})
}

// create also plays reads and imports of resources that the state did not have.
func (g *generator) create() {
	state := g.state(append(slices.Clone(g.base.Resources), apitype.ResourceV3{URN: urnPrefix + "pkg:m:New::new"}))
	op := g.operation(pick[apitype.OperationType](g, "creating", "creating", "reading", "importing"), &state)
	g.later(func() {
		if stored := (&row{}); g.end(op, apitype.JournalEntry{State: &state}, stored) {
			g.outputs(stored)
		}
	})
}

// outputs registers a component's outputs, or a refresh's finds of old states.
func (g *generator) outputs(r *row) {
	if !g.chance(20) {
		return
	}
	g.operations++
	e := apitype.JournalEntry{Kind: apitype.JournalEntryKindOutputs, OperationID: g.operations, RemoveOld: r.old, RemoveNew: r.new}
	e.State = g.touched(r.ResourceV3)
	g.send(e)
}

// replace creates the new one first; the old one waits for its deletion.
func (g *generator) replace(r *row) {
	state := g.touched(r.ResourceV3)
	op := g.operation(pick[apitype.OperationType](g, "creating", "importing"), state)
	g.later(func() {
		e := apitype.JournalEntry{State: state, DeleteOld: r.old, DeleteNew: r.new}
		if r.PendingReplacement {
			e = apitype.JournalEntry{State: state, RemoveOld: r.old, RemoveNew: r.new}
		}
		stored := &row{}
		if g.end(op, e, stored) && r.PendingReplacement {
			g.replaced(r)
		}
		if g.chance(10) {
			g.outputs(r)
		}
	})
}

// replaceAfterDelete deletes the old one first, which stays as a promise of the
// new one.
func (g *generator) replaceAfterDelete(r *row) {
	op := g.operation("deleting", &r.ResourceV3)
	g.later(func() {
		if !g.end(op, apitype.JournalEntry{PendingReplacementOld: r.old, PendingReplacementNew: r.new}, nil) {
			return
		}
		state := g.touched(r.ResourceV3)
		create := g.operation("creating", state)
		g.later(func() {
			e := apitype.JournalEntry{State: state, RemoveOld: r.old, RemoveNew: r.new}
			if g.end(create, e, &row{}) {
				g.replaced(r)
			}
		})
	})
}

// refreshFirst reads a resource inside the program, stores what it found, and
// goes on with that.
func (g *generator) refreshFirst(r *row) {
	op := g.operation("", nil)
	g.later(func() {
		e := apitype.JournalEntry{IsRefresh: true, State: g.touched(r.ResourceV3), RemoveOld: r.old, RemoveNew: r.new}
		stored := &row{}
		if !g.end(op, e, stored) {
			return
		}
		g.replaced(r)
		switch g.IntN(5) {
		case 0:
			g.same(stored)
		case 1:
			g.update(stored, "updating")
		case 2:
			g.replace(stored)
		case 3:
			g.replaceAfterDelete(stored)
		case 4:
			g.refreshInPlace(stored)
		}
	})
}

// refreshInPlace refreshes what this update stored.
func (g *generator) refreshInPlace(r *row) {
	op := g.operation("", nil)
	g.later(func() {
		e := apitype.JournalEntry{
			Kind: apitype.JournalEntryKindRefreshSuccess, OperationID: op, IsRefresh: true, RemoveOld: r.old, RemoveNew: r.new,
		}
		if g.chance(70) {
			e.State = g.touched(r.ResourceV3)
		}
		g.send(e)
	})
}

// deletions go through what nobody registered and what was replaced.
func (g *generator) deletions() {
	for _, r := range slices.Backward(slices.Clone(g.rows)) {
		if g.chance(60) {
			continue
		}
		kind := apitype.OperationType("deleting")
		if r.PendingReplacement {
			kind = "" // There is nothing to delete any more.
		}
		op := g.operation(kind, &r.ResourceV3)
		g.later(func() {
			g.end(op, apitype.JournalEntry{RemoveOld: r.old, RemoveNew: r.new}, nil)
		})
	}
}

// arrived is the journal as a server has it, sorted and each entry once, after
// the entries came in another order, some twice, and the client died.
func (g *generator) arrived() []apitype.JournalEntry {
	list := slices.Clone(g.entries)
	from := 0
	for _, to := range append(slices.Clone(g.barriers), len(list)) {
		part := list[from:to]
		for i := range part { // Entries overtake each other, but not a barrier.
			j := min(len(part)-1, i+g.IntN(4))
			part[i], part[j] = part[j], part[i]
		}
		from = to
	}
	if g.chance(60) {
		list = list[:g.IntN(len(list)+1)]
	}
	for range g.IntN(4) {
		if len(list) > 0 {
			list = append(list, list[g.IntN(len(list))])
		}
	}
	slices.SortStableFunc(list, func(a, b apitype.JournalEntry) int { return int(a.SequenceID - b.SequenceID) })
	list = slices.CompactFunc(list, func(a, b apitype.JournalEntry) bool { return a.SequenceID == b.SequenceID })
	lost := g.chance(20)
	known := map[int64]bool{}
	return slices.DeleteFunc(list, func(e apitype.JournalEntry) bool {
		if lost && g.elided[e.OperationID] && g.chance(20) {
			return true // A refused batch, of which the client does not tell.
		}
		for _, op := range []*int64{e.RemoveNew, e.DeleteNew, e.PendingReplacementNew} {
			if op != nil && !known[*op] {
				return true // The client waits until it knows that what it names is safe.
			}
		}
		if e.Kind == apitype.JournalEntryKindSuccess && e.State != nil {
			known[e.OperationID] = true
		}
		return false
	})
}
