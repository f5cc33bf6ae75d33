package api

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// Service is what the API needs of *provision.Service. Every method authorizes
// the principal itself, and returns a *provision.Error for what the caller did.
type Service interface {
	CreateProject(ctx context.Context, p provision.Principal, n provision.NewProject) (provision.Project, error)
	Project(ctx context.Context, p provision.Principal, id string) (provision.Project, error)
	Projects(ctx context.Context, p provision.Principal, org, after string, limit int) ([]provision.Project, string, error)
	UpdateProject(ctx context.Context, p provision.Principal, id string, version int64, patch provision.ProjectPatch) (provision.Project, error)
	ProjectQuota(ctx context.Context, p provision.Principal, id string) (provision.ProjectQuota, error)
	SetProjectQuota(ctx context.Context, p provision.Principal, id string, version int64, quota provision.Quota) (provision.ProjectQuota, error)
	OrganizationQuota(ctx context.Context, p provision.Principal, org string) (provision.OrganizationQuota, error)
	SetOrganizationQuota(ctx context.Context, p provision.Principal, org string, version int64, quota provision.Quota) (provision.OrganizationQuota, error)
	FreezeWindows(ctx context.Context, p provision.Principal, id string) (provision.FreezeWindows, error)
	SetFreezeWindows(ctx context.Context, p provision.Principal, id string, version int64, windows []provision.FreezeWindow) (provision.FreezeWindows, error)

	Blueprints(ctx context.Context, p provision.Principal) ([]provision.Blueprint, error)
	Blueprint(ctx context.Context, p provision.Principal, name, version string) (provision.Blueprint, error)

	CreateEnvironment(ctx context.Context, p provision.Principal, n provision.NewEnvironment) (provision.Environment, provision.Operation, error)
	Environment(ctx context.Context, p provision.Principal, id string) (provision.Environment, error)
	Environments(ctx context.Context, p provision.Principal, q provision.EnvironmentQuery) ([]provision.Environment, string, error)
	UpdateEnvironment(ctx context.Context, p provision.Principal, id string, version int64, patch provision.EnvironmentPatch) (provision.Environment, error)
	SetLock(ctx context.Context, p provision.Principal, id, reason string) (provision.Environment, error)
	ClearLock(ctx context.Context, p provision.Principal, id string) (provision.Environment, error)
	SetTTL(ctx context.Context, p provision.Principal, id string, version int64, ttl time.Duration) (provision.Environment, error)
	SetSchedules(ctx context.Context, p provision.Principal, id string, version int64, schedules []provision.Schedule) (provision.Environment, error)
	Outputs(ctx context.Context, p provision.Principal, id string) (map[string]any, error)
	RevealOutputs(ctx context.Context, p provision.Principal, id, reason string) (map[string]any, error)
	Resources(ctx context.Context, p provision.Principal, id string) ([]provision.StackResource, error)
	History(ctx context.Context, p provision.Principal, id, after string, limit int) ([]backend.Update, error)
	StateVersions(ctx context.Context, p provision.Principal, id string, before int64, limit int) ([]provision.StateVersion, int64, error)
	StateVersion(ctx context.Context, p provision.Principal, id string, version int64) (provision.StateVersion, error)
	ExportState(ctx context.Context, p provision.Principal, id string, version int64, sealed bool, reason string) (json.RawMessage, error)

	Order(ctx context.Context, p provision.Principal, stackID string, n provision.NewOperation) (provision.Operation, error)
	Operation(ctx context.Context, p provision.Principal, id string) (provision.Operation, error)
	Operations(ctx context.Context, p provision.Principal, q provision.OperationQuery) ([]provision.Operation, string, error)
	Cancel(ctx context.Context, p provision.Principal, id string, force bool) (provision.Operation, error)
	Retry(ctx context.Context, p provision.Principal, id string) (provision.Operation, error)
	Events(ctx context.Context, p provision.Principal, id string, after int64, limit int) ([]provision.Event, error)
	Logs(ctx context.Context, p provision.Principal, id string, after int64, limit int) ([]provision.LogLine, int64, error)
	WaitEvents(ctx context.Context, p provision.Principal, id string, after int64, limit int) ([]provision.Event, error)
	WaitOperation(ctx context.Context, p provision.Principal, id string, most time.Duration) (provision.Operation, error)
	Approvals(ctx context.Context, p provision.Principal, id string) ([]provision.Approval, error)
	Decide(ctx context.Context, p provision.Principal, id string, n provision.NewDecision) (provision.Operation, error)

	CreateWaiver(ctx context.Context, p provision.Principal, n provision.NewWaiver) (provision.Waiver, error)
	Waivers(ctx context.Context, p provision.Principal, projectID string) ([]provision.Waiver, error)
	RevokeWaiver(ctx context.Context, p provision.Principal, id string) (provision.Waiver, error)

	CreateBinding(ctx context.Context, p provision.Principal, n provision.NewBinding) (provision.Binding, error)
	Bindings(ctx context.Context, p provision.Principal) ([]provision.Binding, error)
	DeleteBinding(ctx context.Context, p provision.Principal, id string) error

	CreateToken(ctx context.Context, p provision.Principal, n provision.NewToken) (backend.Token, string, error)
	Tokens(ctx context.Context, p provision.Principal, account, after string, limit int) ([]backend.Token, string, error)
	RevokeToken(ctx context.Context, p provision.Principal, id string) error
	ServiceAccounts(ctx context.Context, p provision.Principal) ([]provision.Program, error)
	RevokeServiceAccount(ctx context.Context, p provision.Principal, name string) error

	CreateWebhook(ctx context.Context, p provision.Principal, n provision.NewWebhook) (provision.Webhook, string, error)
	Webhooks(ctx context.Context, p provision.Principal, org string) ([]provision.Webhook, error)
	UpdateWebhook(ctx context.Context, p provision.Principal, id string, version int64, patch provision.WebhookPatch) (provision.Webhook, error)
	DeleteWebhook(ctx context.Context, p provision.Principal, id string) error
	RotateWebhookSecret(ctx context.Context, p provision.Principal, id string) (string, error)
	TestWebhook(ctx context.Context, p provision.Principal, id string) (provision.Delivery, error)
	Deliveries(ctx context.Context, p provision.Principal, webhookID, before string, limit int) ([]provision.Delivery, error)
	Redeliver(ctx context.Context, p provision.Principal, deliveryID string) (provision.Delivery, error)

	Audit(ctx context.Context, p provision.Principal, after int64, limit int) ([]backend.AuditEntry, error)
	AuditCheckpoints(ctx context.Context, p provision.Principal, after int64, limit int) ([]provision.AuditCheckpoint, error)
	// AuditKey is the public key of checkpoints, and its id.
	AuditKey() (ed25519.PublicKey, string)
	Claims(ctx context.Context, p provision.Principal) ([]provision.Claim, error)
	Queues(ctx context.Context, p provision.Principal) ([]provision.Queue, error)
	PauseQueue(ctx context.Context, p provision.Principal, name string) (provision.Queue, error)
	ResumeQueue(ctx context.Context, p provision.Principal, name string) (provision.Queue, error)

	// BeginRequest remembers that a request with an idempotency key is being
	// answered. It returns the answer where there is one already, and a
	// CodeConflict while another one is being made.
	BeginRequest(ctx context.Context, p provision.Principal, r provision.Reply) (*provision.Reply, error)
	// EndRequest keeps the answer, DropRequest forgets the request.
	EndRequest(ctx context.Context, p provision.Principal, r provision.Reply) error
	DropRequest(ctx context.Context, p provision.Principal, r provision.Reply) error
}
