package batch

import (
	"encoding/json"
	"io"
	"strings"
)

// document is what the search domain gets of an event.
type document struct {
	Time      string `json:"@timestamp"`
	ID        string `json:"id"`
	Owner     string `json:"owner,omitempty"`
	LogGroup  string `json:"logGroup"`
	LogStream string `json:"logStream,omitempty"`
	// Message is the line, unless it is a JSON object: then Fields are that
	// object's. They stay below one name, because at the top they could replace
	// the names above, and because logs of many programs use a name for a
	// number here and for a text there, which no index takes.
	Message string         `json:"message,omitempty"`
	Fields  map[string]any `json:"fields,omitempty"`
}

// timeFormat is OpenSearch's strict_date_time, in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Document is the event as JSON.
func Document(e Event) ([]byte, error) {
	d := document{
		Time: e.Time.UTC().Format(timeFormat), ID: e.ID, Owner: e.Owner,
		LogGroup: e.LogGroup, LogStream: e.LogStream, Message: e.Message,
	}
	if fields := object(e.Message); fields != nil {
		d.Message, d.Fields = "", fields
	}
	return marshal(d)
}

// object is a message that is a JSON object and that an index takes; nil for
// any other. Decoding it also leaves one of two equal keys, which OpenSearch
// would refuse.
func object(message string) map[string]any {
	if !strings.HasPrefix(strings.TrimLeft(message, " \t\r\n"), "{") {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF || !indexable(fields, 0, len("fields")) {
		return nil
	}
	return fields
}

// A flat_object makes a term of each value, and another of the path and the
// value. A term has 32,766 bytes at most, and one that is longer makes the
// index refuse the whole document (OpenMetadata#28530); so may a depth of more
// than 20, the default of index.mapping.depth.limit.
// https://docs.opensearch.org/latest/mappings/supported-field-types/flat-object
const (
	termLimit  = 32766
	depthLimit = 20
)

// indexable says whether an index takes the value, which is so deep and has a
// path of so many bytes.
func indexable(value any, depth, path int) bool {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			if key == "" || !indexable(child, depth+1, path+1+len(key)) {
				return false
			}
		}
		return depth < depthLimit
	case []any:
		for _, child := range v {
			if !indexable(child, depth+1, path) {
				return false
			}
		}
		return depth < depthLimit
	case string:
		return path+1+len(v) <= termLimit
	case json.Number:
		return path+1+len(v) <= termLimit
	}
	// true, false and null.
	return path+len("=false") <= termLimit
}
