package provision

import (
	"context"
	"encoding/json"

	"redoubt/automation/backend"
)

// Engine runs operations of the engine, each in a process of its own.
type Engine interface {
	// Run runs one phase of an operation until its end. emit is called with events
	// in their order, and must not block for long. The end of ctx cancels: what has
	// begun is finished. kill, when closed, ends it by force.
	//
	// The error is an *Error where the operation failed as operations do: with
	// CodePolicyBlocked, CodeNeedsRecovery, CodeStackBusy, CodeEngineUnavailable,
	// or CodeConflict for all that the engine says. The result is what was done
	// until then.
	Run(ctx context.Context, r Run, emit func(Event), kill <-chan struct{}) (Result, error)
	// Packs are the policy packs that Run enforces, with their digests.
	Packs() []Pack
}

// Phase is what one run of the engine does.
type Phase string

// The phases.
const (
	PhaseRehearse       Phase = "rehearse"
	PhasePreview        Phase = "preview"
	PhasePreviewRefresh Phase = "preview-refresh" // drift
	PhasePreviewDestroy Phase = "preview-destroy"
	PhaseUp             Phase = "up"
	PhaseRefresh        Phase = "refresh"
	PhaseDestroy        Phase = "destroy"
	// PhaseRecover is a refresh that forgets what was being created when an update
	// died: see docs/backend.md.
	PhaseRecover Phase = "recover"
)

// Changes says whether a run of the phase may change the stack.
func (p Phase) Changes() bool {
	return p == PhaseUp || p == PhaseRefresh || p == PhaseDestroy || p == PhaseRecover
}

// Run is one run of the engine.
type Run struct {
	Phase     Phase
	Operation string
	Stack     backend.StackName
	Blueprint string
	// Inputs are open: the engine's process gets them through a pipe. Secrets are
	// values in them that no event may hold.
	Inputs  json.RawMessage
	Secrets []string
	// Exemptions are the waivers that apply, as the pack's configuration.
	Exemptions []Waiver
	// Token is what the engine's process may do in the backend: to this stack, what
	// this phase needs, until the operation is somebody else's.
	Token string
	// Last says that no other run of the operation follows at once.
	Last bool
	// Refresh reads the real resources first.
	Refresh bool
	// Message is kept with an update in the stack's history.
	Message string
	// SavePlan has a preview return its plan, and Plan holds an update to one: it ends
	// where it would do anything else.
	SavePlan bool
	Plan     []byte
	// Traceparent is handed on to the engine.
	Traceparent string
}

// Catalog is what can be ordered.
type Catalog interface {
	// Blueprints are sorted by name.
	Blueprints() []Blueprint
	// Blueprint returns the newest version where version is empty.
	Blueprint(name, version string) (Blueprint, error)
}

// Blueprint is one thing that can be ordered, as the domain sees it.
type Blueprint struct {
	BlueprintRef
	Summary string `json:"summary"`
	// Schema is the JSON Schema (2020-12) of the inputs; properties with
	// "writeOnly": true are secrets.
	Schema json.RawMessage `json:"schema"`
	// Example is valid inputs.
	Example json.RawMessage `json:"example"`
	// LaunchRole is the name of the role that launches it.
	LaunchRole string `json:"launch_role,omitempty"`
	// Limits are what an operation may take.
	Limits BlueprintLimits `json:"limits"`
	// Check finds everything that is wrong with inputs beyond the schema, and
	// returns them with defaults filled in.
	Check func(inputs json.RawMessage) (json.RawMessage, []FieldError) `json:"-"`
	// SecretInputs are JSON pointers of inputs that are secrets.
	SecretInputs []string `json:"secret_inputs,omitempty"`
	// StackInputs are JSON pointers of inputs that name another stack,
	// "organization/project/stack", whose outputs the program reads.
	StackInputs []string `json:"stack_inputs,omitempty"`
}

// BlueprintLimits bound an operation.
type BlueprintLimits struct {
	Resources int `json:"resources,omitempty"`
	// Minutes is how long an operation may take.
	Minutes int `json:"minutes,omitempty"`
	// MaxTTLHours is the longest life; 0 for no bound.
	MaxTTLHours int `json:"max_ttl_hours,omitempty"`
}

// Dispatcher wakes workers up. It may lose, delay and double: the table of
// operations says what is to be done.
type Dispatcher interface {
	// Wake asks for a worker for the operation, after its transaction committed.
	Wake(ctx context.Context, operationID string, kind OperationKind, priority int) error
}
