package replay

import (
	"encoding/json"
	"fmt"
)

// List splits a document such as {"entries":[…]} into the elements of one of its
// lists, which stay in the document's memory: a service that only keeps them need
// not decode them. It goes through the document once to see that it is JSON, and
// once to find where elements end.
func List(document []byte, field string) ([]json.RawMessage, error) {
	if !json.Valid(document) {
		return nil, errNotJSON
	}
	var list []json.RawMessage
	err := eachField(document, whole(document), func(key []byte, value span) error {
		if !keyIs(key, field) {
			return nil
		}
		list = nil // as encoding/json has it: the last one counts
		err := eachElement(document, value, func(element span) error {
			list = append(list, element.of(document))
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		return nil
	})
	return list, err
}

// Fields calls f with the names and the values of an object's fields. The object
// is valid JSON, as elements of a List are.
func Fields(object json.RawMessage, f func(name string, value json.RawMessage) error) error {
	return eachField(object, whole(object), func(key []byte, value span) error {
		return f(string(keyName(key)), value.of(object))
	})
}

// Head is what keeping a journal entry needs of it.
type Head struct {
	// Version is the format's, Kind one of the protocol's numbers, see Known.
	Version, Kind, Sequence int64
	// operation says that a step begins that may change something outside.
	operation, refresh bool
}

// Stepped says whether the entry is of a step of the program. Each update begins
// with an entry that names its secrets provider, and may go on with those of a
// refresh: they begin without an operation, too, and end as one.
func (h Head) Stepped() bool {
	return Begins(h.Kind) && h.operation || Ends(h.Kind) && !h.refresh
}

// ReadHead reads an entry that is valid JSON, as elements of a List are.
func ReadHead(doc json.RawMessage) (h Head, err error) {
	e := entry{doc: doc}
	err = eachField(doc, whole(doc), func(key []byte, value span) error {
		switch name := string(keyName(key)); name {
		case "version", "kind", "sequenceID", "isRefresh":
			if err := e.read(name, value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		case "operation":
			h.operation = !isNull(doc, value)
		}
		return nil
	})
	h.Version, h.Kind, h.Sequence, h.refresh = e.version, int64(e.kind), e.sequence, e.isRefresh
	return h, err
}
