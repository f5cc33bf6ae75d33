package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks a server. URL and Token are needed. It is safe for concurrent use.
type Client struct {
	// URL is the server's: "https://redoubt.example".
	URL string
	// Token is an access token, or the token of an identity provider.
	Token string
	// HTTP is http.DefaultClient where it is nil.
	HTTP *http.Client
}

// answerTimeout is for one request; the longest wait is a minute.
const answerTimeout = 2 * time.Minute

// tries is how often a request is sent that may be sent again: one that reads, and
// one with an idempotency key.
const tries = 3

// request is one before it is sent.
type request struct {
	method, path string
	query        url.Values
	version      *int64
	key          string
	body         any
}

// key is an idempotency key: the given one, or a new one.
func key(given string) string {
	if given != "" {
		return given
	}
	return rand.Text()
}

// put adds a parameter to a query, unless it is a zero value.
func put(q url.Values, name string, value any) {
	switch value := value.(type) {
	case string:
		if value != "" {
			q.Set(name, value)
		}
	case int64:
		if value != 0 {
			q.Set(name, strconv.FormatInt(value, 10))
		}
	case bool:
		if value {
			q.Set(name, "true")
		}
	case time.Time:
		if !value.IsZero() {
			q.Set(name, value.Format(time.RFC3339Nano))
		}
	case []string:
		if len(value) > 0 {
			q.Set(name, strings.Join(value, ","))
		}
	default:
		panic(fmt.Sprintf("parameter %s: a %T cannot be sent", name, value)) // a mistake in internal/apigen
	}
}

// do sends a request and reads the answer into out, unless that is nil. The error
// is a *Problem where the server refuses.
func (c *Client) do(ctx context.Context, r request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	again := r.method == http.MethodGet || r.key != ""
	for try := 1; ; try++ {
		err := c.once(ctx, r, out)
		wait, temporary := passing(err)
		if err == nil || !again && !tooOften(err) || !temporary || try == tries {
			return err
		}
		select {
		case <-time.After(max(wait, time.Duration(try)*200*time.Millisecond)):
		case <-ctx.Done():
			return err
		}
	}
}

// passing says whether something may go better in a moment, and in which.
func passing(err error) (time.Duration, bool) {
	var p *Problem
	if errors.As(err, &p) {
		const patience = 5 * time.Second
		after := time.Duration(p.RetryAfter) * time.Second
		return after, after <= patience && (p.Status == http.StatusServiceUnavailable || tooOften(p) || p.Status == http.StatusConflict && p.RetryAfter > 0)
	}
	var lost *connectionError
	return 0, errors.As(err, &lost)
}

// tooOften says whether a request was not looked at because there were too many of
// them: whatever it is, it may be sent again.
func tooOften(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == "rate_limited"
}

// connectionError says that a server was not reached, or not to the end.
type connectionError struct {
	where string
	cause error
}

// Error implements error.
func (e *connectionError) Error() string {
	return fmt.Sprintf("%s does not answer (is it the address of a server of Redoubt, and does that run?): %v", e.where, e.cause)
}

// Unwrap returns the cause.
func (e *connectionError) Unwrap() error { return e.cause }

// prepare makes the request that is sent.
func (c *Client) prepare(ctx context.Context, r request) (*http.Request, error) {
	var sent io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	address := strings.TrimSuffix(c.URL, "/") + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	out, err := http.NewRequestWithContext(ctx, r.method, address, sent)
	if err != nil {
		return nil, fmt.Errorf("%s is no address of a server", c.URL)
	}
	out.Header.Set("Authorization", "Bearer "+c.Token)
	if r.body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if r.version != nil {
		out.Header.Set("If-Match", `"`+strconv.FormatInt(*r.version, 10)+`"`)
	}
	if r.key != "" {
		out.Header.Set("Idempotency-Key", r.key)
	}
	return out, nil
}

// send sends a request; the answer is a good one, and its body must be closed.
func (c *Client) send(out *http.Request) (*http.Response, error) {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(out)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		return nil, &connectionError{c.URL, err}
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer response.Body.Close() //nolint:errcheck // it was read
		return nil, refused(c.URL, response)
	}
	return response, nil
}

func (c *Client) once(ctx context.Context, r request, out any) error {
	prepared, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	response, err := c.send(prepared)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	if out == nil {
		return nil
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return &connectionError{c.URL, err}
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer of %s cannot be read (is it a server of Redoubt?): %w", c.URL, err)
	}
	return nil
}
