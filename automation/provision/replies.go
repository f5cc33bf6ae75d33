package provision

import (
	"bytes"
	"context"
	"crypto/cipher"
	"errors"
	"strings"
	"time"

	"redoubt/automation/backend"
)

// longestRequest is after what time a request without an answer has died with its
// process.
const longestRequest = 2 * time.Minute

// BeginRequest begins a request with an idempotency key: of who, key, route and
// hash. It returns the answer that the same request was given before, or nil for a
// request that is to be done; then EndRequest keeps its answer, or DropRequest
// forgets it.
//
// The key of another request is CodeInvalid; one that is being answered right now
// is CodeConflict, to be asked again in a moment.
func (s *Service) BeginRequest(ctx context.Context, p Principal, r Reply) (stored *Reply, err error) {
	const longestKey = 255
	if r.Key == "" || len(r.Key) > longestKey {
		return nil, Fail(CodeInvalid, "the idempotency key has %d characters: 1 to %d, a UUID for example", len(r.Key), longestKey)
	}
	r.Principal = p.subjects()[0]
	r.Status, r.Header, r.Body = 0, nil, nil
	err = s.write(ctx, func(tx Tx) error {
		stored = nil
		now := tx.Now()
		r.CreatedAt = now
		known, err := tx.Reply(r.Principal, r.Key, r.Route)
		if errors.Is(err, backend.ErrNotFound) {
			if err := tx.BeginReply(r); !errors.Is(err, backend.ErrExists) {
				return err
			}
			return beingAnswered() // by who was faster
		}
		if err != nil {
			return err
		}
		age := now.Sub(known.CreatedAt)
		switch {
		case age >= s.opts.KeepReplies, known.Status == 0 && age >= longestRequest && bytes.Equal(known.RequestHash, r.RequestHash):
			// Forgotten, or its process died. Of several that find that out at once the
			// first begins anew: the others see its reply, which is younger.
			if err := countAlone(tx); err != nil {
				return err
			}
			again, err := tx.Reply(r.Principal, r.Key, r.Route)
			if errors.Is(err, backend.ErrNotFound) || err == nil && !again.CreatedAt.Equal(known.CreatedAt) {
				return beingAnswered()
			}
			if err != nil {
				return err
			}
			if err := tx.DropReply(r.Principal, r.Key, r.Route); err != nil && !errors.Is(err, backend.ErrNotFound) {
				return err
			}
			if err := tx.BeginReply(r); !errors.Is(err, backend.ErrExists) {
				return err
			}
			return beingAnswered()
		case !bytes.Equal(known.RequestHash, r.RequestHash):
			return Fail(CodeInvalid, "the idempotency key was used for another request within the last %g hours: take a new key for each request, and the same one only to repeat it unchanged", s.opts.KeepReplies.Hours())
		case known.Status == 0:
			return beingAnswered()
		}
		stored = &known
		return nil
	})
	if err != nil || stored == nil {
		return nil, err
	}
	stored.Body, err = s.answers().Open(nil, nil, stored.Body, stored.bound())
	return stored, err
}

// answers seals the bodies of answers: one of them may have a secret that is shown
// once, as that of a webhook is.
func (s *Service) answers() cipher.AEAD { return s.sealer("answers to requests") }

// bound is what a sealed body belongs to.
func (r Reply) bound() []byte {
	return []byte(strings.Join([]string{r.Principal, r.Route, r.Key}, "\n")) // a key has no line break
}

// beingAnswered is for a request that another one with its key is ahead of.
func beingAnswered() error {
	return &Error{Code: CodeConflict, RetryAfter: time.Second, Message: "a request with this idempotency key is being answered: ask again in a moment"}
}

// EndRequest keeps the answer to a request that BeginRequest began.
func (s *Service) EndRequest(ctx context.Context, p Principal, r Reply) error {
	r.Principal = p.subjects()[0]
	return s.write(context.WithoutCancel(ctx), func(tx Tx) error {
		// Its time stays: it counts from the first request.
		known, err := tx.Reply(r.Principal, r.Key, r.Route)
		if err != nil {
			return absent(err, "request with this idempotency key")
		}
		known.Status, known.Header = r.Status, r.Header
		known.Body = s.answers().Seal(nil, nil, r.Body, known.bound())
		return tx.EndReply(known)
	})
}

// DropRequest forgets a request that BeginRequest began, so that it may be made
// again: for what has changed nothing, because the service was at fault.
func (s *Service) DropRequest(ctx context.Context, p Principal, r Reply) error {
	err := s.write(context.WithoutCancel(ctx), func(tx Tx) error { return tx.DropReply(p.subjects()[0], r.Key, r.Route) })
	if errors.Is(err, backend.ErrNotFound) {
		return nil
	}
	return err
}
