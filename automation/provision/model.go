package provision

import (
	"encoding/json"
	"time"

	"redoubt/automation/backend"
)

// Project is a team's share of an organization.
type Project struct {
	// ID is "prj_" and a ULID.
	ID   string `json:"id"`
	Org  string `json:"org"`
	Name string `json:"name"`
	// Description is for people.
	Description string          `json:"description,omitempty"`
	Settings    ProjectSettings `json:"settings"`
	CreatedAt   time.Time       `json:"created_at"`
	CreatedBy   string          `json:"created_by"`
	// Version counts changes: the ETag.
	Version int64 `json:"version"`
}

// ProjectSettings are what a project's admin says.
type ProjectSettings struct {
	// Rehearse runs each order in the rehearsal account before its real preview.
	Rehearse bool `json:"rehearse"`
	// Blueprints are what may be ordered; empty for all.
	Blueprints []string `json:"blueprints,omitempty"`
	Quota      Quota    `json:"quota"`
	// ApprovalRules apply where they match, all of them.
	ApprovalRules []ApprovalRule `json:"approval_rules,omitempty"`
	// FreezeWindows are when nothing is applied.
	FreezeWindows []FreezeWindow `json:"freeze_windows,omitempty"`
}

// Quota bounds what a project has; 0 for the service's default.
type Quota struct {
	Stacks            int `json:"stacks,omitempty"`
	ResourcesPerStack int `json:"resources_per_stack,omitempty"`
	// Concurrent are operations with a worker, Queued those without, PerHour those
	// that were ordered in the last hour.
	Concurrent int           `json:"concurrent,omitempty"`
	Queued     int           `json:"queued,omitempty"`
	PerHour    int           `json:"per_hour,omitempty"`
	MaxTTL     time.Duration `json:"max_ttl,omitempty"`
}

// ApprovalRule says when people must approve, who, and how many.
type ApprovalRule struct {
	Name string `json:"name"`
	// When: empty fields do not restrict.
	Stacks      string          `json:"stacks,omitempty"` // pattern of the stack's name, as in path.Match
	Kinds       []OperationKind `json:"kinds,omitempty"`
	Destructive bool            `json:"destructive,omitempty"` // only plans that delete or replace
	Advisory    bool            `json:"advisory,omitempty"`    // only plans with advisory findings
	// Required is how many people, Groups whose; empty for all approvers.
	Required int      `json:"required"`
	Groups   []string `json:"groups,omitempty"`
	// Expiry is how long it may take; 0 for 24 hours.
	Expiry time.Duration `json:"expiry,omitempty"`
	// ReapproveIdentical keeps approvals where the state moved and the plan is the
	// same nevertheless.
	ReapproveIdentical bool `json:"reapprove_identical,omitempty"`
}

// FreezeWindow is a time in which nothing is applied, once or again and again.
type FreezeWindow struct {
	Name string `json:"name"`
	// From and To bound a single window.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Cron is when a recurring one begins (five fields, UTC), Duration its length.
	Cron     string        `json:"cron,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
}

// Environment is a stack that was ordered: what the backend's stack is made of,
// who owns it, and how it lives.
type Environment struct {
	// ID is the backend stack's: "stk_" and a ULID.
	ID        string            `json:"id"`
	ProjectID string            `json:"project_id"`
	Name      backend.StackName `json:"-"`
	Blueprint BlueprintRef      `json:"blueprint"`
	// Inputs are the last ones that were applied, with secrets sealed for the stack.
	Inputs json.RawMessage   `json:"inputs,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	// Owner is the human who ordered it.
	Owner     string `json:"owner"`
	Protected bool   `json:"protected"`
	// ExpiresAt is when it is destroyed; zero for never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Warned is how many of the warnings before that were sent.
	Warned int `json:"warned,omitempty"`
	// Failures counts destroys after expiry that failed; at three it is stalled.
	Failures int `json:"failures,omitempty"`
	// Lock keeps operations out, with a reason; empty for none.
	Lock      *MaintenanceLock `json:"lock,omitempty"`
	Schedules []Schedule       `json:"schedules,omitempty"`
	Drift     Drift            `json:"drift"`
	// DueAt is when a schedule or the expiry wants something next; zero for never.
	DueAt     time.Time `json:"due_at,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	DeletedAt time.Time `json:"deleted_at,omitzero"`
	Version   int64     `json:"version"`
}

// BlueprintRef is a blueprint as it was ordered.
type BlueprintRef struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Digest is "sha256:" and the digest of program and schema.
	Digest string `json:"digest"`
}

// MaintenanceLock keeps operations out.
type MaintenanceLock struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// ScheduleKind says what a schedule does.
type ScheduleKind string

// The kinds.
const (
	ScheduleDrift   ScheduleKind = "drift"
	ScheduleRefresh ScheduleKind = "refresh"
	ScheduleUp      ScheduleKind = "up"
	ScheduleDestroy ScheduleKind = "destroy"
)

// Remediation is what follows a drift that was found.
type Remediation string

// The remediations.
const (
	RemediateOff     Remediation = "off"
	RemediatePropose Remediation = "propose"
	RemediateAuto    Remediation = "auto"
)

// Schedule is something that is done again and again, or once.
type Schedule struct {
	ID   string       `json:"id"`
	Kind ScheduleKind `json:"kind"`
	// Cron is five fields, UTC; At a single time. One of them.
	Cron string    `json:"cron,omitempty"`
	At   time.Time `json:"at,omitzero"`
	// Remediate is for drift.
	Remediate Remediation `json:"remediate,omitempty"`
	// Next is when it is due, Last when it was.
	Next time.Time `json:"next,omitzero"`
	Last time.Time `json:"last,omitzero"`
}

// Drift is what is known about changes outside Pulumi.
type Drift struct {
	// Status is "", "clean", "drifted" or "error".
	Status string `json:"status,omitempty"`
	// Since is when it was first seen, CheckedAt when it was looked for.
	Since     time.Time `json:"since,omitzero"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	Operation string    `json:"operation,omitempty"`
	// Resources are the URNs that drifted.
	Resources []string `json:"resources,omitempty"`
	// Ignore are patterns of URNs that are not looked at.
	Ignore []string `json:"ignore,omitempty"`
}

// OperationKind is what an operation does.
type OperationKind string

// The kinds.
const (
	KindPreview OperationKind = "preview"
	KindUp      OperationKind = "up"
	KindRefresh OperationKind = "refresh"
	KindDrift   OperationKind = "drift"
	KindDestroy OperationKind = "destroy"
	KindRecover OperationKind = "recover"
)

// Changes says whether an operation of the kind may change the stack.
func (k OperationKind) Changes() bool { return k != KindPreview && k != KindDrift }

// Operation is one order.
type Operation struct {
	// ID is "op_" and a ULID.
	ID        string            `json:"id"`
	StackID   string            `json:"stack_id"`
	ProjectID string            `json:"project_id"`
	Stack     backend.StackName `json:"-"`
	Kind      OperationKind     `json:"kind"`
	State     State             `json:"state"`
	// Version counts transitions.
	Version   int64        `json:"version"`
	Blueprint BlueprintRef `json:"blueprint"`
	// Inputs are validated, secrets in them sealed for the stack.
	Inputs json.RawMessage `json:"inputs,omitempty"`
	// Priority sorts the queue, higher first; drift has -10.
	Priority int `json:"priority"`
	// Options of the order.
	Options OperationOptions `json:"options"`
	// RequestedBy is who ordered, Human the person behind.
	RequestedBy Actor `json:"requested_by"`
	// RetryOf is the operation that this one tries again.
	RetryOf string `json:"retry_of,omitempty"`

	// CancelRequested is who wants it to end, Forced that it may not wait.
	CancelRequested string `json:"cancel_requested,omitempty"`
	Forced          bool   `json:"forced,omitempty"`

	Plan    *Plan    `json:"plan,omitempty"`
	Result  *Result  `json:"result,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
	// Rehearsal is what the rehearsal account said, where there was one.
	Rehearsal *Result `json:"rehearsal,omitempty"`
	// Unrehearsed is why there was none although the project says so.
	Unrehearsed string `json:"unrehearsed,omitempty"`
	// Required is what approval it waits for.
	Required []RequiredApproval `json:"required_approvals,omitempty"`

	// Node and Fence are the worker's that has it.
	Node  string `json:"node,omitempty"`
	Fence int64  `json:"fence,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	// UpdatedAt is the last transition's.
	UpdatedAt time.Time `json:"updated_at"`
	StartedAt time.Time `json:"started_at,omitzero"`
	// DeadlineAt is when waiting ends: in the queue, for approval.
	DeadlineAt time.Time `json:"deadline_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	// Trace is the W3C traceparent of the request that ordered it.
	Trace string `json:"trace,omitempty"`
}

// OperationOptions are what an order may say.
type OperationOptions struct {
	// Refresh reads the real resources first.
	Refresh bool `json:"refresh,omitempty"`
	// Strict holds the update to the plan of the preview right before it, values too.
	Strict bool `json:"strict,omitempty"`
	// Supersede skips older operations of the stack that have not begun.
	Supersede bool `json:"supersede,omitempty"`
	// RemoveStack removes the record after a destroy.
	RemoveStack bool `json:"remove_stack,omitempty"`
	// Propose waits for approval whatever the project's rules say.
	Propose bool `json:"propose,omitempty"`
	// Message is for who approves, and for the stack's history.
	Message string `json:"message,omitempty"`
}

// Actor is a principal as it is recorded.
type Actor struct {
	Kind  PrincipalKind `json:"type"`
	Name  string        `json:"id"`
	Human string        `json:"human,omitempty"`
}

// Plan is what a preview found, and what an approval is bound to.
type Plan struct {
	// Digest is "sha256:" over everything below that matters, see digest.go.
	Digest string `json:"digest"`
	// ChangeDigest is over the normalised changes alone.
	ChangeDigest string `json:"change_digest"`
	// StateVersion is the stack's when the preview ran.
	StateVersion int64  `json:"state_version"`
	PackDigests  []Pack `json:"packs,omitempty"`
	Result
}

// Pack is a policy pack that ran.
type Pack struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Result is what the engine did, or would do.
type Result struct {
	Counts   map[string]int `json:"change_summary"`
	Changes  []Change       `json:"changes,omitempty"`
	Findings []Finding      `json:"findings,omitempty"`
	// Outputs are the stack's, secrets masked.
	Outputs map[string]any `json:"outputs,omitempty"`
	// StateVersion is the one that it left.
	StateVersion int64   `json:"state_version,omitempty"`
	Seconds      float64 `json:"seconds"`
	// SavedPlan is the engine's own of a preview, where it was to be saved. It has the
	// inputs of resources in it, and is kept nowhere.
	SavedPlan []byte `json:"-"`
}

// Change is what happens to one resource.
type Change struct {
	URN        string   `json:"urn"`
	Type       string   `json:"type"`
	Op         string   `json:"op"`
	Properties []string `json:"properties,omitempty"`
	// Inputs is the digest of what the resource is given: two plans that change the
	// same properties to other values are two plans. Secrets do not count in it; those
	// that are ordered count in the digest of the order's inputs.
	Inputs string `json:"inputs,omitempty"`
}

// Finding is one thing that a policy pack reported.
type Finding struct {
	// Pack is the name of the policy's pack.
	Pack     string `json:"pack,omitempty"`
	Policy   string `json:"policy"`
	Level    string `json:"level"`
	Severity string `json:"severity,omitempty"`
	URN      string `json:"urn,omitempty"`
	Message  string `json:"message"`
	// Waiver is the id of the waiver that lets it pass; empty for an exemption of the
	// policy pack's configuration.
	Waiver string `json:"waiver,omitempty"`
	// Exemption is how it is let pass; nil where it counts.
	Exemption *Exemption `json:"exemption,omitempty"`
}

// Exemption says until when a finding is let pass, by whom, and why.
type Exemption struct {
	Until  time.Time `json:"until"`
	Owner  string    `json:"owner"`
	Reason string    `json:"reason"`
}

// Failure is why an operation did not succeed.
type Failure struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Pending are the URNs of resources that may exist although the state does not
	// have them.
	Pending []string `json:"pending,omitempty"`
}

// RequiredApproval is what one rule wants of an operation.
type RequiredApproval struct {
	Rule     string   `json:"rule"`
	Required int      `json:"required"`
	Granted  int      `json:"granted"`
	Groups   []string `json:"groups,omitempty"`
}

// Approval is one person's decision on a plan.
type Approval struct {
	ID          string `json:"id"`
	OperationID string `json:"operation_id"`
	By          Actor  `json:"by"`
	// Groups are the approver's at the time.
	Groups []string `json:"groups,omitempty"`
	// Decision is "approve" or "reject".
	Decision string `json:"decision"`
	Comment  string `json:"comment,omitempty"`
	// PlanDigest is what was shown; an approval of another plan does not count.
	PlanDigest string    `json:"plan_digest"`
	At         time.Time `json:"at"`
}

// Waiver lets a mandatory finding pass: for one policy on some resources of a
// project, for a while.
type Waiver struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id"`
	Policy    string `json:"policy"`
	// Stack is a pattern of the stack's name, Resource one of URNs.
	Stack     string    `json:"stack"`
	Resource  string    `json:"resource"`
	Reason    string    `json:"reason"`
	Owner     string    `json:"owner"`
	ExpiresAt time.Time `json:"expires_at"`
	CreatedAt time.Time `json:"created_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	Version   int64     `json:"version"`
}

// EventType says what an operation's event tells.
type EventType string

// The types.
const (
	EventState      EventType = "state"
	EventLog        EventType = "log"
	EventResource   EventType = "resource"
	EventDiagnostic EventType = "diagnostic"
	EventPolicy     EventType = "policy"
	EventProgress   EventType = "progress"
	EventApproval   EventType = "approval"
	EventSummary    EventType = "summary"
	// EventEnd is the last one.
	EventEnd EventType = "end"
)

// Event is one thing that happened in an operation. It holds no secrets.
type Event struct {
	// Seq counts from 1 in its operation.
	Seq  int64           `json:"seq"`
	At   time.Time       `json:"ts"`
	Type EventType       `json:"type"`
	Data json.RawMessage `json:"data"`
}

// Webhook is an address that is told of events.
type Webhook struct {
	ID string `json:"id"`
	// ProjectID restricts to a project; empty for the whole organization.
	Org       string   `json:"org"`
	ProjectID string   `json:"project_id,omitempty"`
	URL       string   `json:"url"`
	Types     []string `json:"types"`
	// SealedSecrets are the signing secrets, newest first: during a rotation two.
	SealedSecrets [][]byte `json:"sealed_secrets"`
	Disabled      bool     `json:"disabled"`
	// FailingSince is when deliveries began to fail; zero where they do not.
	FailingSince time.Time `json:"failing_since,omitzero"`
	CreatedBy    string    `json:"created_by"`
	CreatedAt    time.Time `json:"created_at"`
	Version      int64     `json:"version"`
}

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID        string          `json:"id"`
	WebhookID string          `json:"webhook_id"`
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	// Seq counts in the webhook.
	Attempts int `json:"attempts"`
	// DueAt is when it is tried next; zero when it is done.
	DueAt       time.Time `json:"due_at,omitzero"`
	DeliveredAt time.Time `json:"delivered_at,omitzero"`
	Status      int       `json:"status,omitempty"`
	Error       string    `json:"error,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
}

// Claim is a worker's right to an environment, for a while.
type Claim struct {
	StackID     string
	OperationID string
	Node        string
	// Fence is higher with each claim of the environment.
	Fence     int64
	ExpiresAt time.Time
}

// Reply is what a request with an idempotency key was answered.
type Reply struct {
	Principal, Key, Route string
	// RequestHash is SHA-256 of method, path and body.
	RequestHash []byte
	// Status is 0 while the first request is being answered.
	Status    int
	Header    map[string]string
	Body      []byte
	CreatedAt time.Time
}

// Session is a browser's.
type Session struct {
	// Hash is SHA-256 of the cookie's value.
	Hash      []byte
	Principal Principal
	CreatedAt time.Time
	ExpiresAt time.Time
}

// AuditCheckpoint is a signed place in the audit chain.
type AuditCheckpoint struct {
	Sequence int64     `json:"sequence"`
	Hash     []byte    `json:"hash"`
	At       time.Time `json:"at"`
	// KeyID names the key, Signature is Ed25519 over the JSON of the others.
	KeyID     string `json:"key_id"`
	Signature []byte `json:"signature"`
}

// QueueDepth is how many operations wait for a worker: checks for drift, or all
// others.
type QueueDepth struct {
	Drift   bool
	Waiting int
	// Oldest is since when the first of them waits.
	Oldest time.Time
}
