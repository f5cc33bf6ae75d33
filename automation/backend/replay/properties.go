package replay

import (
	"bytes"
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
)

// object is what property needs to know of an object once it has seen it all:
// what kind of value it stands for may be said by its last field.
type object struct {
	signature                  string
	urn, plaintext, ciphertext span
	// dependencies are the strings of the list of that name.
	dependencies []span
	// valueEdits are those inside the field "value", as a part of the edits.
	valueEdits span
}

// property renames the references to resources in the value that begins at i,
// and returns where it ends. Where texts is given and the value is a list, it
// gets the places of the strings in it.
//
// It goes through each byte once, however deep values are in one another.
func (r *renamer) property(i int, texts *[]span) int {
	i = skipSpace(r.doc, i)
	if i >= len(r.doc) {
		return i
	}
	switch r.doc[i] {
	case '{':
		return r.object(i)
	case '[':
		for i = skipSpace(r.doc, i+1); i < len(r.doc) && r.doc[i] != ']'; i = skipSeparator(r.doc, i) {
			from := i
			i = r.property(i, nil)
			if texts != nil && r.doc[from] == '"' {
				*texts = append(*texts, span{from, i})
			}
		}
		return i + 1
	}
	return skipValue(r.doc, i)
}

// skipSeparator goes to the next element or field, or to the closing bracket.
func skipSeparator(doc []byte, i int) int {
	i = skipSpace(doc, i)
	if i < len(doc) && doc[i] == ',' {
		i = skipSpace(doc, i+1)
	}
	return i
}

func (r *renamer) object(i int) int {
	before := len(r.edits)
	var o object
	for i = skipSpace(r.doc, i+1); i < len(r.doc) && r.doc[i] == '"'; i = skipSeparator(r.doc, i) {
		key := span{i, skipString(r.doc, i)}
		from := skipSpace(r.doc, skipSpace(r.doc, key.to)+1) // Past the colon.
		edits := len(r.edits)
		switch name := string(keyName(key.of(r.doc))); name {
		case "dependencies":
			o.dependencies = nil
			i = r.property(from, &o.dependencies)
		default:
			i = r.property(from, nil)
			o.note(r.doc, name, span{from, i}, span{edits, len(r.edits)})
		}
	}
	r.finish(o, before)
	return i + 1
}

func (o *object) note(doc []byte, name string, value, edits span) {
	if name == "value" {
		o.valueEdits = edits
	}
	if value.empty() || value.to > len(doc) || doc[value.from] != '"' {
		return
	}
	switch name {
	case sig.Key:
		o.signature = unquote(value.of(doc))
	case "urn":
		o.urn = value
	case "plaintext":
		o.plaintext = value
	case "ciphertext":
		o.ciphertext = value
	}
}

// finish treats an object as what its signature says it is: of those that stand
// for something, only certain fields may be renamed.
func (r *renamer) finish(o object, before int) {
	switch o.signature {
	case sig.ResourceReference:
		r.edits = r.edits[:before]
		if !o.urn.empty() {
			_ = r.urn(o.urn)
		}
	case sig.Secret:
		r.edits = r.edits[:before]
		r.secret(o.plaintext)
		r.secret(o.ciphertext)
	case sig.OutputValue:
		inside := r.edits[o.valueEdits.from:o.valueEdits.to]
		r.edits = append(r.edits[:before], inside...)
		for _, d := range o.dependencies {
			_ = r.urn(d)
		}
	}
}

// secret renames what is inside a secret where that can be read: its value as
// JSON, in a string. With most secrets managers it cannot, and the CLI does
// without too.
func (r *renamer) secret(s span) {
	if s.empty() {
		return
	}
	text := []byte(unquote(s.of(r.doc)))
	if !bytes.Contains(text, []byte(sig.Key)) || !json.Valid(text) {
		return
	}
	inner := &renamer{from: r.from, to: r.to, prefix: r.prefix, editor: editor{doc: text}}
	inner.property(0, nil)
	if len(inner.edits) > 0 {
		r.replace(s, string(inner.apply()))
	}
}
