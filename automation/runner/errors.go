package runner

import "errors"

// Code says what became of an operation that did not succeed.
type Code string

// The codes.
const (
	// CodeInvalid: the specification is wrong; nothing ran.
	CodeInvalid Code = "invalid"
	// CodeFailed: the engine says what failed.
	CodeFailed Code = "failed"
	// CodePolicy: the policy pack refused it.
	CodePolicy Code = "policy"
	// CodeMissing: there is no such stack.
	CodeMissing Code = "missing_stack"
	// CodeBusy: another update of the stack runs.
	CodeBusy Code = "busy"
	// CodeUnauthorized: the backend does not accept the token.
	CodeUnauthorized Code = "unauthorized"
	// CodeCanceled: it was canceled; what had begun was finished and is in the
	// state.
	CodeCanceled Code = "canceled"
	// CodeKilled: it was ended by force, or did not end within its grace. What
	// had begun is in the state as pending.
	CodeKilled Code = "killed"
	// CodePanic: the program panicked.
	CodePanic Code = "panic"
	// CodeLost: the child died, and it is not known why.
	CodeLost Code = "lost"
)

// Error is why an operation did not succeed. The message holds no secrets.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// CodeOf is the code of an error of this package, else empty.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// pending is what to know after an operation that did not end by itself.
const pending = "what had begun may be pending in the state: run a refresh before anything else"

var (
	errKilled   = &Error{CodeKilled, "it was ended by force; " + pending}
	errCanceled = &Error{CodeCanceled, "it was canceled; what had begun was brought to its end and is in the state"}
)
