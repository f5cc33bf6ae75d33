package replay

import (
	"cmp"
	"fmt"
	"slices"
)

// generate is the deployment that the entries so far come to. It may write to
// the states that it collects, so what is left of the folder is of no use after.
func (f *folder) generate() (*deployment, error) {
	pending, err := f.pending()
	if err != nil {
		return nil, err
	}
	d := &deployment{
		secretsProviders: f.base.secretsProviders,
		metadata:         f.base.metadata,
		snippets:         f.base.snippets,
		others:           f.base.others,
		resources:        f.resources(),
		pending:          pending,
		extensions:       mergeExtensions(f.base.extensions, f.extensions),
	}
	for _, r := range d.resources {
		d.features.add(r, f.byteStrings)
	}
	for _, op := range d.pending {
		d.features.add(op.resource, f.byteStrings)
	}
	if len(d.snippets) > 0 {
		d.features.seen |= featureSnippets
	}
	if f.refreshed {
		forgetMissing(d.resources)
	}
	return d, f.normalize(d)
}

// resources lists what this update stored, and then what it left alone: what an
// entry stored has its dependencies before it, since the engine waits for them.
func (f *folder) resources() []*resource {
	list := make([]*resource, 0, len(f.stored)+len(f.base.resources))
	for _, s := range f.stored {
		if !s.removed {
			list = append(list, s.resource)
		}
	}
	for i, r := range f.base.resources {
		m := f.old[i]
		switch {
		case m.remove:
			continue
		case m.replacement != nil:
			r = m.replacement // As it is: the marks were for the state before.
		default:
			if m.delete {
				r.mark(&r.delete, fieldDelete)
			}
			if m.pendingReplacement {
				r.mark(&r.pendingReplacement, fieldPendingReplacement)
			}
		}
		list = append(list, r)
	}
	return list
}

// pending lists the operations that have not ended, in the order they began, and
// the creations that the base already did not know the end of: those wait for a
// person.
func (f *folder) pending() ([]operation, error) {
	begun := make([]entry, 0, len(f.begun))
	for _, e := range f.begun {
		if !e.operation.empty() {
			begun = append(begun, e)
		}
	}
	slices.SortFunc(begun, func(a, b entry) int { return cmp.Compare(a.sequence, b.sequence) })
	var list []operation
	for _, e := range begun {
		op, err := parseOperation(e.doc, e.operation)
		if err != nil {
			if err := f.leaveOut(e, false, fmt.Errorf("operation: %w", err)); err != nil {
				return nil, err
			}
			continue
		}
		list = append(list, op)
	}
	for _, op := range f.base.pending {
		if op.kind == "creating" {
			list = append(list, op)
		}
	}
	return list, nil
}

// mergeExtensions adds what an update parameterized to what was there, which
// wins.
func mergeExtensions(base, added []extension) []extension {
	list := slices.Clone(base)
	seen := map[string]int{}
	for _, e := range base {
		seen[unquote(e.key)] = -1
	}
	for _, e := range added {
		switch at, known := seen[unquote(e.key)]; {
		case !known:
			seen[unquote(e.key)] = len(list)
			list = append(list, e)
		case at >= 0:
			list[at] = e
		}
	}
	return list
}
