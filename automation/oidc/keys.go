package oidc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
)

// Keys are asked for when a token names one that is not known, which is how an
// issuer's new key is found. Tokens that are made up must not make this service
// ask again and again: so many questions at once, and one in so long after that.
const (
	keyBurst = 5
	keyEvery = 10 * time.Second
)

// maxAnswer is how long what an issuer says may be, in bytes.
const maxAnswer = 1 << 20

// errTooOften is for questions about keys that are not asked.
var errTooOften = errors.New("the issuer's keys were asked for too often lately")

// limited asks so often, and reads so much, and no more.
type limited struct {
	next  http.RoundTripper
	limit *rate.Limiter // nil for no limit
}

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.limit != nil && !l.limit.Allow() {
		return nil, errTooOften
	}
	next := l.next
	if next == nil {
		next = http.DefaultTransport
	}
	answer, err := next.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	}
	return answer, err
}

// asking is a context in which the library asks with a client of ours.
func asking(ctx context.Context, client *http.Client, limit *rate.Limiter) context.Context {
	own := *client
	own.Transport = limited{client.Transport, limit}
	return oidc.ClientContext(ctx, &own)
}

// keySet tells apart what the library's verifier makes one error of: a signature
// that does not fit, and an issuer that does not answer.
type keySet struct{ remote *oidc.RemoteKeySet }

// unanswered is where a keySet puts the error of an issuer that did not answer.
type unanswered struct{ err error }

type unansweredKey struct{}

// VerifySignature implements oidc.KeySet.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, token)
	if into, ok := ctx.Value(unansweredKey{}).(*unanswered); ok && err != nil && !errors.Is(err, errTooOften) && fetching(err) {
		into.err = err
	}
	return payload, err
}

// fetching says whether it was the question for keys that failed: the only errors
// that wrap another.
func fetching(err error) bool { return errors.Unwrap(err) != nil || errors.Is(err, io.EOF) }
