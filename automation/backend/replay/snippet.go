package replay

import (
	"bytes"
	"encoding/json"
)

// snippet is an apitype.SnippetV1, with the URNs that it refers to.
type snippet struct {
	raw        json.RawMessage
	uuid       string
	references []reference
	changed    bool
}

// reference is one name of a snippet's for a resource.
type reference struct {
	key []byte // As it is written.
	urn string
}

func parseSnippets(doc []byte, s span) ([]*snippet, error) {
	var list []*snippet
	err := eachElement(doc, s, func(value span) error {
		sn := &snippet{raw: value.of(doc)}
		list = append(list, sn)
		return eachField(doc, value, func(key []byte, value span) (err error) {
			switch string(keyName(key)) {
			case "uuid":
				sn.uuid, err = stringAt(doc, value)
			case "references":
				sn.references = nil
				return eachField(doc, value, func(key []byte, value span) error {
					urn, err := stringAt(doc, value)
					sn.references = append(sn.references, reference{key, urn})
					return err
				})
			}
			return err
		})
	})
	return list, err
}

// write appends the snippet's JSON: as it came, but for references that changed.
func (s *snippet) write(b *bytes.Buffer) {
	if !s.changed {
		b.Write(s.raw)
		return
	}
	b.WriteByte('{')
	first := true
	_ = eachField(s.raw, whole(s.raw), func(key []byte, value span) error {
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.Write(key)
		b.WriteByte(':')
		if !keyIs(key, "references") {
			b.Write(value.of(s.raw))
			return nil
		}
		b.WriteByte('{')
		for i, r := range s.references {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(r.key)
			b.WriteByte(':')
			quote(b, r.urn)
		}
		b.WriteByte('}')
		return nil
	})
	b.WriteByte('}')
}
