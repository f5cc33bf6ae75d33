package backend

import (
	"context"
	"time"
)

// Store is a database. Two implementations must mean the same by it: package
// storetest holds both to it.
type Store interface {
	// View runs read with one consistent picture of the database.
	View(ctx context.Context, read func(Tx) error) error
	// Update runs write in a transaction: all of it is durable when Update
	// returns nil, none of it happened when it returns an error. write may be
	// called more than once and must not touch anything but the Tx. Transactions
	// that lock the same stack, or the same update, come one after the other.
	Update(ctx context.Context, write func(Tx) error) error
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	Close() error
}

// StackQuery selects stacks. Empty fields do not restrict.
type StackQuery struct {
	// Orgs restricts to these organizations; nil does not, and an empty list
	// selects nothing.
	Orgs              []string
	Project           string
	TagName, TagValue string
	// After is the last id of the page before, Limit at most so many.
	After string
	Limit int
}

// Tx is a transaction. Lookups return ErrNotFound, creations ErrExists; changes
// and deletions of what is not there return ErrNotFound, and so does what refers
// to a stack or an update that is not there. A limit of 0 does not limit. What a
// Tx returns is the caller's to change: times are in UTC and to the microsecond,
// and empty bytes are nil. Text that is not UTF-8, or has a zero byte, is refused
// with CodeInvalid. A Tx is for one goroutine, and is over when its function ends.
//
// Update must not be called from inside an Update: in SQLite there is one writer,
// which would wait for itself.
type Tx interface {
	// Now is the time that all of the database's clients agree on.
	Now() time.Time

	CreateOrganization(Organization) error
	Organization(name string) (Organization, error)
	// Organizations are sorted by name.
	Organizations() ([]Organization, error)

	CreateStack(Stack) error
	Stack(StackName) (Stack, error)
	StackByID(id string) (Stack, error)
	// LockStack is StackByID; until the transaction ends no other one that
	// locks the stack sees or changes it.
	LockStack(id string) (Stack, error)
	// SaveStack writes everything but the id; ErrExists where another stack has
	// the name.
	SaveStack(Stack) error
	// DeleteStack removes the stack and all that hangs on it.
	DeleteStack(id string) error
	// Stacks are sorted by id, at most query.Limit.
	Stacks(query StackQuery) ([]Stack, error)
	// ProjectExists says whether the organization has a stack of the project.
	ProjectExists(org, project string) (bool, error)

	// PutState replaces the state of the same version.
	PutState(StateVersion) error
	State(stackID string, version int64) (StateVersion, error)
	// PruneStates deletes the states of a stack before a version, but for the
	// newest keep of them, and returns how many it deleted.
	PruneStates(stackID string, before int64, keep int) (int64, error)

	CreateUpdate(Update) error
	Update(id string) (Update, error)
	// LockUpdate is Update; as LockStack.
	LockUpdate(id string) (Update, error)
	// HoldUpdate reads what a client's write needs of an update. Until the
	// transaction ends nobody locks it; others may hold it too.
	HoldUpdate(id string) (Held, error)
	SaveUpdate(Update) error
	// UpdateByVersion is the update of a stack that left a version.
	UpdateByVersion(stackID string, version int64) (Update, error)
	// History are the updates of a stack that were started and are no dry runs,
	// newest first; page counts from 1.
	History(stackID string, page, size int) ([]Update, error)
	// LatestPreviews are the newest dry runs.
	LatestPreviews(stackID string, limit int) ([]Update, error)
	// Expired are the ids of running updates whose lease ended before a time,
	// oldest first.
	Expired(before time.Time, limit int) ([]string, error)
	// Running counts running updates that are no dry runs.
	Running() (int64, error)

	// AppendJournal stores rows. A row whose sequence is there already with the
	// same digest is left out; with another digest the error is ErrExists, and
	// nothing is stored.
	AppendJournal(updateID string, rows []JournalRow) error
	// Journal calls each for every row, in the order of sequences.
	Journal(updateID string, each func(JournalRow) error) error
	// JournalSize is how many rows and bytes an update's journal has. It counts
	// them: it is not for each append.
	JournalSize(updateID string) (rows, bytes int64, err error)
	// PruneJournals deletes the journals of updates that were completed before a
	// time, at most limit rows of them, and returns how many that were; 0 does not
	// limit. Those of updates with something left out stay: there is no other place
	// where that is.
	PruneJournals(before time.Time, limit int) (int64, error)

	// PutCheckpoint replaces the update's checkpoint.
	PutCheckpoint(Checkpoint) error
	Checkpoint(updateID string) (Checkpoint, error)
	// PruneCheckpoints is PruneJournals for checkpoints.
	PruneCheckpoints(before time.Time, limit int) (int64, error)

	// PutEvents stores events; one whose sequence is there already is left out.
	PutEvents(updateID string, rows []EventRow) error
	// Events are those after a sequence, in order; -1 for all.
	Events(updateID string, after int64, limit int) ([]EventRow, error)
	// PruneEvents is PruneJournals for events.
	PruneEvents(before time.Time, limit int) (int64, error)
	// PruneUpdates deletes updates that were created before a time and never
	// started, and dry runs that were completed before it; limit is PruneJournals'.
	PruneUpdates(before time.Time, limit int) (int64, error)

	// PutDataKey adds a key; ErrExists where the stack has one of the version.
	PutDataKey(DataKey) error
	// DataKeys are a stack's, oldest first.
	DataKeys(stackID string) ([]DataKey, error)
	// DataKeysNotWrappedBy are those of all stacks that another operator's key
	// wraps.
	DataKeysNotWrappedBy(key string, limit int) ([]DataKey, error)
	// RewrapDataKey replaces Wrapped and WrappedBy.
	RewrapDataKey(DataKey) error

	CreateToken(Token) error
	Token(id string) (Token, error)
	// LockToken is Token; as LockStack.
	LockToken(id string) (Token, error)
	SaveToken(Token) error
	// Tokens are sorted by id.
	Tokens() ([]Token, error)
	// PruneOperationTokens deletes the tokens of operations that ended, or were
	// revoked, before a time; limit is PruneJournals'.
	PruneOperationTokens(before time.Time, limit int) (int64, error)

	// CreatePack numbers the publication; ErrExists where the tag is taken. A
	// number is not given again, not even after its publication was deleted.
	CreatePack(PolicyPack) (PolicyPack, error)
	SavePack(PolicyPack) error
	Pack(org, name, tag string) (PolicyPack, error)
	PackByVersion(org, name string, version int64) (PolicyPack, error)
	// LatestPack is the newest complete publication.
	LatestPack(org, name string) (PolicyPack, error)
	// Packs are without archives, sorted by name and version.
	Packs(org string) ([]PolicyPack, error)
	// DeletePack deletes one publication, or all of them where tag is empty.
	DeletePack(org, name, tag string) error

	// PutRequirement replaces the one for the same organization and pack.
	PutRequirement(PackRequirement) error
	DeleteRequirement(org, pack string) error
	// Requirements are sorted by pack.
	Requirements(org string) ([]PackRequirement, error)

	// LastAudit is the newest entry, locked until the transaction ends: entries
	// form a chain. ErrNotFound before the first. Lock stacks and updates before
	// it, and call it late: everybody who writes the log waits for this one.
	LastAudit() (AuditEntry, error)
	AppendAudit(AuditEntry) error
	// Audit are the entries after a sequence, in order.
	Audit(after int64, limit int) ([]AuditEntry, error)

	// Setting is a value that belongs to the installation, such as its id.
	Setting(name string) ([]byte, error)
	// PutSetting replaces it.
	PutSetting(name string, value []byte) error
}
