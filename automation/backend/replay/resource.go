package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// resource is an apitype.ResourceV3: its JSON, and of its fields those that a
// replay reads.
type resource struct {
	raw json.RawMessage

	urn, typ, id, parent, provider, deletedWith, viewOf string

	custom, delete, pendingReplacement bool
	dependencies, replaceWith, aliases []string
	propertyDependencies               []propertyDependency
	// features are those that its fields ask for, see features.go.
	features featureSet
	// hidden are features of the deployment it came with that its fields do not
	// show.
	hidden *hiddenFeatures
	// changed are the fields that raw does not have right any more.
	changed fieldSet
}

// propertyDependency is what one input depends on.
type propertyDependency struct {
	key  []byte // As it is written.
	urns []string
}

// fieldSet is a set of the fields that a replay may write.
type fieldSet uint16

const (
	fieldURN fieldSet = 1 << iota
	fieldParent
	fieldProvider
	fieldDeletedWith
	fieldViewOf
	fieldDelete
	fieldPendingReplacement
	fieldDependencies
	fieldReplaceWith
	fieldAliases
	fieldPropertyDependencies
)

// writable maps the names of fields that a replay may write.
var writable = map[string]fieldSet{
	"urn":                  fieldURN,
	"parent":               fieldParent,
	"provider":             fieldProvider,
	"deletedWith":          fieldDeletedWith,
	"viewOf":               fieldViewOf,
	"delete":               fieldDelete,
	"pendingReplacement":   fieldPendingReplacement,
	"dependencies":         fieldDependencies,
	"replaceWith":          fieldReplaceWith,
	"aliases":              fieldAliases,
	"propertyDependencies": fieldPropertyDependencies,
}

// parseResource reads the resource at s of a valid document. The document must
// stay as it is.
func parseResource(doc []byte, s span) (*resource, error) {
	r := &resource{raw: s.of(doc)}
	if isNull(doc, s) {
		return nil, fmt.Errorf("expected a resource, found null")
	}
	err := eachField(doc, s, func(key []byte, value span) error {
		if err := r.read(doc, key, value); err != nil {
			return fmt.Errorf("field %s: %w", keyName(key), err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (r *resource) read(doc, key []byte, value span) (err error) {
	if isNull(doc, value) {
		return nil
	}
	switch string(keyName(key)) {
	case "urn":
		r.urn, err = stringAt(doc, value)
	case "type":
		r.typ, err = stringAt(doc, value)
	case "id":
		r.id, err = stringAt(doc, value)
	case "custom":
		r.custom, err = boolAt(doc, value)
	case "parent":
		r.parent, err = stringAt(doc, value)
	case "provider":
		r.provider, err = stringAt(doc, value)
	case "deletedWith":
		r.deletedWith, err = stringAt(doc, value)
	case "viewOf":
		r.viewOf, err = stringAt(doc, value)
		r.features.put(featureViews, r.viewOf != "")
	case "delete":
		r.delete, err = boolAt(doc, value)
	case "pendingReplacement":
		r.pendingReplacement, err = boolAt(doc, value)
	case "dependencies":
		r.dependencies, err = stringsAt(doc, value)
	case "replaceWith":
		r.replaceWith, err = stringsAt(doc, value)
		r.features.put(featureReplaceWith, len(r.replaceWith) > 0)
	case "aliases":
		r.aliases, err = stringsAt(doc, value)
	case "propertyDependencies":
		r.propertyDependencies, err = propertyDependenciesAt(doc, value)
	default:
		return r.readFeature(doc, key, value)
	}
	return err
}

func propertyDependenciesAt(doc []byte, s span) ([]propertyDependency, error) {
	var list []propertyDependency
	err := eachField(doc, s, func(key []byte, value span) error {
		urns, err := stringsAt(doc, value)
		list = append(list, propertyDependency{key: key, urns: urns})
		return err
	})
	return list, err
}

// mark sets one of the two flags that steps leave on older states.
func (r *resource) mark(flag *bool, field fieldSet) {
	if !*flag {
		*flag = true
		r.changed |= field
	}
}

// write appends the resource's JSON: as it came, but for the fields that
// changed.
func (r *resource) write(b *bytes.Buffer) {
	if r.changed == 0 {
		b.Write(r.raw)
		return
	}
	left := r.changed
	comma := func() {
		if last := b.Bytes()[b.Len()-1]; last != '{' {
			b.WriteByte(',')
		}
	}
	b.WriteByte('{')
	_ = eachField(r.raw, whole(r.raw), func(key []byte, value span) error {
		field := writable[string(keyName(key))]
		switch {
		case field&left != 0:
			left &^= field
			r.writeField(b, comma, key, field)
		case field&r.changed == 0: // Else the key is there twice.
			comma()
			b.Write(key)
			b.WriteByte(':')
			b.Write(value.of(r.raw))
		}
		return nil
	})
	r.writeField(b, comma, []byte(`"delete"`), left&fieldDelete)
	r.writeField(b, comma, []byte(`"pendingReplacement"`), left&fieldPendingReplacement)
	b.WriteByte('}')
}

// writeField appends a field that changed, or nothing where it is empty now.
func (r *resource) writeField(b *bytes.Buffer, comma func(), key []byte, field fieldSet) {
	text := func(s string) {
		if s != "" {
			comma()
			b.Write(key)
			b.WriteByte(':')
			quote(b, s)
		}
	}
	list := func(urns []string) {
		if len(urns) > 0 {
			comma()
			b.Write(key)
			b.WriteByte(':')
			quoteAll(b, urns)
		}
	}
	switch field {
	case fieldURN:
		text(r.urn)
	case fieldParent:
		text(r.parent)
	case fieldProvider:
		text(r.provider)
	case fieldDeletedWith:
		text(r.deletedWith)
	case fieldViewOf:
		text(r.viewOf)
	case fieldDependencies:
		list(r.dependencies)
	case fieldReplaceWith:
		list(r.replaceWith)
	case fieldAliases:
		list(r.aliases)
	case fieldDelete, fieldPendingReplacement:
		comma()
		b.Write(key)
		b.WriteString(":true") // They are only ever set.
	case fieldPropertyDependencies:
		if len(r.propertyDependencies) > 0 {
			comma()
			b.Write(key)
			b.WriteByte(':')
			writePropertyDependencies(b, r.propertyDependencies)
		}
	}
}

func writePropertyDependencies(b *bytes.Buffer, list []propertyDependency) {
	b.WriteByte('{')
	for i, p := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(p.key)
		b.WriteByte(':')
		quoteAll(b, p.urns)
	}
	b.WriteByte('}')
}
