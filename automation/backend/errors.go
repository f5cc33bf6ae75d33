package backend

import (
	"errors"
	"fmt"
)

// Code says what kind of thing went wrong; adapters map it (HTTP: status).
type Code string

// The codes.
const (
	// CodeInvalid is a request that cannot be right: 400.
	CodeInvalid Code = "invalid"
	// CodeUnauthenticated is a missing, wrong, expired or revoked token: 401.
	CodeUnauthenticated Code = "unauthenticated"
	// CodeForbidden is a token that may not do that, or a lease that is lost: 403.
	CodeForbidden Code = "forbidden"
	// CodeNotFound is also what somebody gets who may not know that it exists: 404.
	CodeNotFound Code = "not_found"
	// CodeConflict is a state of things that does not allow it: 409.
	CodeConflict Code = "conflict"
	// CodeTooLarge is a body over the limit: 413.
	CodeTooLarge Code = "too_large"
	// CodeUnavailable is a database or a key service that does not answer; what
	// was asked for may be asked again: 503.
	CodeUnavailable Code = "unavailable"
)

// Error is what every exported method returns for what the caller did or may
// handle; anything else is a fault of ours and is not shown to people.
type Error struct {
	Code Code
	// Message is a sentence for people: what is wrong, where, how to fix it. It
	// never holds a secret.
	Message string
	// Cause is for the log alone.
	Cause error
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Fail makes an Error.
func Fail(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of an Error, empty for any other error.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// What a Store says instead of an answer. Service turns them into Errors that
// name the thing.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
)
