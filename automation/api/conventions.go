package api

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"redoubt/automation/provision"
)

// maxWait is how long a request waits at most.
const maxWait = time.Minute

// answer is a good answer.
type answer[T any] struct{ Body T }

// versioned is an answer with the version that it may be changed at.
type versioned[T any] struct {
	ETag string `header:"ETag" doc:"The version; give it as If-Match to change what was read."`
	Body T
}

// accepted is the answer to what starts work.
type accepted[T any] struct {
	Location string `header:"Location" doc:"The operation."`
	Body     T
}

// created is the answer to what makes something.
type created[T any] struct {
	Location string `header:"Location" doc:"What was made."`
	ETag     string `header:"ETag" doc:"The version; give it as If-Match to change what was made."`
	Body     T
}

// nothing is an answer without a body.
type nothing struct{}

// noInput is that of endpoints that take none.
type noInput struct{}

// WithID is the input of endpoints on one thing.
type WithID struct {
	ID string `path:"id" doc:"The id."`
}

// page is a part of a list, so that fields can be added.
type page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor for the next page; missing on the last one."`
}

// Paging is the input of endpoints with pages.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	Cursor cursor `query:"cursor" doc:"next_cursor of the page before."`
}

// pageOfOne is the input of endpoints with pages of what belongs to one thing.
type pageOfOne struct {
	WithID
	Paging
}

// cursor is the last id of the page before, opaque to clients. It is a struct
// because huma would take a string as it is.
type cursor struct{ after string }

// cursorForm starts what cursors hold, so that a made-up one is seen.
const cursorForm = "1:"

// Schema implements huma.SchemaProvider.
func (cursor) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *cursor) UnmarshalText(text []byte) error {
	plain, err := base64.RawURLEncoding.DecodeString(string(text))
	after, ok := strings.CutPrefix(string(plain), cursorForm)
	if err != nil || !ok || len(after) > 200 {
		return fmt.Errorf("it is no cursor: take next_cursor of the page before, as it is")
	}
	c.after = after
	return nil
}

// cursorOf is a cursor as it is sent; empty for the last page.
func cursorOf(after string) string {
	if after == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(cursorForm + after))
}

// pageOf is a page of what the domain returned.
func pageOf[From, To any](items []From, next string, convert func(From) To) *answer[page[To]] {
	return &answer[page[To]]{page[To]{Items: convertAll(items, convert), NextCursor: cursorOf(next)}}
}

func convertAll[From, To any](items []From, convert func(From) To) []To {
	out := make([]To, len(items))
	for i, item := range items {
		out[i] = convert(item)
	}
	return out
}

// number is a cursor that is a number; 0 for none.
func (c cursor) number() (int64, error) {
	if c.after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(c.after, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid(ProblemField{Parameter: "query cursor", Message: "it is a cursor of another list"})
	}
	return n, nil
}

// cursorNumber is the domain's number for the next page as a cursor; empty for none.
func cursorNumber(next int64) string {
	if next == 0 {
		return ""
	}
	return strconv.FormatInt(next, 10)
}

// Changing is the input of endpoints that change what has a version.
type Changing struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what was read; without it the answer is 428, where it was changed since 412." example:"\"7\""`
}

// etagForm is what ETags look like. There is no version 0: to the domain it says
// that any will do.
var etagForm = regexp.MustCompile(`^"([1-9][0-9]{0,17})"$`)

// version is the one that is to be changed.
func (c Changing) version() (int64, error) {
	if c.IfMatch == "" {
		return 0, newProblem(codePreconditionRequired, "Give the ETag of what you read as If-Match, so that nobody's change is lost.")
	}
	found := etagForm.FindStringSubmatch(c.IfMatch)
	if found == nil {
		return 0, newProblem(provision.CodePreconditionFailed, `If-Match must be one ETag as it was sent, such as "7".`)
	}
	return strconv.ParseInt(found[1], 10, 64)
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// keyHeader has the key of requests that must not be carried out twice.
const keyHeader = "Idempotency-Key"

// Keyed is the input of endpoints that start work.
type Keyed struct {
	Key string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" doc:"Names the request: repeated within a day it gets the same answer and starts nothing. Any unique text, such as a UUID."`
}

// Waiting is the input of endpoints that may wait.
type Waiting struct {
	Wait waitTime `query:"wait" doc:"Answer only when the operation ended or waits for people, after at most this long; 60s is the most." example:"30s"`
}

// waitTime is a Duration in a query: a struct, as cursor is.
type waitTime struct{ time Duration }

// Schema implements huma.SchemaProvider.
func (waitTime) Schema(r huma.Registry) *huma.Schema { return Duration(0).Schema(r) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *waitTime) UnmarshalText(text []byte) error { return w.time.UnmarshalText(text) }

// most is how long to wait.
func (w Waiting) most() time.Duration { return min(time.Duration(w.Wait.time), maxWait) }

// Duration is a time span as it is sent: "48h", "1d12h", "90s".
type Duration time.Duration

// durationForm has numbers that fit, whatever they are.
const durationForm = `^([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$`

var durations = regexp.MustCompile(durationForm)

// Schema implements huma.SchemaProvider.
func (Duration) Schema(huma.Registry) *huma.Schema {
	one := 1
	return &huma.Schema{
		Type: huma.TypeString, Pattern: durationForm, PatternDescription: `days, hours, minutes and seconds, such as "48h" or "1d12h"`, MinLength: &one,
		Examples: []any{"48h"},
	}
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	found := durations.FindStringSubmatch(string(text))
	if found == nil || len(text) == 0 {
		return fmt.Errorf(`%q is no duration: days, hours, minutes and seconds, such as "48h" or "1d12h"`, text)
	}
	var sum time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if part := found[i+1]; part != "" {
			n, err := strconv.Atoi(part[:len(part)-1])
			if err != nil {
				return err
			}
			sum += time.Duration(n) * unit
		}
	}
	*d = Duration(sum)
	return nil
}

// MarshalText implements encoding.TextMarshaler. What is less than a second is
// left out.
func (d Duration) MarshalText() ([]byte, error) {
	text := ""
	rest := time.Duration(d)
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := rest / unit.size; n > 0 {
			text += fmt.Sprintf("%d%s", n, unit.name)
			rest -= n * unit.size
		}
	}
	if text == "" {
		text = "0s"
	}
	return []byte(text), nil
}
