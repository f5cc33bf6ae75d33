package batch

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"sync"
)

// packAbove is from where a batch of one is packed, in bytes. Firehose bills a
// record in steps of 5 KB, so that packing a smaller one saves nothing.
const packAbove = 5000

var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one that gzip has
	return w
}}

// Pack makes a record of a single event, as CloudWatch Logs would have sent it
// alone.
func Pack(e Event) ([]byte, error) {
	at := e.Time.UnixMilli()
	text, err := marshal(message{
		Type: dataMessage, Owner: e.Owner, LogGroup: e.LogGroup, LogStream: e.LogStream,
		Events: []event{{ID: e.ID, Timestamp: &at, Message: e.Message}},
	})
	if err != nil || len(text) <= packAbove {
		return text, err
	}
	var out bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&out)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// marshal leaves < and & as they are: these are no web pages.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
