package runner

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/engine"
)

// Kind is what an operation does.
type Kind string

// The kinds. Those that begin with Preview change nothing.
const (
	Preview        Kind = "preview"
	PreviewRefresh Kind = "preview-refresh"
	PreviewDestroy Kind = "preview-destroy"
	Up             Kind = "up"
	Refresh        Kind = "refresh"
	Destroy        Kind = "destroy"
)

// Kinds are all of them.
var Kinds = []Kind{Preview, PreviewRefresh, PreviewDestroy, Up, Refresh, Destroy}

// Dry says whether an operation changes nothing.
func (k Kind) Dry() bool { return strings.HasPrefix(string(k), string(Preview)) }

// Spec says what an operation does, with what, and what it may see.
type Spec struct {
	Kind Kind
	// Blueprint names the program, among those that the child's Main has.
	Blueprint string
	// Project is the stack's project and settings. Secrets in the settings are
	// encrypted, and stay so.
	Project engine.Project
	// Stack is the stack's name in the backend: stack, organization/stack or
	// organization/project/stack. By default the project's.
	Stack string
	// Backend keeps the state. The token should be for this operation alone.
	Backend engine.Backend
	// Passphrase of the stack's secrets, where they have one.
	Passphrase string
	// Policy is the path of a policy pack, as an executable, PolicyConfig that
	// of its configuration; empty for none.
	Policy, PolicyConfig string
	// Create makes the stack where it is missing.
	Create bool
	// Last says that no other operation follows at once: a Starter then starts the
	// process of the next one when this has ended, and not beside it.
	Last bool
	// RefreshFirst reads the real resources before a preview, an update or a
	// destroy.
	RefreshFirst bool
	// ClearPending has a refresh forget what was being created when an update
	// died; see docs/backend.md.
	ClearPending bool

	// Inherit says what child, CLI and plugins see of this process's environment.
	Inherit engine.Inherit
	// Env is added to the environment of CLI and plugins. It is for PULUMI_* and
	// AWS_*, and for nothing that a user of the service could choose.
	Env map[string]string
	// Message is kept with an update in the backend's history.
	Message string
	// SavePlan is where a preview writes its plan, Plan the one that an update is held
	// to, in folders that are their owner's alone; empty for none.
	SavePlan, Plan string
	// Inputs are what the program is told in memory, see Inputs; nil for nothing.
	Inputs json.RawMessage
	// Secrets are values that no event may hold, besides those named above.
	Secrets []string
	// Plugins is a folder with installed plugins; empty for the user's.
	Plugins string
	// Acquire lets the CLI download the plugins that are missing.
	Acquire bool
	// Grace is how long what has begun may take after Cancel; 0 for
	// engine.DefaultGrace.
	Grace time.Duration

	// Traces is where the CLI sends its spans; the zero value for nowhere.
	Traces engine.Traces

	// Forked is told of each run of the CLI that has ended, and must not block; nil
	// for nobody.
	Forked func(Fork)

	// CLI is the Pulumi CLI; by default the one that engine.FindCLI finds.
	CLI engine.CLI
	// Command is the child's command line; by default this executable with
	// ChildCommand.
	Command []string
}

// ChildCommand is the hidden command that makes an executable a child.
const ChildCommand = "run-operation"

// checked is the specification with its defaults, or what is wrong with it.
func (s Spec) checked() (Spec, error) {
	invalid := func(format string, args ...any) (Spec, error) {
		return s, &Error{Code: CodeInvalid, Message: fmt.Sprintf(format, args...)}
	}
	if !slices.Contains(Kinds, s.Kind) {
		return invalid("%q is no operation: one of %v", s.Kind, Kinds)
	}
	if s.Blueprint == "" {
		return invalid("an operation needs a blueprint")
	}
	if s.Stack == "" {
		s.Stack = s.Project.Stack
	}
	if err := CheckStack(s.Stack, string(s.Project.Project.Name)); err != nil {
		return s, err
	}
	if s.Backend.URL == "" {
		return invalid("an operation needs a backend")
	}
	for name := range s.Env {
		if !strings.HasPrefix(name, "PULUMI_") && !strings.HasPrefix(name, "AWS_") {
			return invalid("%q is no variable that an operation may set: PULUMI_* or AWS_*", name)
		}
	}
	for _, path := range []*string{&s.Policy, &s.PolicyConfig} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err == nil {
			_, err = os.Stat(absolute)
		}
		if err != nil {
			return invalid("policy pack or its configuration: %v", err)
		}
		*path = absolute
	}
	if s.CLI.Executable == "" {
		cli, err := engine.FindCLI()
		if err != nil {
			return invalid("%v", err)
		}
		s.CLI = cli
	}
	if len(s.Command) == 0 {
		executable, err := os.Executable()
		if err != nil {
			return invalid("this executable is not to be found: %v", err)
		}
		s.Command = []string{executable, ChildCommand}
	}
	return s, nil
}

// CheckStack says what is wrong with a stack's name, which may leave out
// organization and project: a name can be no flag, and no other place.
func CheckStack(name, project string) error {
	parts := strings.Split(name, "/")
	full := backend.StackName{Org: "organization", Project: project, Stack: parts[len(parts)-1]}
	switch len(parts) {
	case 1:
	case 2:
		full.Org = parts[0]
	case 3:
		full.Org, full.Project = parts[0], parts[1]
	default:
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("%q is no stack: stack, organization/stack or organization/project/stack", name)}
	}
	if err := backend.CheckStackName(full); err != nil {
		return &Error{Code: CodeInvalid, Message: err.Error()}
	}
	return nil
}

// secrets are all values that no event may hold.
func (s Spec) secrets() []string {
	all := append([]string{s.Backend.Token, s.Passphrase}, s.Secrets...)
	for _, variable := range s.Inherit.Environment() {
		name, value, _ := strings.Cut(variable, "=")
		if secretVariable(name) {
			all = append(all, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if secretVariable(name) {
			all = append(all, s.Env[name])
		}
	}
	return all
}

// secretVariable says whether a variable's value is a secret by its name.
func secretVariable(name string) bool {
	for _, word := range []string{"SECRET", "TOKEN", "PASS"} {
		if strings.Contains(name, word) && !strings.HasSuffix(name, "_FILE") {
			return true
		}
	}
	return false
}
