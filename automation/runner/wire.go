package runner

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/engine"
)

// The files that a child inherits.
const (
	controlFile = 3 + iota
	messagesFile
	heldFile
	claimFile
)

// greeting is what a child is told when it starts, long before its operation perhaps.
type greeting struct {
	// Folder is its operation's.
	Folder engine.Folder
}

// sealed is the specification as the child gets it. Project and settings are
// their files' texts: no other form keeps all that they can say.
type sealed struct {
	Kind                 Kind
	Blueprint            string
	Stack, ProjectStack  string
	Project, Settings    []byte
	Backend              engine.Backend
	Passphrase           string
	Policy, PolicyConfig string
	Create               bool
	RefreshFirst         bool
	ClearPending         bool
	Environment          []string
	Env                  map[string]string
	Inputs               []byte
	Secrets              []string
	Plugins              string
	Acquire              bool
	Grace                time.Duration
	Traces               engine.Traces
	CLI                  engine.CLI
}

func (s Spec) seal() (sealed, error) {
	project, err := encoding.YAML.Marshal(&s.Project.Project)
	if err != nil {
		return sealed{}, fmt.Errorf("the project cannot be handed on: %w", err)
	}
	settings, err := encoding.YAML.Marshal(&s.Project.Settings)
	if err != nil {
		return sealed{}, fmt.Errorf("the stack's settings cannot be handed on: %w", err)
	}
	return sealed{
		Kind: s.Kind, Blueprint: s.Blueprint, Stack: s.Stack, ProjectStack: s.Project.Stack,
		Project: project, Settings: settings, Backend: s.Backend, Passphrase: s.Passphrase,
		Policy: s.Policy, PolicyConfig: s.PolicyConfig, Create: s.Create, RefreshFirst: s.RefreshFirst, ClearPending: s.ClearPending,
		Environment: s.Inherit.Environment(), Env: s.Env,
		Inputs: s.Inputs, Secrets: s.secrets(), Plugins: s.Plugins, Acquire: s.Acquire, Grace: s.Grace, Traces: s.Traces, CLI: s.CLI,
	}, nil
}

// project is the project that was sealed.
func (s sealed) project() (engine.Project, error) {
	project, err := workspace.LoadProjectBytes(s.Project, "Pulumi.yaml", encoding.YAML)
	if err != nil {
		return engine.Project{}, fmt.Errorf("the project: %w", err)
	}
	settings, err := workspace.LoadProjectStackBytes(nil, project, s.Settings, "Pulumi."+s.ProjectStack+".yaml", encoding.YAML)
	if err != nil {
		return engine.Project{}, fmt.Errorf("the stack's settings: %w", err)
	}
	return engine.Project{Stack: s.ProjectStack, Project: *project, Settings: *settings}, nil
}

// command is what the parent says after the specification.
type command struct{ Do string }

// The commands.
const (
	doCancel = "cancel"
	doKill   = "kill"
)

// message is what the child says: one field is set.
type message struct {
	Event *Event `json:"event,omitempty"`
	// CLI is the process of the CLI that has just started.
	CLI    int     `json:"cli,omitempty"`
	Result *ending `json:"result,omitempty"`
}

// ending is how an operation ended.
type ending struct {
	Outcome engine.Outcome `json:"outcome"`
	Error   *Error         `json:"error,omitempty"`
}
