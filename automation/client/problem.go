package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Problem is what a server answers where it refuses: RFC 9457 and a few members
// more.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance,omitempty"`
	// Code is for programs; docs/api.md lists them.
	Code string `json:"code"`
	// OperationID is the operation that it is about, where there is one.
	OperationID string `json:"operation_id,omitempty"`
	// Errors are everything that is wrong with the request.
	Errors []ProblemField `json:"errors,omitempty"`
	// RetryAfter is in seconds, 0 for never.
	RetryAfter int `json:"retry_after,omitempty"`
	// TraceID is the request's in the server's log.
	TraceID string `json:"trace_id,omitempty"`
}

// ProblemField is one thing that is wrong with a request.
type ProblemField struct {
	// Pointer is a JSON pointer into the body, Parameter "query limit".
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Message   string `json:"message"`
}

// Error implements error: a line, and one for each finding.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	var text strings.Builder
	text.WriteString(p.Title)
	for _, f := range p.Errors {
		text.WriteString("\n  ")
		if where := f.Parameter + f.Pointer; where != "" {
			text.WriteString(where + ": ")
		}
		text.WriteString(f.Message)
	}
	return text.String()
}

// CodeOf is the code of a Problem, empty for any other error.
func CodeOf(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

func refused(where string, response *http.Response) error {
	var p Problem
	const most = 1 << 20
	if err := json.NewDecoder(io.LimitReader(response.Body, most)).Decode(&p); err != nil || p.Detail == "" {
		return fmt.Errorf("%s answered %s: it is no server of Redoubt, or an older one", where, response.Status)
	}
	return &p
}
