package replay

import (
	"bytes"
	"cmp"
	"slices"
)

// editor collects replacements of strings in a document.
type editor struct {
	doc   []byte
	edits []edit
}

type edit struct {
	at   span
	text string
}

func (e *editor) replace(at span, text string) { e.edits = append(e.edits, edit{at, text}) }

// apply is the document with the replacements made.
func (e *editor) apply() []byte {
	if len(e.edits) == 0 {
		return e.doc
	}
	byPlace := func(a, b edit) int { return cmp.Compare(a.at.from, b.at.from) }
	if !slices.IsSortedFunc(e.edits, byPlace) {
		slices.SortFunc(e.edits, byPlace)
	}
	var b bytes.Buffer
	b.Grow(len(e.doc) + len(e.doc)/8)
	from := 0
	for _, edit := range e.edits {
		b.Write(e.doc[from:edit.at.from])
		quote(&b, edit.text)
		from = edit.at.to
	}
	b.Write(e.doc[from:])
	return b.Bytes()
}
