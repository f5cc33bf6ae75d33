package pulumiapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

// statuses are the HTTP statuses of the service's codes.
var statuses = map[backend.Code]int{
	backend.CodeInvalid:         http.StatusBadRequest,
	backend.CodeUnauthenticated: http.StatusUnauthorized,
	backend.CodeForbidden:       http.StatusForbidden,
	backend.CodeNotFound:        http.StatusNotFound,
	backend.CodeConflict:        http.StatusConflict,
	backend.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	backend.CodeUnavailable:     http.StatusServiceUnavailable,
}

// clientGone is the status in the log of a request whose client did not wait;
// nobody gets it.
const clientGone = 499

// problem turns an error into what the CLI understands. It compares the code in
// the body, not the status (pkg/backend/httpstate/client/api.go), so both are
// there; it knows nothing of RFC 9457.
func problem(err error) apitype.ErrorResponse {
	var known *backend.Error
	if errors.As(err, &known) {
		if status, ok := statuses[known.Code]; ok {
			return apitype.ErrorResponse{Code: status, Message: known.Message}
		}
	}
	if errors.Is(err, context.Canceled) {
		return apitype.ErrorResponse{Code: clientGone, Message: "the client went away"}
	}
	return apitype.ErrorResponse{
		Code:    http.StatusInternalServerError,
		Message: "something went wrong in the service; its log says more under the id of the request",
	}
}

// cause is what the log gets beside the message; empty where there is no more.
func cause(err error) string {
	var known *backend.Error
	if !errors.As(err, &known) {
		return err.Error()
	}
	if known.Cause != nil {
		return known.Cause.Error()
	}
	return ""
}
