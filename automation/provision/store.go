package provision

import (
	"context"
	"time"

	"redoubt/automation/backend"
)

// Store is a database: the one that keeps the stacks' states too, so that a change
// and its audit entry are one transaction. Two implementations must mean the same
// by it: package storetest holds both to it.
type Store interface {
	// View and Update are backend.Store's.
	View(ctx context.Context, read func(Tx) error) error
	Update(ctx context.Context, write func(Tx) error) error
}

// Position is how far an operation is. Whatever changes in the operation changes its
// version.
type Position struct {
	State   State
	Version int64
}

// OperationQuery selects operations. Empty fields do not restrict.
type OperationQuery struct {
	ProjectIDs []string // nil does not restrict, an empty list selects nothing
	StackID    string
	States     []State
	Kinds      []OperationKind
	// RequestedBy is a subject: "user:alice", "service_account:deploy".
	RequestedBy string
	// Since is by CreatedAt.
	Since time.Time
	// Before is the last id of the page before: newest first. Limit 0 does not limit.
	Before string
	Limit  int
}

// EnvironmentQuery selects environments that are not deleted, sorted by id. Empty
// fields do not restrict.
type EnvironmentQuery struct {
	ProjectIDs []string // nil does not restrict, an empty list selects nothing
	Blueprint  string
	// Drift is a status; Label is "key" or "key=value".
	Drift, Label string
	// States are of the newest operation that may have changed the stack: neither
	// previews nor checks for drift.
	States []State
	// ExpiresBefore selects those with an end before a time.
	ExpiresBefore time.Time
	// After is the last id of the page before.
	After string
	Limit int
}

// Tx is backend's transaction with what provisioning keeps, under the same rules:
// lookups return backend.ErrNotFound, creations backend.ErrExists. Saves of what
// has a Version compare it with the one that is kept, increment it in the argument
// that they are given, and return ErrVersion where somebody else was faster.
//
// Lists and maps that are empty may come back as nil, and JSON that is a
// json.RawMessage byte by byte.
type Tx interface {
	backend.Tx

	CreateProject(Project) error
	Project(id string) (Project, error)
	ProjectByName(org, name string) (Project, error)
	// SaveProject writes everything but the organization and the name.
	SaveProject(*Project) error
	// Projects are sorted by id; of all organizations where none is given.
	Projects(org, after string, limit int) ([]Project, error)

	// CreateEnvironment needs the project, and the backend's stack of the same id,
	// whose name is the environment's and its operations': now, after it was
	// renamed, and the last one after it was deleted. What Name says is not written.
	CreateEnvironment(Environment) error
	// Environment finds deleted ones too.
	Environment(id string) (Environment, error)
	// EnvironmentByName does not: another may have the name by now.
	EnvironmentByName(backend.StackName) (Environment, error)
	// LockEnvironment is Environment; as backend.Tx.LockStack.
	LockEnvironment(id string) (Environment, error)
	SaveEnvironment(*Environment) error
	Environments(EnvironmentQuery) ([]Environment, error)
	CountEnvironments(projectID string) (int, error)
	// DueEnvironments have a DueAt that is not after a time, oldest first; deleted
	// ones have not.
	DueEnvironments(at time.Time, limit int) ([]Environment, error)

	// CreateOperation needs the environment.
	CreateOperation(Operation) error
	Operation(id string) (Operation, error)
	// Position is Operation without its documents: a plan of a thousand resources is
	// not read again and again by who waits.
	Position(operationID string) (Position, error)
	// LockOperation is Operation; as backend.Tx.LockStack.
	LockOperation(id string) (Operation, error)
	SaveOperation(*Operation) error
	Operations(OperationQuery) ([]Operation, error)
	// CountOperations counts a project's in these states.
	CountOperations(projectID string, states ...State) (int, error)
	// CountOperationsSince counts those that were ordered since a time.
	CountOperationsSince(projectID string, since time.Time) (int, error)
	// Runnable are operations that a worker may take: Queued or Approved, on
	// environments without a claim that has not ended at the time. They are sorted
	// by priority, then by how many operations of their project are running, fewest
	// first, then by age. Drift (see KindDrift) comes only where the environment
	// has no operation of another kind that is Queued or Approved.
	Runnable(at time.Time, limit int) ([]Operation, error)
	// QueueDepths count what Runnable chooses from, without regard to claims; a queue
	// in which nothing waits is left out.
	QueueDepths() ([]QueueDepth, error)
	// OverdueOperations wait although their DeadlineAt is past.
	OverdueOperations(at time.Time, limit int) ([]Operation, error)
	// PruneOperationEvents deletes events of operations that ended before a time, at
	// most limit of them, and returns how many rows that were; 0 does not limit.
	PruneOperationEvents(before time.Time, limit int) (int64, error)
	// EndedWithSecrets are operations that ended from one time on and before another,
	// and have secrets among their inputs: in the order of their ends.
	EndedWithSecrets(from, before time.Time, limit int) ([]Operation, error)

	// Figures are the figures of the whole at a time.
	Figures(at time.Time) (Figures, error)

	// TakeClaim makes a claim, with a fence that is higher than all before, where
	// there is none that has not ended at the time; ErrExists where there is one.
	TakeClaim(c Claim, at time.Time) (Claim, error)
	// RenewClaim extends a claim of the same fence; ErrNotFound where it is lost:
	// released, or taken after its end.
	RenewClaim(c Claim) error
	// ReleaseClaim ends it; nothing happens where it is lost.
	ReleaseClaim(stackID string, fence int64) error
	// Claim is one that was not released, whether it has ended or not.
	Claim(stackID string) (Claim, error)
	// ExpiredClaims are those that ended before a time and were not released.
	ExpiredClaims(before time.Time, limit int) ([]Claim, error)
	// Claims are all that have not ended at a time: what runs where.
	Claims(at time.Time) ([]Claim, error)

	AddApproval(Approval) error
	// Approvals are in the order of time.
	Approvals(operationID string) ([]Approval, error)

	// AddEvents numbers the events of an operation and stores them; it sets their
	// Seq. At most one transaction at a time does so for one operation.
	AddEvents(operationID string, events []Event) error
	// EventsAfter are those after a sequence, in order.
	EventsAfter(operationID string, after int64, limit int) ([]Event, error)
	// EventsOfTypes are EventsAfter of some types alone.
	EventsOfTypes(operationID string, types []EventType, after int64, limit int) ([]Event, error)

	// StateVersions are the states of a stack that are kept, without what is in them,
	// newest first: before a version, or all where it is 0.
	StateVersions(stackID string, before int64, limit int) ([]backend.StateVersion, error)
	// HistoryAfter are a stack's updates, newest first, as backend.Tx.History has
	// them: those after one, by its id, or all where it is empty.
	HistoryAfter(stackID, after string, limit int) ([]backend.Update, error)

	CreateWaiver(Waiver) error
	Waiver(id string) (Waiver, error)
	SaveWaiver(*Waiver) error
	// Waivers are a project's, sorted by id.
	Waivers(projectID string) ([]Waiver, error)

	CreateBinding(Binding) error
	DeleteBinding(id string) error
	// Bindings are sorted by id; of these subjects, or all where none is given.
	Bindings(subjects ...string) ([]Binding, error)

	// AccessTokens are tokens but those of operations, sorted by id; of a principal, or
	// of all where it is empty.
	AccessTokens(principal, after string, limit int) ([]backend.Token, error)

	CreateWebhook(Webhook) error
	Webhook(id string) (Webhook, error)
	SaveWebhook(*Webhook) error
	// DeleteWebhook deletes its deliveries too.
	DeleteWebhook(id string) error
	// Webhooks are sorted by id.
	Webhooks(org string) ([]Webhook, error)
	AddDelivery(Delivery) error
	Delivery(id string) (Delivery, error)
	SaveDelivery(Delivery) error
	// DueDeliveries have a DueAt that is not after a time, oldest first.
	DueDeliveries(at time.Time, limit int) ([]Delivery, error)
	// Deliveries are a webhook's, newest first.
	Deliveries(webhookID, before string, limit int) ([]Delivery, error)
	// PruneDeliveries deletes those that are done and were made before a time; limit
	// is PruneOperationEvents', here and below.
	PruneDeliveries(before time.Time, limit int) (int64, error)

	// BeginReply stores a reply without an answer; ErrExists where there is one of
	// the same principal, key and route.
	BeginReply(Reply) error
	Reply(principal, key, route string) (Reply, error)
	// EndReply writes the answer, and nothing about the request.
	EndReply(Reply) error
	// DropReply forgets it, so that the request may be made again.
	DropReply(principal, key, route string) error
	PruneReplies(before time.Time, limit int) (int64, error)

	// PutSession replaces it.
	PutSession(Session) error
	// Session finds those that have ended too, until they are pruned.
	Session(hash []byte) (Session, error)
	DeleteSession(hash []byte) error
	PruneSessions(before time.Time, limit int) (int64, error)

	AddAuditCheckpoint(AuditCheckpoint) error
	// AuditCheckpoints are those after a sequence, in order.
	AuditCheckpoints(after int64, limit int) ([]AuditCheckpoint, error)
	LastAuditCheckpoint() (AuditCheckpoint, error)
}
