package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"redoubt/automation/backend"
)

// read and write are the store's View and Update, with errors as people get them.
func (s *Service) read(ctx context.Context, do func(Tx) error) error {
	return public(s.store.View(ctx, do))
}

func (s *Service) write(ctx context.Context, do func(Tx) error) error {
	return public(s.store.Update(ctx, do))
}

// codes are the backend's, in this package's.
var codes = map[backend.Code]Code{
	backend.CodeInvalid: CodeInvalid, backend.CodeUnauthenticated: CodeUnauthenticated, backend.CodeForbidden: CodeForbidden,
	backend.CodeNotFound: CodeNotFound, backend.CodeConflict: CodeConflict, backend.CodeTooLarge: CodeTooLarge,
	backend.CodeUnavailable: CodeUnavailable,
}

// public turns what the backend and the store say into an Error of this package.
func public(err error) error {
	var own *Error
	var theirs *backend.Error
	switch {
	case err == nil, errors.As(err, &own):
		return err
	case errors.Is(err, ErrVersion):
		return Fail(CodePreconditionFailed, "it was changed by somebody else since you read it: read it again, and make your change to that")
	case errors.As(err, &theirs):
		return &Error{Code: codes[theirs.Code], Message: theirs.Message, Cause: err}
	}
	return err
}

// absent turns a Store's ErrNotFound into an Error that names the thing.
func absent(err error, noun string) error {
	if errors.Is(err, backend.ErrNotFound) {
		return Fail(CodeNotFound, "there is no %s", noun)
	}
	return err
}

// named is a thing as the request called it, fit for a message.
func named(kind, name string) string {
	const limit = 160
	if len(name) > limit {
		name = name[:limit]
	}
	return fmt.Sprintf("%s %q", kind, name)
}

// findings collects what is wrong with a request, by field.
type findings []FieldError

func (f *findings) add(pointer, format string, args ...any) {
	// A hostile request's keys may be as long as the request.
	const longest = 300
	if len(pointer) > longest {
		pointer = strings.ToValidUTF8(pointer[:longest], "") + "…"
	}
	*f = append(*f, FieldError{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// err is nil without findings. It tells all of them.
func (f findings) err() error {
	if len(f) == 0 {
		return nil
	}
	message := f[0].Pointer + ": " + f[0].Message
	if len(f) > 1 {
		message = fmt.Sprintf("%s (and %d more)", message, len(f)-1)
	}
	return &Error{Code: CodeInvalid, Message: message, Fields: f}
}

// invalidFields is the error of findings, with a sentence before them.
func invalidFields(message string, fields []FieldError) error {
	return &Error{Code: CodeInvalid, Message: message, Fields: fields}
}

// text finds what is wrong with a text for people.
func (f *findings) text(pointer, value string, atLeast, atMost int) {
	switch n := len([]rune(value)); {
	case n < atLeast && n == 0:
		f.add(pointer, "is missing")
	case n < atLeast:
		f.add(pointer, "has %d characters: at least %d", n, atLeast)
	case n > atMost:
		f.add(pointer, "has %d characters: at most %d", n, atMost)
	default:
		for _, r := range value {
			if (r < ' ' && r != '\n' && r != '\t') || r == 0x7f || r == '\uFFFD' {
				f.add(pointer, "has characters that are not text")
				return
			}
		}
	}
}

// page bounds how many of a list are returned at once.
func page(limit int) int {
	const usual, most = 50, 500
	if limit <= 0 {
		return usual
	}
	return min(limit, most)
}
