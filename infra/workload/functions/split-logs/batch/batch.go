// Package batch reads what CloudWatch Logs sends to a subscription, and makes
// a document of each of its events.
package batch

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// inflatedLimit bounds what a record may unpack to, in bytes: many times what
// CloudWatch Logs puts into one, and a part of the function's memory.
const inflatedLimit = 32 << 20

// The errors of a record. None repeats what the record holds: a log may hold
// what nobody may read elsewhere, and the decoders' own errors quote it.
var (
	ErrEmpty   = errors.New("the record is empty")
	ErrGzip    = errors.New("the record is cut off or damaged (gzip)")
	ErrSize    = errors.New("the record unpacks to more than 32 MiB")
	ErrFormat  = errors.New("the record is no message of CloudWatch Logs")
	ErrMissing = errors.New("an event lacks its group, its id or a time")
)

// Event is one line of a log.
type Event struct {
	// Owner is the account, LogGroup and LogStream where the line was written.
	Owner, LogGroup, LogStream string
	// ID is CloudWatch Logs' own: the same whenever it sends the event, so that
	// a document that was delivered twice can be told.
	ID      string
	Time    time.Time
	Message string
}

// message is the body of a record.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#FirehoseExample
type message struct {
	Type      string  `json:"messageType"`
	Owner     string  `json:"owner"`
	LogGroup  string  `json:"logGroup"`
	LogStream string  `json:"logStream"`
	Events    []event `json:"logEvents"`
}

type event struct {
	ID        string `json:"id"`
	Timestamp *int64 `json:"timestamp"`
	Message   string `json:"message"`
}

// The types of messages. A control message only tries whether the destination
// can be reached.
const (
	dataMessage    = "DATA_MESSAGE"
	controlMessage = "CONTROL_MESSAGE"
)

// Decode returns the events of a record, packed with gzip or not; none for a
// control message.
func Decode(data []byte) ([]Event, error) {
	text, err := inflate(data)
	if err != nil {
		return nil, err
	}
	var events []Event
	d := json.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		var m message
		err := d.Decode(&m)
		switch {
		case err == io.EOF && n == 0:
			return nil, ErrEmpty
		case err == io.EOF:
			return events, nil
		case err != nil:
			return nil, ErrFormat
		}
		if events, err = m.append(events); err != nil {
			return nil, err
		}
	}
}

// append adds the message's events.
func (m message) append(events []Event) ([]Event, error) {
	switch m.Type {
	case controlMessage:
		return events, nil
	case dataMessage:
	default:
		return nil, ErrFormat
	}
	for _, e := range m.Events {
		if m.LogGroup == "" || e.ID == "" || e.Timestamp == nil || *e.Timestamp < 0 || *e.Timestamp > lastTimestamp {
			return nil, ErrMissing
		}
		events = append(events, Event{
			Owner: m.Owner, LogGroup: m.LogGroup, LogStream: m.LogStream,
			ID: e.ID, Time: time.UnixMilli(*e.Timestamp).UTC(), Message: e.Message,
		})
	}
	return events, nil
}

// lastTimestamp is the end of the year 9999: a date of five digits is none to
// OpenSearch.
const lastTimestamp = 253402300799999

// inflate unpacks what starts like gzip, and returns the rest as it is: a
// stream may be set to unpack before it calls the function.
func inflate(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, ErrGzip
	}
	text, err := io.ReadAll(io.LimitReader(r, inflatedLimit+1))
	switch {
	case err != nil:
		return nil, ErrGzip
	case len(text) > inflatedLimit:
		return nil, ErrSize
	}
	return text, nil
}
