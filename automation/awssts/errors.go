package awssts

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// Error is why a run has no credentials, in words for people. It has no secret, and
// of what AWS says only the code.
type Error struct {
	Message string
	// Cause is for the log alone.
	Cause error
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// remedies say what is to be done about a refusal of STS, by its code. The verb is
// the role's ARN.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors
var remedies = map[string]string{
	"AccessDenied":                  "AWS does not let this server assume %s: the role must be there, and trust this server with the external id and the session tags of provisioning.accounts (redoubt roles aws prints the role); this server's own policy must allow sts:AssumeRole and sts:TagSession on it",
	"ValidationError":               "AWS does not take the session of %s: the role's maximum session duration may be less than session in provisioning.accounts",
	"RegionDisabledException":       "STS is switched off in the region of %s: activate it for the account, or name another region in provisioning.accounts",
	"PackedPolicyTooLarge":          "the tags and the policy of the session of %s are too long together: shorten the stack's names",
	"PackedPolicyTooLargeException": "the tags and the policy of the session of %s are too long together: shorten the stack's names",
	"ExpiredToken":                  ownCredentials,
	"ExpiredTokenException":         ownCredentials,
	"InvalidClientTokenId":          ownCredentials,
	"SignatureDoesNotMatch":         ownCredentials,
	"UnrecognizedClientException":   ownCredentials,
}

const ownCredentials = "AWS does not know this server's own credentials, or they have expired: the operator renews them (%s could not be assumed)"

// refusal is what people are told when a role cannot be assumed.
func refusal(err error, role string, account Account, q Request) *Error {
	text, code := "AWS could not be asked for %s: this server needs credentials of its own, and a way to STS in "+account.Region, ""
	var said smithy.APIError
	if errors.As(err, &said) {
		code = said.ErrorCode()
		if text = remedies[code]; text == "" {
			text = "AWS does not give credentials of %s: try it again later"
		}
	}
	message := fmt.Sprintf(text, role) + fmt.Sprintf(" (account %s", account.ID)
	if q.Operation != "" {
		message += fmt.Sprintf(", stack %s, %s", q.Stack, q.Phase)
	}
	if code != "" {
		message += ", " + code
	}
	return &Error{Message: message + ")", Cause: err}
}
