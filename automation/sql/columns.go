package sql

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// columns name what a scan function reads and an args function gives, in order.
type columns []string

func (c columns) list() string { return strings.Join(c, ", ") }

// insert adds a row, or nothing where it is there.
func (c columns) insert(table string) string {
	return "INSERT INTO " + table + " (" + c.list() + ") VALUES (" + placeholders(1, len(c)) + ") ON CONFLICT DO NOTHING"
}

// replace adds a row, or writes it over the one with the same key.
func (c columns) replace(table string, key ...string) string {
	set := make([]string, len(c))
	for i, name := range c {
		set[i] = name + " = excluded." + name
	}
	return "INSERT INTO " + table + " (" + c.list() + ") VALUES (" + placeholders(1, len(c)) + ") ON CONFLICT (" +
		strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// set is for an UPDATE with the same arguments.
func (c columns) set() string {
	set := make([]string, len(c))
	for i, name := range c {
		set[i] = fmt.Sprintf("%s = $%d", name, i+1)
	}
	return strings.Join(set, ", ")
}

// placeholders are n of them, "$3, $4".
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

// fold is what makes two names one. It happens here and not in the database, so
// that both mean the same by it.
func fold(name string) string { return strings.ToLower(name) }

// atMost is a LIMIT; 0 does not limit.
func atMost(limit int) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return int64(limit)
}

// micros is a time as it is kept.
func micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// moment reads a time.
type moment struct{ into *time.Time }

// Scan implements sql.Scanner.
func (m moment) Scan(from any) error {
	n, ok := from.(int64)
	if !ok {
		return fmt.Errorf("a time is kept as a number, this is a %T", from)
	}
	*m.into = time.Time{}
	if n != 0 {
		*m.into = time.UnixMicro(n).UTC()
	}
	return nil
}

// blob is bytes as they are kept: never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// bytesOf reads a blob; an empty one is nil.
type bytesOf struct{ into *[]byte }

// Scan implements sql.Scanner. It copies: the driver uses its bytes again.
func (b bytesOf) Scan(from any) error {
	*b.into = nil
	switch from := from.(type) {
	case nil:
	case []byte:
		if len(from) > 0 {
			*b.into = append([]byte(nil), from...)
		}
	default:
		return fmt.Errorf("bytes are kept as bytes, this is a %T", from)
	}
	return nil
}

// asJSON is a map or a list as it is kept.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", v, err)) // a mistake in model.go
	}
	return string(text)
}

// jsonOf reads one.
type jsonOf struct{ into any }

// Scan implements sql.Scanner.
func (j jsonOf) Scan(from any) error {
	switch from := from.(type) {
	case string:
		return json.Unmarshal([]byte(from), j.into)
	case []byte:
		return json.Unmarshal(from, j.into)
	default:
		return fmt.Errorf("JSON is kept as text, this is a %T", from)
	}
}

// rawOf reads JSON that stays as it is; empty text is nil.
type rawOf struct{ into *json.RawMessage }

// Scan implements sql.Scanner.
func (j rawOf) Scan(from any) error {
	*j.into = nil
	switch from := from.(type) {
	case string:
		if from != "" {
			*j.into = json.RawMessage(from)
		}
	case []byte:
		if len(from) > 0 {
			*j.into = append(json.RawMessage(nil), from...)
		}
	default:
		return fmt.Errorf("JSON is kept as text, this is a %T", from)
	}
	return nil
}
