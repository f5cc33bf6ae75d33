// Package aslrun runs a rendered state machine on the local machine, with an
// account that the test plays, so that a test can say: on this finding the
// machine takes this way and calls these actions.
//
// It covers the part of the Amazon States Language that package asl writes. A
// wrong path or a comparison with something that is not there ends the run with
// an error, as States.Runtime does, and no Catch takes it.
package aslrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Start is when every execution starts.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ExecutionName is the name of every execution.
const ExecutionName = "execution-1"

// stepLimit ends machines that loop without end.
const stepLimit = 5000

// Call is one AWS action that the machine asked for.
type Call struct {
	// State is the state that called.
	State string
	// Action is "ec2:createTags" or "sqs:sendMessage.waitForTaskToken".
	Action     string
	Parameters map[string]any
}

// Failure is an error of an action, for example "Iam.NoSuchEntityException".
// A Failure named "States.Timeout" lets the clock run to the task's timeout.
type Failure struct{ Name, Cause string }

func (f *Failure) Error() string { return f.Name + ": " + f.Cause }

// Account answers calls with JSON data, or with a *Failure.
type Account func(Call) (any, error)

// Result is what an execution did.
type Result struct {
	// Failure is nil if the execution succeeded.
	Failure *Failure
	// Path are the states in the order in which they were entered.
	Path   []string
	Calls  []Call
	Output any
	// Elapsed is how long the execution would have taken: waits and timeouts.
	Elapsed time.Duration
}

// Called are the actions of all calls, in order.
func (r Result) Called() []string {
	out := make([]string, 0, len(r.Calls))
	for _, c := range r.Calls {
		out = append(out, c.Action)
	}
	return out
}

// CallOf is the first call of a state, or nil.
func (r Result) CallOf(state string) *Call {
	i := slices.IndexFunc(r.Calls, func(c Call) bool { return c.State == state })
	if i < 0 {
		return nil
	}
	return &r.Calls[i]
}

// Visited says whether the execution entered a state.
func (r Result) Visited(state string) bool { return slices.Contains(r.Path, state) }

// Run executes the definition with an input of JSON data.
func Run(definition, input string, account Account) (Result, error) {
	var m machine
	if err := json.Unmarshal([]byte(definition), &m); err != nil {
		return Result{}, fmt.Errorf("definition: %w", err)
	}
	var in any
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		return Result{}, fmt.Errorf("input: %w", err)
	}
	e := &execution{account: account, input: in, now: Start}
	out, err := e.machine(m, in, nil)
	e.result.Output, e.result.Elapsed = out, e.now.Sub(Start)
	if failure := (*Failure)(nil); errors.As(err, &failure) {
		e.result.Failure, err = failure, nil
	}
	return e.result, err
}

type machine struct {
	StartAt string
	States  map[string]state
}

type state struct {
	Type, Resource, Next, Default, QueryLanguage string
	End                                          bool
	Parameters, ResultSelector, ItemSelector     map[string]any
	ResultPath                                   json.RawMessage
	ItemsPath                                    string
	Output                                       map[string]any
	Seconds, TimeoutSeconds                      int
	Choices                                      []map[string]any
	Branches                                     []machine
	ItemProcessor                                *machine
	Error, Cause                                 string
	Retry                                        []struct {
		ErrorEquals []string
		MaxAttempts int
	}
	Catch []struct {
		ErrorEquals []string
		Next        string
		ResultPath  json.RawMessage
	}
}

type execution struct {
	account Account
	input   any
	now     time.Time
	result  Result
}

func (e *execution) machine(m machine, in, item any) (any, error) {
	name := m.StartAt
	for {
		s, ok := m.States[name]
		if !ok {
			return nil, fmt.Errorf("no state %q", name)
		}
		if e.result.Path = append(e.result.Path, name); len(e.result.Path) > stepLimit {
			return nil, fmt.Errorf("more than %d steps, at %q", stepLimit, name)
		}
		out, next, err := e.step(name, s, in, item)
		if err != nil || next == "" {
			return out, err
		}
		name, in = next, out
	}
}

// step runs one state and says what follows; "" ends the machine.
func (e *execution) step(name string, s state, in, item any) (any, string, error) {
	at := &moment{execution: e, name: name, state: s, in: in, item: item, entered: e.now}
	switch s.Type {
	case "Succeed":
		return in, "", nil
	case "Fail":
		return nil, "", &Failure{Name: s.Error, Cause: s.Cause}
	case "Choice":
		next, err := at.choose()
		return in, next, err
	case "Wait":
		e.now = e.now.Add(time.Duration(s.Seconds) * time.Second)
		return in, s.Next, nil
	case "Pass":
		out, err := at.pass()
		return out, s.Next, err
	case "Task", "Parallel", "Map":
		return at.work()
	}
	return nil, "", fmt.Errorf("%s: type %q", name, s.Type)
}

// work runs a state that can fail: with its retries and its catches.
func (at *moment) work() (any, string, error) {
	run := map[string]func() (any, error){"Task": at.task, "Parallel": at.parallel, "Map": at.mapped}[at.state.Type]
	tries := make([]int, len(at.state.Retry))
	for {
		result, err := run()
		if err == nil {
			out, err := at.place(result, at.state.ResultPath)
			return out, at.state.Next, err
		}
		failure := (*Failure)(nil)
		if !errors.As(err, &failure) {
			return nil, "", fmt.Errorf("%s: %w", at.name, err)
		}
		if at.retry(failure, tries) {
			continue
		}
		for _, c := range at.state.Catch {
			if failure.in(c.ErrorEquals) {
				out, err := at.place(map[string]any{"Error": failure.Name, "Cause": failure.Cause}, c.ResultPath)
				return out, c.Next, err
			}
		}
		return nil, "", failure
	}
}

func (at *moment) retry(failure *Failure, tries []int) bool {
	for i, r := range at.state.Retry {
		if failure.in(r.ErrorEquals) {
			tries[i]++
			return tries[i] <= r.MaxAttempts
		}
	}
	return false
}

// in says whether the failure is one of the names. States.TaskFailed is every
// failure but a timeout; States.ALL is every failure.
func (f *Failure) in(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return n == f.Name || n == "States.ALL" || n == "States.TaskFailed" && f.Name != "States.Timeout"
	})
}

func (at *moment) task() (any, error) {
	parameters, err := at.payload(at.state.Parameters, at.in)
	if err != nil {
		return nil, err
	}
	action := at.state.Resource[strings.LastIndex(at.state.Resource, ":::")+3:]
	call := Call{State: at.name, Action: strings.TrimPrefix(action, "aws-sdk:"), Parameters: parameters.(map[string]any)}
	at.execution.result.Calls = append(at.execution.result.Calls, call)
	result, err := at.execution.account(call)
	if failure := (*Failure)(nil); errors.As(err, &failure) && failure.Name == "States.Timeout" {
		at.execution.now = at.execution.now.Add(time.Duration(at.state.TimeoutSeconds) * time.Second)
	}
	if err != nil {
		return nil, err
	}
	return at.selected(result)
}

func (at *moment) parallel() (any, error) {
	results := make([]any, len(at.state.Branches))
	for i, b := range at.state.Branches {
		var err error
		if results[i], err = at.execution.machine(b, at.in, at.item); err != nil {
			return nil, err
		}
	}
	return at.selected(results)
}

func (at *moment) mapped() (any, error) {
	items, err := at.evaluate(at.state.ItemsPath, at.in)
	if err != nil {
		return nil, err
	}
	list, ok := items.([]any)
	if !ok {
		return nil, fmt.Errorf("ItemsPath %s is no list", at.state.ItemsPath)
	}
	results := make([]any, len(list))
	for i, value := range list {
		at.item = map[string]any{"Index": float64(i), "Value": value}
		in := value
		if at.state.ItemSelector != nil {
			if in, err = at.payload(at.state.ItemSelector, at.in); err != nil {
				return nil, err
			}
		}
		if results[i], err = at.execution.machine(*at.state.ItemProcessor, in, at.item); err != nil {
			return nil, err
		}
	}
	return at.selected(results)
}
