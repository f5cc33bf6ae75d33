// Package asl builds state machines in the Amazon States Language out of Go
// values, checks them and renders them, the same bytes for the same machine.
// Definitions hold no outputs of resources, so that they are known at preview.
//
// https://states-language.net/spec.html
package asl

// End is the Next of a state that ends its machine.
const End = ""

// Discard is the ResultPath that drops a result and keeps the input.
const Discard = "null"

// Machine is a state machine, or the inside of a Parallel branch or a Map.
type Machine struct {
	Comment string
	StartAt string
	// TimeoutSeconds ends an execution; 0 for never.
	TimeoutSeconds int
	States         []State
}

// State is one of Task, Choice, Parallel, Map, Pass, Compute, Wait, Succeed
// and Fail.
type State interface {
	// StateName is unique in the machine, nested machines included.
	StateName() string
	// next are the names that the state may go to, End included.
	next() []string
	// check reports what is wrong with the state's own fields.
	check(report func(field, why, fix string))
	// render is the state in the language.
	render() map[string]any
	// inner are nested machines.
	inner() []Machine
}

// Payload is a template of parameters or of a result: fields whose name ends
// in ".$" hold a path or an intrinsic function, all others literal values.
type Payload = map[string]any

// Task calls an AWS action.
type Task struct {
	Name, Comment string
	// Resource is the action's ARN; see SDK and Optimized.
	Resource   string
	Parameters Payload
	// ResultSelector picks from the result; nil for all of it.
	ResultSelector Payload
	// ResultPath is where the result goes, "$.x"; Discard to drop it; empty
	// replaces the whole state.
	ResultPath     string
	TimeoutSeconds int
	Retry          []Retry
	Catch          []Catch
	Next           string
}

// Choice goes to the first rule that matches, or to Default, which is required:
// a state that matches nothing must not end the execution by accident.
type Choice struct {
	Name, Comment string
	Rules         []Rule
	Default       string
}

// Rule is one arm of a Choice.
type Rule struct {
	Test Test
	Next string
}

// Parallel runs its branches side by side; the result is the list of theirs.
type Parallel struct {
	Name, Comment  string
	Branches       []Machine
	ResultSelector Payload
	ResultPath     string
	Retry          []Retry
	Catch          []Catch
	Next           string
}

// Map runs its machine for every element of the list at ItemsPath.
type Map struct {
	Name, Comment  string
	ItemsPath      string
	ItemSelector   Payload
	MaxConcurrency int
	Each           Machine
	ResultPath     string
	Retry          []Retry
	Catch          []Catch
	Next           string
}

// Pass puts values together.
type Pass struct {
	Name, Comment string
	Parameters    Payload
	ResultPath    string
	Next          string
}

// Compute is a Pass whose query language is JSONata. Output replaces the whole
// state; strings "{% … %}" in it are expressions.
type Compute struct {
	Name, Comment string
	Output        map[string]any
	Next          string
}

// Wait waits for a number of seconds.
type Wait struct {
	Name, Comment string
	Seconds       int
	Next          string
}

// Succeed ends the execution well.
type Succeed struct{ Name, Comment string }

// Fail ends the execution with an error.
type Fail struct{ Name, Comment, Error, Cause string }

// Retry repeats after an error.
type Retry struct {
	ErrorEquals     []string
	IntervalSeconds int
	MaxAttempts     int
	BackoffRate     float64
}

// Catch goes on elsewhere after an error, which it puts at ResultPath.
type Catch struct {
	ErrorEquals []string
	ResultPath  string
	Next        string
}

// SDK is the ARN of an AWS SDK integration: SDK("aws", "ec2", "createTags").
// Service is the SDK's name of the service, for example "wafv2".
// https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
func SDK(partition, service, action string) string {
	return "arn:" + partition + ":states:::aws-sdk:" + service + ":" + action
}

// WaitForToken is the ARN of the SQS integration that sends a message and waits
// until somebody answers with the message's task token.
func WaitForToken(partition string) string {
	return "arn:" + partition + ":states:::sqs:sendMessage.waitForTaskToken"
}
