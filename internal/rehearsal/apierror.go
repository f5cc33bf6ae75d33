package rehearsal

import (
	"errors"
	"fmt"
)

// APIError is AWS saying no. Its text has the shape of the provider's own, so
// that what reads the one reads the other.
type APIError struct {
	// Doing is what the provider was doing: "creating EC2 Subnet (name)".
	Doing string
	// Service and Operation are the API call: "EC2", "CreateSubnet".
	Service, Operation string
	// Code and Message are AWS's: "InvalidVpcID.NotFound".
	Code, Message string
	// Status is the HTTP status.
	Status int
	// RequestID is made up.
	RequestID string
}

func (e *APIError) Error() string {
	return fmt.Sprintf("%s: operation error %s: %s, https response error StatusCode: %d, RequestID: %s, api error %s: %s",
		e.Doing, e.Service, e.Operation, e.Status, e.RequestID, e.Code, e.Message)
}

// Codes are the AWS error codes in an error, in order; empty if it is none of
// the account's refusals.
func Codes(err error) []string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case nil:
		case *APIError:
			out = append(out, e.Code)
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
		default:
			walk(errors.Unwrap(err))
		}
	}
	walk(err)
	return out
}

// refused is a refusal of the call in hand.
func (c *call) refused(code string, status int, message string) error {
	if status == 0 {
		status = 400
	}
	return &APIError{
		Doing:   fmt.Sprintf("%s %s (%s)", c.op.doing, c.kind.noun, c.label()),
		Service: c.kind.service, Operation: c.operation(),
		Code: code, Message: c.hush(message), Status: status, RequestID: c.requestID(code + message),
	}
}

// operation is the API call that the call in hand stands for.
func (c *call) operation() string {
	if c.kind.call != "" && (c.op == opCreate || c.op == opUpdate) {
		return c.kind.call
	}
	return c.op.verb + c.kind.action
}
