package provision

import (
	"time"

	"redoubt/automation/backend"
)

// PrincipalKind says what kind of actor a principal is.
type PrincipalKind string

// The kinds.
const (
	// Human signed in with an identity provider, or holds the bootstrap token.
	Human PrincipalKind = "user"
	// ServiceAccount is a program with a token.
	ServiceAccount PrincipalKind = "service_account"
	// System is the service itself: schedules, expiries.
	System PrincipalKind = "system"
)

// Principal is who asks.
type Principal struct {
	Kind PrincipalKind
	// Name is unique in its kind: the subject of the identity provider's token, or
	// the principal of an access token.
	Name string
	// Human is the person behind it, whom four eyes are counted by: for a user the
	// name itself, for a service account its owner, empty for nobody.
	Human string
	// Display is for people: an e-mail address; never used to decide.
	Display string
	// Groups are those of the identity provider, or of the token.
	Groups []string
	// MFA says that the sign-in had a second factor.
	MFA bool
	// AuthMethod is "oidc", "token", "session" or "system".
	AuthMethod string
	// Caller is who it is to the backend.
	Caller backend.Caller
}

// Role is one of the roles of docs/service.md.
type Role string

// The roles, see cedar's default policies for what each may.
const (
	Viewer       Role = "viewer"
	Requester    Role = "requester"
	Operator     Role = "operator"
	Approver     Role = "approver"
	PolicyOwner  Role = "policy_owner"
	ProjectAdmin Role = "project_admin"
	OrgAdmin     Role = "org_admin"
	Auditor      Role = "auditor"
)

// Roles are all of them.
var Roles = []Role{Viewer, Requester, Operator, Approver, PolicyOwner, ProjectAdmin, OrgAdmin, Auditor}

// Binding gives a role to a subject in a scope.
type Binding struct {
	ID string `json:"id"`
	// Subject is "user:<name>", "service_account:<name>" or "group:<name>".
	Subject string `json:"subject"`
	Role    Role   `json:"role"`
	// Scope is "org", "org/project", or "org/project/stack"; "*" is everything.
	// A part may be a pattern as in path.Match.
	Scope string `json:"scope"`
	// Expires is a break-glass role's end, zero for never.
	Expires   time.Time `json:"expires,omitzero"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

// Action is what somebody wants to do; Cedar's Action::"…".
type Action string

// The actions.
const (
	ActionRead           Action = "read"
	ActionPreview        Action = "preview"
	ActionApply          Action = "apply"
	ActionDestroy        Action = "destroy"
	ActionApprove        Action = "approve"
	ActionWaive          Action = "waive"
	ActionReveal         Action = "reveal"
	ActionCancel         Action = "cancel"
	ActionForceCancel    Action = "force_cancel"
	ActionManageStack    Action = "manage_stack"   // schedules, TTL, maintenance lock
	ActionManageProject  Action = "manage_project" // settings, members, quota
	ActionCreateProject  Action = "create_project"
	ActionManageSettings Action = "manage_settings" // webhooks, queues, bindings of the organization
	ActionReadAudit      Action = "read_audit"
	ActionExportState    Action = "export_state"
	ActionCreateToken    Action = "create_token" // of a service account of one's own
)

// Actions are all of them.
var Actions = []Action{
	ActionRead, ActionPreview, ActionApply, ActionDestroy, ActionApprove, ActionWaive, ActionReveal, ActionCancel,
	ActionForceCancel, ActionManageStack, ActionManageProject, ActionCreateProject, ActionManageSettings, ActionReadAudit,
	ActionExportState, ActionCreateToken,
}

// Resource is what an action is on. Empty fields are wider: a Resource with an
// organization alone is that organization.
type Resource struct {
	Org, Project, Stack string
	// Tags are the stack's.
	Tags map[string]string
	// Protected says that the stack is.
	Protected bool
	// Owner is who ordered the stack, TTL that it expires.
	Owner string
	TTL   bool
	// RequestedBy is the human behind an operation that is to be approved.
	RequestedBy string
	// State is an operation's.
	State State
}

// Decision is an Authorizer's.
type Decision struct {
	Allowed bool
	// Policies are the ids of the policies that decided, for the audit log.
	Policies []string
	// NeedsMFA says that it would be allowed after a sign-in with a second factor.
	NeedsMFA bool
}

// Authorizer decides who may do what. Bindings are those of the principal's
// subjects, read in the same transaction.
type Authorizer interface {
	Decide(p Principal, bindings []Binding, action Action, on Resource) (Decision, error)
}
