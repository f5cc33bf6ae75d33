package api

import (
	"encoding/json"
	"time"

	"redoubt/automation/provision"
)

// Stack is a stack that was ordered.
type Stack struct {
	ID        string       `json:"id"`
	ProjectID string       `json:"project_id"`
	Name      string       `json:"name" doc:"org/project/stack, as the Pulumi CLI has it."`
	Blueprint BlueprintRef `json:"blueprint"`
	// Inputs are in answers on one stack alone.
	Inputs    json.RawMessage   `json:"inputs,omitempty" doc:"Those that were applied last, secrets masked; not in lists."`
	Labels    map[string]string `json:"labels,omitempty"`
	Owner     string            `json:"owner" doc:"Who ordered it."`
	Protected bool              `json:"protected" doc:"It is not destroyed until somebody takes that back."`
	ExpiresAt time.Time         `json:"expires_at,omitzero" doc:"When it is destroyed; missing for never."`
	Stalled   bool              `json:"stalled,omitempty" doc:"Its end was tried three times and failed."`
	Lock      *Lock             `json:"lock,omitempty"`
	Schedules []Schedule        `json:"schedules,omitempty"`
	Drift     Drift             `json:"drift"`
	CreatedAt time.Time         `json:"created_at"`
	DeletedAt time.Time         `json:"deleted_at,omitzero"`
	Version   int64             `json:"version"`
}

// Lock keeps operations out of a stack.
type Lock struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Schedule is something that is done again and again, or once.
type Schedule struct {
	ID        string    `json:"id,omitempty" readOnly:"true"`
	Kind      string    `json:"kind" enum:"drift,refresh,up,destroy"`
	Cron      string    `json:"cron,omitempty" maxLength:"100" doc:"Again and again: five fields, UTC. Either this or at." example:"0 4 * * *"`
	At        time.Time `json:"at,omitzero" doc:"Once."`
	Remediate string    `json:"remediate,omitempty" enum:"off,propose,auto" doc:"What follows a drift that was found."`
	Next      time.Time `json:"next,omitzero" readOnly:"true"`
	Last      time.Time `json:"last,omitzero" readOnly:"true"`
}

// Drift is what is known about changes outside Pulumi.
type Drift struct {
	Status    string    `json:"status,omitempty" doc:"clean, drifted or error; missing where nobody looked."`
	Since     time.Time `json:"since,omitzero"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	Operation string    `json:"operation_id,omitempty"`
	Resources []string  `json:"resources,omitempty" doc:"The URNs that drifted."`
	Ignore    []string  `json:"ignore,omitempty" doc:"Patterns of URNs that are not looked at."`
}

// NewStack orders a stack.
type NewStack struct {
	ProjectID string            `json:"project_id" minLength:"1" maxLength:"100"`
	Name      string            `json:"name" minLength:"1" maxLength:"100"`
	Blueprint string            `json:"blueprint" minLength:"1" maxLength:"100"`
	Version   string            `json:"blueprint_version,omitempty" maxLength:"100" doc:"The newest where nothing is said."`
	Inputs    json.RawMessage   `json:"inputs,omitempty" doc:"As the blueprint's schema says."`
	Labels    map[string]string `json:"labels,omitempty"`
	TTL       Duration          `json:"ttl,omitzero" doc:"Destroy it after this long; missing for never."`
	Protected *bool             `json:"protected,omitempty" doc:"Keep it from being destroyed; where nothing is said, what has no TTL is kept."`
	Options   OrderOptions      `json:"options,omitzero"`
}

// Ordered is a new stack with the operation that makes it.
type Ordered struct {
	Stack     Stack     `json:"stack"`
	Operation Operation `json:"operation"`
}

// StackPatch changes a stack: what is missing stays.
type StackPatch struct {
	Labels    map[string]string `json:"labels,omitempty" doc:"All of them."`
	Protected *bool             `json:"protected,omitempty"`
}

// TTL is how long a stack lives.
type TTL struct {
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"Missing for never."`
}

// Outputs are a stack's.
type Outputs struct {
	Outputs map[string]any `json:"outputs" doc:"Secrets are masked, unless they were revealed."`
}

// Resource is a resource of a stack's state.
type Resource struct {
	URN       string   `json:"urn"`
	Type      string   `json:"type"`
	ID        string   `json:"id,omitempty" doc:"The provider's."`
	Parent    string   `json:"parent,omitempty"`
	Provider  string   `json:"provider,omitempty" doc:"The URN of the provider that has made it, :: and its id."`
	Custom    bool     `json:"custom" doc:"A provider made it; it is no component."`
	Protect   bool     `json:"protect,omitempty" doc:"The engine does not delete it."`
	External  bool     `json:"external,omitempty" doc:"It is only read."`
	DependsOn []string `json:"depends_on,omitempty"`
}

// Update is one that changed a stack's state, whoever ran it.
type Update struct {
	ID          string         `json:"id"`
	Kind        string         `json:"kind"`
	Status      string         `json:"status"`
	Version     int64          `json:"version" doc:"Of the state that it left."`
	Principal   string         `json:"principal"`
	Message     string         `json:"message,omitempty"`
	Changes     map[string]int `json:"change_summary,omitempty"`
	Resources   int64          `json:"resources"`
	Compliant   bool           `json:"compliant" doc:"All policy packs that are required looked at it."`
	StartedAt   time.Time      `json:"started_at,omitzero"`
	CompletedAt time.Time      `json:"completed_at,omitzero"`
}

// stalledAfter is how many failures make a stack stalled.
const stalledAfter = 3

// stackOf is a stack without inputs.
func stackOf(e provision.Environment) Stack {
	s := Stack{
		ID: e.ID, ProjectID: e.ProjectID, Name: e.Name.String(), Blueprint: BlueprintRef(e.Blueprint), Labels: e.Labels,
		Owner: e.Owner, Protected: e.Protected, ExpiresAt: e.ExpiresAt, Stalled: e.Failures >= stalledAfter,
		Schedules: convertAll(e.Schedules, scheduleOf), Drift: Drift(e.Drift),
		CreatedAt: e.CreatedAt, DeletedAt: e.DeletedAt, Version: e.Version,
	}
	if e.Lock != nil {
		s.Lock = &Lock{e.Lock.By, e.Lock.Reason, e.Lock.At}
	}
	return s
}

func scheduleOf(s provision.Schedule) Schedule {
	return Schedule{s.ID, string(s.Kind), s.Cron, s.At, string(s.Remediate), s.Next, s.Last}
}

// stack is the answer on one stack.
func (h *handlers) stack(c *call, e provision.Environment, err error) (*versioned[Stack], error) {
	if err != nil {
		return nil, err
	}
	s := stackOf(e)
	s.Inputs = h.inputsOf(c, s.Blueprint, e.Inputs)
	return &versioned[Stack]{etag(e.Version), s}, nil
}

type stackQuery struct {
	Paging
	Name      string `query:"name" maxLength:"302" doc:"The one with this name: org/project/stack." example:"acme/shop/prod"`
	Project   string `query:"project" maxLength:"100" doc:"Those of a project, by its id."`
	Blueprint string `query:"blueprint" maxLength:"100"`
	Drift     string `query:"drift" enum:"clean,drifted,error"`
	Label     string `query:"label" maxLength:"500" doc:"key, or key=value."`

	States  []string  `query:"state" maxItems:"20" doc:"Whose newest operation that may have changed it is in one of these states, separated by commas." example:"failed,needs_recovery"`
	Expires time.Time `query:"expires_before" doc:"Whose life ends before this time."`
}

func (h *handlers) listStacks(c *call, in *stackQuery) (*answer[page[Stack]], error) {
	if in.Name != "" {
		e, err := h.service.Environment(c, c.principal, in.Name)
		return one(e, err, stackOf)
	}
	stacks, next, err := h.service.Environments(c, c.principal, provision.EnvironmentQuery{
		ProjectIDs: listOf(in.Project), Blueprint: in.Blueprint, Drift: in.Drift, Label: in.Label,
		States: convertAll(in.States, stateOf), ExpiresBefore: in.Expires, After: in.Cursor.after, Limit: in.Limit,
	})
	return pageOf(stacks, next, stackOf), err
}

// listOf is a list of one, nil for an empty text.
func listOf(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

type newStackInput struct {
	Keyed
	Waiting
	Body NewStack
}

func (h *handlers) createStack(c *call, in *newStackInput) (*accepted[Ordered], error) {
	ctx, cancel := c.lasting()
	defer cancel()
	e, op, err := h.service.CreateEnvironment(ctx, c.principal, provision.NewEnvironment{
		ProjectID: in.Body.ProjectID, Name: in.Body.Name, Blueprint: in.Body.Blueprint, BlueprintVersion: in.Body.Version,
		Inputs: in.Body.Inputs, Labels: in.Body.Labels, TTL: time.Duration(in.Body.TTL), Protected: in.Body.Protected,
		Options: in.Body.Options.domain(), Trace: traceparent(c.span),
	})
	if err != nil {
		return nil, err
	}
	answer, err := h.stack(c, e, nil)
	return &accepted[Ordered]{operationPath(op), Ordered{answer.Body, h.operation(c, h.waited(c, op, in.Waiting))}}, err
}

func (h *handlers) getStack(c *call, in *WithID) (*versioned[Stack], error) {
	e, err := h.service.Environment(c, c.principal, in.ID)
	return h.stack(c, e, err)
}

type stackPatchInput struct {
	WithID
	Changing
	Body StackPatch
}

func (h *handlers) updateStack(c *call, in *stackPatchInput) (*versioned[Stack], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	e, err := h.service.UpdateEnvironment(c, c.principal, in.ID, version, provision.EnvironmentPatch(in.Body))
	return h.stack(c, e, err)
}

type deleteStackInput struct {
	WithID
	Keyed
	Waiting
	Confirm string `query:"confirm" required:"true" doc:"The stack's own name, typed by who destroys it."`
}

func (h *handlers) deleteStack(c *call, in *deleteStackInput) (*accepted[Operation], error) {
	return h.order(c, in.ID, in.Waiting, provision.NewOperation{
		Kind: provision.KindDestroy, Options: provision.OperationOptions{RemoveStack: true}, Confirm: in.Confirm,
	})
}

func (h *handlers) getOutputs(c *call, in *WithID) (*answer[Outputs], error) {
	outputs, err := h.service.Outputs(c, c.principal, in.ID)
	return &answer[Outputs]{outputsOf(outputs)}, err
}

func outputsOf(outputs map[string]any) Outputs {
	if outputs == nil {
		outputs = map[string]any{}
	}
	return Outputs{outputs}
}

// Reason says why somebody does what is recorded with it.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1000"`
}

type withReason struct {
	WithID
	Body Reason
}

func (h *handlers) revealOutputs(c *call, in *withReason) (*answer[Outputs], error) {
	outputs, err := h.service.RevealOutputs(c, c.principal, in.ID, in.Body.Reason)
	return &answer[Outputs]{outputsOf(outputs)}, err
}

func (h *handlers) listResources(c *call, in *WithID) (*answer[page[Resource]], error) {
	resources, err := h.service.Resources(c, c.principal, in.ID)
	return pageOf(resources, "", func(r provision.StackResource) Resource { return Resource(r) }), err
}

func (h *handlers) putLock(c *call, in *withReason) (*versioned[Stack], error) {
	e, err := h.service.SetLock(c, c.principal, in.ID, in.Body.Reason)
	return h.stack(c, e, err)
}

func (h *handlers) deleteLock(c *call, in *WithID) (*versioned[Stack], error) {
	e, err := h.service.ClearLock(c, c.principal, in.ID)
	return h.stack(c, e, err)
}

func (h *handlers) getTTL(c *call, in *WithID) (*versioned[TTL], error) {
	e, err := h.service.Environment(c, c.principal, in.ID)
	return &versioned[TTL]{etag(e.Version), TTL{e.ExpiresAt}}, err
}

// NewTTL says how long a stack lives.
type NewTTL struct {
	TTL Duration `json:"ttl" doc:"From now on."`
}

type ttlInput struct {
	WithID
	Changing
	Body NewTTL
}

func (h *handlers) putTTL(c *call, in *ttlInput) (*versioned[Stack], error) {
	if in.Body.TTL == 0 {
		return nil, invalid(ProblemField{Pointer: "/ttl", Message: "a stack cannot live for no time at all; DELETE makes it live for ever"})
	}
	return h.setTTL(c, in.ID, in.Changing, time.Duration(in.Body.TTL))
}

type ChangingID struct {
	WithID
	Changing
}

func (h *handlers) deleteTTL(c *call, in *ChangingID) (*versioned[Stack], error) {
	return h.setTTL(c, in.ID, in.Changing, 0)
}

func (h *handlers) setTTL(c *call, id string, at Changing, ttl time.Duration) (*versioned[Stack], error) {
	version, err := at.version()
	if err != nil {
		return nil, err
	}
	e, err := h.service.SetTTL(c, c.principal, id, version, ttl)
	return h.stack(c, e, err)
}

// Schedules are a stack's.
type Schedules struct {
	Schedules []Schedule `json:"schedules" maxItems:"20"`
}

func (h *handlers) getSchedules(c *call, in *WithID) (*versioned[Schedules], error) {
	e, err := h.service.Environment(c, c.principal, in.ID)
	return &versioned[Schedules]{etag(e.Version), Schedules{convertAll(e.Schedules, scheduleOf)}}, err
}

type schedulesInput struct {
	WithID
	Changing
	Body Schedules
}

func (h *handlers) putSchedules(c *call, in *schedulesInput) (*versioned[Stack], error) {
	return h.setSchedules(c, in.ID, in.Changing, in.Body.Schedules)
}

func (h *handlers) deleteSchedules(c *call, in *ChangingID) (*versioned[Stack], error) {
	return h.setSchedules(c, in.ID, in.Changing, nil)
}

func (h *handlers) setSchedules(c *call, id string, at Changing, schedules []Schedule) (*versioned[Stack], error) {
	version, err := at.version()
	if err != nil {
		return nil, err
	}
	e, err := h.service.SetSchedules(c, c.principal, id, version, convertAll(schedules, func(s Schedule) provision.Schedule {
		return provision.Schedule{ID: s.ID, Kind: provision.ScheduleKind(s.Kind), Cron: s.Cron, At: s.At, Remediate: provision.Remediation(s.Remediate)}
	}))
	return h.stack(c, e, err)
}
