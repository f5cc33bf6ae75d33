package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// span is a value's place in a document.
type span struct{ from, to int }

func whole(doc []byte) span { return span{0, len(doc)} }

func (s span) of(doc []byte) []byte { return doc[s.from:s.to] }

var errNotJSON = errors.New("this is not JSON")

// The functions below walk a document that json.Valid has accepted: they find
// where values begin and end and look at nothing else, which is several times
// faster than decoding. On a document that is not valid they return nonsense, but
// they return.

// eachField calls f with every field of the object at s: the key as it is
// written, with its quotes, and the place of the value. A null has no fields.
func eachField(doc []byte, s span, f func(key []byte, value span) error) error {
	i := skipSpace(doc, s.from)
	switch {
	case isNull(doc, span{i, s.to}):
		return nil
	case i >= s.to || doc[i] != '{':
		return fmt.Errorf("expected an object, found %s", kindOf(doc, i))
	}
	for i = skipSpace(doc, i+1); i < s.to && doc[i] == '"'; i = skipSpace(doc, i) {
		key := span{i, skipString(doc, i)}
		from := skipSpace(doc, skipSpace(doc, key.to)+1) // Past the colon.
		to := skipValue(doc, from)
		if to > s.to || from >= to {
			return errNotJSON
		}
		if err := f(key.of(doc), span{from, to}); err != nil {
			return err
		}
		if i = skipSpace(doc, to); i < s.to && doc[i] == ',' {
			i++
		}
	}
	return nil
}

// eachElement calls f with the place of every element of the array at s. A null
// has no elements.
func eachElement(doc []byte, s span, f func(value span) error) error {
	i := skipSpace(doc, s.from)
	switch {
	case isNull(doc, span{i, s.to}):
		return nil
	case i >= s.to || doc[i] != '[':
		return fmt.Errorf("expected a list, found %s", kindOf(doc, i))
	}
	for i = skipSpace(doc, i+1); i < s.to && doc[i] != ']'; i = skipSpace(doc, i) {
		to := skipValue(doc, i)
		if to > s.to || to <= i {
			return errNotJSON
		}
		if err := f(span{i, to}); err != nil {
			return err
		}
		if i = skipSpace(doc, to); i < s.to && doc[i] == ',' {
			i++
		}
	}
	return nil
}

func skipSpace(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\n' || doc[i] == '\t' || doc[i] == '\r') {
		i++
	}
	return i
}

// skipString returns where the string that begins at i ends.
func skipString(doc []byte, i int) int {
	for i++; i < len(doc); i++ {
		quote := bytes.IndexByte(doc[i:], '"')
		if quote < 0 {
			break
		}
		i += quote
		slashes := 0
		for doc[i-1-slashes] == '\\' { // The opening quote ends this at the latest.
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
	return len(doc)
}

// skipValue returns where the value that begins at i ends.
func skipValue(doc []byte, i int) int {
	depth := 0
	for i < len(doc) {
		switch doc[i] {
		case '"':
			i = skipString(doc, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ' ', '\n', '\t', '\r', ',', ':':
			i++
			continue
		default:
			for i < len(doc) && !endsLiteral(doc[i]) {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return len(doc)
}

// endsLiteral is true for what cannot be inside a number, true, false or null.
func endsLiteral(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\n', '\t', '\r', ':', '"', '{', '[':
		return true
	}
	return false
}

func isNull(doc []byte, s span) bool {
	return bytes.HasPrefix(doc[s.from:s.to], []byte("null"))
}

// kindOf says in words what begins at i, for messages: they never show a value,
// which may be a secret.
func kindOf(doc []byte, i int) string {
	if i >= len(doc) {
		return "nothing"
	}
	switch doc[i] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// stringAt decodes the string at s; null is the empty string.
func stringAt(doc []byte, s span) (string, error) {
	raw := s.of(doc)
	if isNull(doc, s) {
		return "", nil
	}
	if len(raw) < 2 || raw[0] != '"' {
		return "", fmt.Errorf("expected a string, found %s", kindOf(doc, s.from))
	}
	return unquote(raw), nil
}

// unquote decodes a string literal. Few have escapes.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	_ = json.Unmarshal(raw, &s) // Valid, as the document is.
	return s
}

// boolAt decodes the boolean at s; null is false.
func boolAt(doc []byte, s span) (bool, error) {
	switch string(s.of(doc)) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, fmt.Errorf("expected a boolean, found %s", kindOf(doc, s.from))
}

// integerAt decodes the integer at s; null is nil.
func integerAt(doc []byte, s span) (*int64, error) {
	if isNull(doc, s) {
		return nil, nil
	}
	n, err := strconv.ParseInt(string(s.of(doc)), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("expected an integer, found %s", kindOf(doc, s.from))
	}
	return &n, nil
}

// stringsAt decodes the list of strings at s.
func stringsAt(doc []byte, s span) ([]string, error) {
	var list []string
	err := eachElement(doc, s, func(value span) error {
		text, err := stringAt(doc, value)
		list = append(list, text)
		return err
	})
	return list, err
}

// keyIs compares a key as it is written with a name.
func keyIs(key []byte, name string) bool {
	return string(keyName(key)) == name
}

// keyName is a key without its quotes and escapes.
func keyName(key []byte) []byte {
	if bytes.IndexByte(key, '\\') >= 0 {
		return []byte(unquote(key))
	}
	return key[1 : len(key)-1]
}

// quote encodes a string as the CLI does not always: without HTML escapes.
func quote(b *bytes.Buffer, s string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s)
	b.Truncate(b.Len() - 1) // The newline.
}

func quoteAll(b *bytes.Buffer, list []string) {
	b.WriteByte('[')
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		quote(b, s)
	}
	b.WriteByte(']')
}
