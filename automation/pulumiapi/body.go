package pulumiapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/backend/replay"
)

// largeAtOnce is how many bodies over largeFrom may be in memory at the same
// time; others wait.
const (
	largeAtOnce = 4
	largeFrom   = 8 << 20
)

// body reads the request's body, decompressed, up to the endpoint's limit.
func (c *call) body() ([]byte, error) {
	limit := c.endpoint.limit
	// What is compressed is bounded too: it may hold nothing for long.
	var reader io.Reader = http.MaxBytesReader(c.w, c.r.Body, limit)
	switch encoding := strings.ToLower(strings.TrimSpace(c.r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(reader)
		if err != nil {
			return nil, broken(err)
		}
		reader = z
	default:
		return nil, backend.Fail(backend.CodeInvalid, "the body has the encoding %.40q: gzip or none is read", encoding)
	}
	var b bytes.Buffer
	if n := c.r.ContentLength; n > 0 && n <= smallBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(reader, min(largeFrom, limit)+1)); err != nil {
		return nil, broken(err)
	}
	if int64(b.Len()) <= largeFrom || limit <= largeFrom {
		return b.Bytes(), c.within(b.Len(), limit)
	}
	// The place is given back when the request is over.
	select {
	case c.large <- struct{}{}:
		c.release = func() { <-c.large }
	case <-c.ctx().Done():
		return nil, c.ctx().Err()
	}
	if _, err := b.ReadFrom(io.LimitReader(reader, limit-int64(b.Len())+1)); err != nil {
		return nil, broken(err)
	}
	return b.Bytes(), c.within(b.Len(), limit)
}

func (c *call) within(n int, limit int64) error {
	if int64(n) > limit {
		return backend.Fail(backend.CodeTooLarge, "the body is larger than %d MiB, which is the most that is taken here", limit>>20)
	}
	return nil
}

// broken says why a body could not be read.
func broken(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return backend.Fail(backend.CodeTooLarge, "the body is larger than %d MiB, which is the most that is taken here", tooLarge.Limit>>20)
	}
	return &backend.Error{Code: backend.CodeInvalid, Message: "the body ended too early, or is not the gzip that it says it is", Cause: err}
}

// decode reads the body as JSON. Fields that are not known are ignored: a newer
// CLI may send more.
func (c *call) decode(into any) error {
	text, err := c.body()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return unexpected(err)
	}
	return nil
}

// list reads the body as an object with a list, whose elements stay as they are.
func (c *call) list(field string) ([]json.RawMessage, error) {
	text, err := c.body()
	if err != nil {
		return nil, err
	}
	list, err := replay.List(text, field)
	if err != nil {
		return nil, unexpected(err)
	}
	return list, nil
}

func unexpected(err error) error {
	return &backend.Error{Code: backend.CodeInvalid, Message: "the body is not the JSON that is expected here", Cause: err}
}
