package provision

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of thing went wrong; adapters map it (HTTP: status).
type Code string

// The codes of docs/api.md.
const (
	CodeInvalid            Code = "validation_failed"
	CodeUnauthenticated    Code = "unauthenticated"
	CodeForbidden          Code = "forbidden"
	CodeNotFound           Code = "not_found"
	CodeConflict           Code = "conflict"
	CodeStackBusy          Code = "stack_busy"
	CodePreconditionFailed Code = "precondition_failed"
	CodeQuotaExceeded      Code = "quota_exceeded"
	CodePolicyBlocked      Code = "policy_blocked"
	CodeApprovalRequired   Code = "approval_required"
	CodePlanStale          Code = "plan_stale"
	CodeNeedsRecovery      Code = "needs_recovery"
	CodeFrozen             Code = "frozen"
	CodeEngineUnavailable  Code = "engine_unavailable"
	CodeTooLarge           Code = "too_large"
	// CodeUnavailable is something else that is needed and does not answer, such as
	// an identity provider.
	CodeUnavailable Code = "unavailable"
)

// Error is what every exported method returns for what the caller did or may
// handle; anything else is a fault of ours and is not shown to people.
type Error struct {
	Code Code
	// Message is a sentence for people: what is wrong, where, how to fix it. It
	// never holds a secret.
	Message string
	// Fields are findings by field, all at once.
	Fields []FieldError
	// Operation is the one that the error is about, where there is one.
	Operation string
	// RetryAfter is when to ask again; 0 for never.
	RetryAfter time.Duration
	// Cause is for the log alone.
	Cause error
}

// FieldError is what is wrong with one field of a request.
type FieldError struct {
	// Pointer is a JSON pointer (RFC 6901) into the request's body: "/inputs/name".
	Pointer string `json:"pointer"`
	Message string `json:"message"`
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

// ErrVersion is what a Store says where somebody else has changed something since
// it was read. For what is missing, or there already, it says what backend's does.
var ErrVersion = errors.New("it was changed since it was read")
