package pulumiapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// document is JSON that is answered as it is.
type document []byte

// blob is answered as bytes, never compressed.
type blob []byte

// compressAbove is the size from which an answer is compressed.
const compressAbove = 4 << 10

// answer writes what an endpoint returned. Where the CLI reads an answer it
// must be JSON, where it reads none anything goes: so nothing is `{}`.
func (c *call) answer(v any) error {
	switch v := v.(type) {
	case nil:
		return c.write(http.StatusOK, "application/json", []byte("{}"), false)
	case document:
		return c.write(http.StatusOK, "application/json", v, true)
	case blob:
		return c.write(http.StatusOK, "application/octet-stream", v, false)
	default:
		body, err := encode(v)
		if err != nil {
			c.refuse(err)
			return err
		}
		return c.write(http.StatusOK, "application/json", body, true)
	}
}

// refuse writes an error in the CLI's shape.
func (c *call) refuse(err error) {
	p := problem(err)
	if p.Code == clientGone {
		return
	}
	body, encodeErr := encode(p)
	if encodeErr != nil {
		return // three plain fields
	}
	// A client that is gone is in the log already.
	_ = c.write(p.Code, "application/json", body, false)
}

// encode keeps <, > and & as they are in documents within documents.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("an answer cannot be written as JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var gzips = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}}

func (c *call) write(status int, kind string, body []byte, compress bool) error {
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if !compress || len(body) <= compressAbove || !accepts(c.r, "gzip") {
		h.Set("Content-Length", strconv.Itoa(len(body)))
		c.w.WriteHeader(status)
		_, err := c.w.Write(body)
		return err
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("Vary", "Accept-Encoding")
	c.w.WriteHeader(status)
	z := gzips.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool has no others
	defer gzips.Put(z)
	z.Reset(c.w)
	if _, err := z.Write(body); err != nil {
		return err
	}
	return z.Close()
}

// accepts says whether the client takes an encoding; one with q=0 is refused.
func accepts(r *http.Request, encoding string) bool {
	for _, header := range r.Header.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(header, ",") {
			name, params, _ := strings.Cut(item, ";")
			q := strings.TrimSpace(params)
			if strings.EqualFold(strings.TrimSpace(name), encoding) && q != "q=0" && q != "q=0.0" {
				return true
			}
		}
	}
	return false
}
