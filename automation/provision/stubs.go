package provision

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"redoubt/automation/backend"
)

var errSoon = errors.New("not written yet")

type NewProject struct {
	Org, Name, Description string
	Settings               *ProjectSettings
}
type ProjectPatch struct {
	Description *string
	Settings    *ProjectSettings
}
type NewEnvironment struct {
	ProjectID, Name, Blueprint, BlueprintVersion string
	Inputs                                       json.RawMessage
	Labels                                       map[string]string
	TTL                                          time.Duration
	Protected                                    *bool
	Options                                      OperationOptions
	Trace                                        string
}
type EnvironmentPatch struct {
	Labels    map[string]string
	Protected *bool
}
type NewOperation struct {
	Kind    OperationKind
	Inputs  json.RawMessage
	Options OperationOptions
	Confirm string
	Trace   string
}
type NewDecision struct{ Decision, Comment, PlanDigest string }
type NewWaiver struct {
	ProjectID, Policy, Stack, Resource, Reason string
	Lifetime                                   time.Duration
}
type NewBinding struct {
	Subject  string
	Role     Role
	Scope    string
	Lifetime time.Duration
}
type StackResource struct {
	URN       string   `json:"urn"`
	Type      string   `json:"type"`
	ID        string   `json:"id,omitempty"`
	Parent    string   `json:"parent,omitempty"`
	Provider  string   `json:"provider,omitempty"`
	Custom    bool     `json:"custom"`
	Protect   bool     `json:"protect,omitempty"`
	External  bool     `json:"external,omitempty"`
	DependsOn []string `json:"depends_on,omitempty"`
}

func (s *Service) Check(ctx context.Context, p Principal, action Action, on Resource) error {
	return errSoon
}
func (s *Service) CreateProject(ctx context.Context, p Principal, n NewProject) (Project, error) {
	return Project{}, errSoon
}
func (s *Service) Project(ctx context.Context, p Principal, id string) (Project, error) {
	return Project{}, errSoon
}
func (s *Service) Projects(ctx context.Context, p Principal, org, after string, limit int) ([]Project, string, error) {
	return nil, "", errSoon
}
func (s *Service) UpdateProject(ctx context.Context, p Principal, id string, version int64, patch ProjectPatch) (Project, error) {
	return Project{}, errSoon
}
func (s *Service) Blueprints(ctx context.Context, p Principal) ([]Blueprint, error) {
	return nil, errSoon
}
func (s *Service) Blueprint(ctx context.Context, p Principal, name, version string) (Blueprint, error) {
	return Blueprint{}, errSoon
}
func (s *Service) CreateEnvironment(ctx context.Context, p Principal, n NewEnvironment) (Environment, Operation, error) {
	return Environment{}, Operation{}, errSoon
}
func (s *Service) Environment(ctx context.Context, p Principal, id string) (Environment, error) {
	return Environment{}, errSoon
}
func (s *Service) Environments(ctx context.Context, p Principal, q EnvironmentQuery) ([]Environment, string, error) {
	return nil, "", errSoon
}
func (s *Service) UpdateEnvironment(ctx context.Context, p Principal, id string, version int64, patch EnvironmentPatch) (Environment, error) {
	return Environment{}, errSoon
}
func (s *Service) SetLock(ctx context.Context, p Principal, id, reason string) (Environment, error) {
	return Environment{}, errSoon
}
func (s *Service) ClearLock(ctx context.Context, p Principal, id string) (Environment, error) {
	return Environment{}, errSoon
}
func (s *Service) Outputs(ctx context.Context, p Principal, id string) (map[string]any, error) {
	return nil, errSoon
}
func (s *Service) RevealOutputs(ctx context.Context, p Principal, id, reason string) (map[string]any, error) {
	return nil, errSoon
}
func (s *Service) Resources(ctx context.Context, p Principal, id string) ([]StackResource, error) {
	return nil, errSoon
}
func (s *Service) History(ctx context.Context, p Principal, id string, page, size int) ([]backend.Update, error) {
	return nil, errSoon
}
func (s *Service) Order(ctx context.Context, p Principal, stackID string, n NewOperation) (Operation, error) {
	return Operation{}, errSoon
}
func (s *Service) Operation(ctx context.Context, p Principal, id string) (Operation, error) {
	return Operation{}, errSoon
}
func (s *Service) Operations(ctx context.Context, p Principal, q OperationQuery) ([]Operation, string, error) {
	return nil, "", errSoon
}
func (s *Service) Cancel(ctx context.Context, p Principal, id string, force bool) (Operation, error) {
	return Operation{}, errSoon
}
func (s *Service) Retry(ctx context.Context, p Principal, id string) (Operation, error) {
	return Operation{}, errSoon
}
func (s *Service) Events(ctx context.Context, p Principal, id string, after int64, limit int) ([]Event, error) {
	return nil, errSoon
}
func (s *Service) WaitEvents(ctx context.Context, p Principal, id string, after int64, limit int) ([]Event, error) {
	return nil, errSoon
}
func (s *Service) WaitOperation(ctx context.Context, p Principal, id string, atMost time.Duration) (Operation, error) {
	return Operation{}, errSoon
}
func (s *Service) Approvals(ctx context.Context, p Principal, id string) ([]Approval, error) {
	return nil, errSoon
}
func (s *Service) Decide(ctx context.Context, p Principal, id string, n NewDecision) (Operation, error) {
	return Operation{}, errSoon
}
func (s *Service) CreateWaiver(ctx context.Context, p Principal, n NewWaiver) (Waiver, error) {
	return Waiver{}, errSoon
}
func (s *Service) Waivers(ctx context.Context, p Principal, projectID string) ([]Waiver, error) {
	return nil, errSoon
}
func (s *Service) RevokeWaiver(ctx context.Context, p Principal, id string) (Waiver, error) {
	return Waiver{}, errSoon
}
func (s *Service) CreateBinding(ctx context.Context, p Principal, n NewBinding) (Binding, error) {
	return Binding{}, errSoon
}
func (s *Service) Bindings(ctx context.Context, p Principal) ([]Binding, error)    { return nil, errSoon }
func (s *Service) DeleteBinding(ctx context.Context, p Principal, id string) error { return errSoon }
func (s *Service) Audit(ctx context.Context, p Principal, after int64, limit int) ([]backend.AuditEntry, error) {
	return nil, errSoon
}
func (s *Service) Claims(ctx context.Context, p Principal) ([]Claim, error) { return nil, errSoon }
func (s *Service) BeginRequest(ctx context.Context, p Principal, r Reply) (*Reply, error) {
	return nil, errSoon
}
func (s *Service) EndRequest(ctx context.Context, p Principal, r Reply) error  { return errSoon }
func (s *Service) DropRequest(ctx context.Context, p Principal, r Reply) error { return errSoon }
func (s *Service) RequiredApprovals(project Project, op Operation, plan Plan) ([]RequiredApproval, time.Duration) {
	return nil, 0
}

// ApprovalsFor are the approvals of this plan.
func ApprovalsFor(digest string, approvals []Approval) []Approval { return nil }

// PlanDigest and ChangeDigest: see automation.md.
func ChangeDigest(changes []Change) string { return "" }

// Digest fills in p's digests.
func (o Operation) Digest(p Plan) (digest, changes string, err error) { return "", "", errSoon }

// Unsealed returns an operation's inputs with secrets open, and the secrets, for its worker.
func (s *Service) Unsealed(ctx context.Context, o Operation) (inputs json.RawMessage, secrets []string, err error) {
	return nil, nil, errSoon
}
