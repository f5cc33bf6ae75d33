package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// Problem is an error as it is sent: RFC 9457 and a few members more.
type Problem struct {
	Type   string `json:"type" doc:"Names the kind of problem: urn:redoubt:problem: and the code." example:"urn:redoubt:problem:stack_busy"`
	Title  string `json:"title" doc:"The kind of problem in words."`
	Status int    `json:"status" doc:"The HTTP status."`
	Detail string `json:"detail" doc:"What is wrong, where, and how to fix it: a sentence for people."`
	// Instance is the path of the request.
	Instance   string         `json:"instance,omitempty" doc:"The path of the request."`
	Code       provision.Code `json:"code" doc:"The kind of problem, for programs; docs/api.md lists them."`
	Operation  string         `json:"operation_id,omitempty" doc:"The operation that it is about."`
	Errors     []ProblemField `json:"errors,omitempty" doc:"Everything that is wrong with the request, all at once."`
	RetryAfter int            `json:"retry_after,omitempty" doc:"Seconds after which it may be asked again; also in the header Retry-After."`
	TraceID    string         `json:"trace_id,omitempty" doc:"The request's in logs and traces."`

	cause  error
	header http.Header
}

// ProblemField is one thing that is wrong with a request.
type ProblemField struct {
	Pointer   string `json:"pointer,omitempty" doc:"Where in the body: a JSON pointer (RFC 6901)." example:"/inputs/name"`
	Parameter string `json:"parameter,omitempty" doc:"Which parameter: header, query or path, and its name." example:"query limit"`
	Message   string `json:"message"`
}

// Codes that only HTTP has.
const (
	codeMalformed            provision.Code = "malformed"
	codeMethodNotAllowed     provision.Code = "method_not_allowed"
	codeMediaType            provision.Code = "unsupported_media_type"
	codePreconditionRequired provision.Code = "precondition_required"
	codeTimeout              provision.Code = "timeout"
	codeUnavailable          provision.Code = "unavailable"
	codeInternal             provision.Code = "internal"
)

// kinds are the statuses of codes, with their titles.
var kinds = []struct {
	code   provision.Code
	status int
	title  string
}{
	{provision.CodeInvalid, http.StatusUnprocessableEntity, "The request is not valid"},
	{provision.CodeUnauthenticated, http.StatusUnauthorized, "A good token is needed"},
	{provision.CodeForbidden, http.StatusForbidden, "You may not do that"},
	{provision.CodeNotFound, http.StatusNotFound, "There is no such thing, or not for you"},
	{provision.CodeConflict, http.StatusConflict, "The state of things does not allow it"},
	{provision.CodeStackBusy, http.StatusConflict, "The stack is busy"},
	{provision.CodePreconditionFailed, http.StatusPreconditionFailed, "It was changed since you read it"},
	{provision.CodeQuotaExceeded, http.StatusTooManyRequests, "A quota is used up"},
	{provision.CodePolicyBlocked, http.StatusConflict, "Policy does not allow it"},
	{provision.CodeApprovalRequired, http.StatusConflict, "People must approve it first"},
	{provision.CodePlanStale, http.StatusConflict, "The plan is not the one that was shown"},
	{provision.CodeNeedsRecovery, http.StatusConflict, "The stack needs recovery"},
	{provision.CodeFrozen, http.StatusLocked, "Nothing is applied now"},
	{provision.CodeEngineUnavailable, http.StatusServiceUnavailable, "The engine does not run"},
	{provision.CodeTooLarge, http.StatusRequestEntityTooLarge, "The request is too large"},
	{codeRateLimited, http.StatusTooManyRequests, "Too many requests"},
	{codeMalformed, http.StatusBadRequest, "The request cannot be read"},
	{codeMethodNotAllowed, http.StatusMethodNotAllowed, "There is no such method here"},
	{codeMediaType, http.StatusUnsupportedMediaType, "The body must be JSON"},
	{codePreconditionRequired, http.StatusPreconditionRequired, "Say which version you change"},
	{codeTimeout, http.StatusRequestTimeout, "The request took too long to arrive"},
	{codeUnavailable, http.StatusServiceUnavailable, "Something that is needed does not answer"},
	{codeInternal, http.StatusInternalServerError, "Something went wrong in the service"},
}

// ofBackend are the codes of package backend, whose errors pass through.
var ofBackend = map[backend.Code]provision.Code{
	backend.CodeInvalid: provision.CodeInvalid, backend.CodeUnauthenticated: provision.CodeUnauthenticated,
	backend.CodeForbidden: provision.CodeForbidden, backend.CodeNotFound: provision.CodeNotFound,
	backend.CodeConflict: provision.CodeConflict, backend.CodeTooLarge: provision.CodeTooLarge, backend.CodeUnavailable: codeUnavailable,
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// Unwrap returns what only the log may say.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (*Problem) ContentType(string) string { return "application/problem+json" }

// newProblem is a problem of a code. A code that nobody knows is a fault of ours.
func newProblem(code provision.Code, detail string) *Problem {
	i := slices.IndexFunc(kinds, func(k struct {
		code   provision.Code
		status int
		title  string
	},
	) bool {
		return k.code == code
	})
	if i < 0 {
		return newProblem(codeInternal, "")
	}
	return &Problem{
		Type: "urn:redoubt:problem:" + string(code), Title: kinds[i].title, Status: kinds[i].status, Detail: detail, Code: code,
		header: http.Header{},
	}
}

// problemOf is an error as a problem. What is no error of the domain's is a fault
// of ours: its words are for the log alone.
func problemOf(c *call, err error) *Problem {
	var p *Problem
	var domain *provision.Error
	var stacks *backend.Error
	switch {
	case errors.As(err, &p):
	case errors.As(err, &domain):
		p = newProblem(domain.Code, domain.Message)
		p.Operation, p.cause = domain.Operation, domain.Cause
		p.retryAfter(domain.RetryAfter)
		for _, f := range domain.Fields {
			p.Errors = append(p.Errors, ProblemField{Pointer: f.Pointer, Message: f.Message})
		}
	case errors.As(err, &stacks):
		p = newProblem(ofBackend[stacks.Code], stacks.Message)
		p.cause = stacks.Cause
	default:
		p = newProblem(codeInternal, "")
	}
	if p.Code == codeInternal {
		p.Detail, p.cause, p.Errors = "Something went wrong in the service; its log says more under trace "+c.traceID()+".", err, nil
	}
	if p.Code == provision.CodeUnauthenticated {
		p.header.Set("WWW-Authenticate", `Bearer realm="redoubt"`)
	}
	p.Instance, p.TraceID = c.path, c.traceID()
	c.problem = p
	return p
}

func (p *Problem) retryAfter(after time.Duration) {
	if after <= 0 {
		return
	}
	p.RetryAfter = int(math.Ceil(after.Seconds()))
	p.header.Set("Retry-After", strconv.Itoa(p.RetryAfter))
}

// invalid is a problem with one thing in the request.
func invalid(field ProblemField) *Problem {
	p := newProblem(provision.CodeInvalid, "The request is not valid: "+field.String()+".")
	p.Errors = []ProblemField{field}
	return p
}

// String is where and what.
func (f ProblemField) String() string {
	if where := f.Parameter + f.Pointer; where != "" {
		return where + ": " + f.Message
	}
	return f.Message
}

// init makes huma's own findings problems: it has these as variables of its
// package, and nothing else of this program uses it.
func init() {
	huma.DefaultArrayNullable = false
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, message string, found ...error) huma.StatusError {
		return ofHuma(status, message, found)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, found ...error) huma.StatusError {
		if ctx == nil {
			return ofHuma(status, message, found)
		}
		return problemOf(callOf(ctx.Context()), ofHuma(status, message, found))
	}
}

// ofHuma is what huma found wrong with a request. The values that it found are
// left out: there may be secrets among them.
func ofHuma(status int, message string, found []error) *Problem {
	code := codeInternal
	for _, k := range kinds {
		if k.status == status {
			code = k.code
			break
		}
	}
	p := newProblem(code, message+".")
	if code == codeInternal {
		p.cause = errors.Join(append(found, errors.New(message))...)
	}
	for _, err := range found {
		field := ProblemField{Message: err.Error()}
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			field = fieldOf(detail)
		}
		p.Errors = append(p.Errors, field)
	}
	if len(p.Errors) > 0 && code != codeInternal {
		texts := make([]string, len(p.Errors))
		for i, f := range p.Errors {
			texts[i] = f.String()
		}
		p.Detail = fmt.Sprintf("%s: %s.", p.Title, strings.Join(texts, "; "))
	}
	return p
}

// fieldOf reads where huma found something: "body.quota.stacks", "query.limit".
func fieldOf(d *huma.ErrorDetail) ProblemField {
	where, rest, _ := strings.Cut(d.Location, ".")
	if where != "body" && !strings.HasPrefix(where, "body[") {
		return ProblemField{Parameter: strings.TrimSpace(where + " " + rest), Message: d.Message}
	}
	if d.Location == "body" && strings.Contains(d.Message, "json: ") {
		// A value that fits the schema and no Go type, such as 1e300.
		return ProblemField{Message: "a value in the body is out of range, or not of the type that is expected"}
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "").Replace(strings.TrimPrefix(d.Location, "body"))
	return ProblemField{Pointer: pointer, Message: d.Message}
}

// callKey is the key of a request's call in its context.
type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil {
		return &call{}
	}
	return c
}
