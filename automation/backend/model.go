package backend

import (
	"encoding/json"
	"time"
)

// StackName names a stack: "org/project/stack". Case is kept, and does not
// distinguish: two names that differ in case alone are one.
type StackName struct{ Org, Project, Stack string }

// String is org/project/stack.
func (n StackName) String() string { return n.Org + "/" + n.Project + "/" + n.Stack }

// Organization owns projects.
type Organization struct {
	ID        string
	Name      string
	CreatedAt time.Time
}

// Stack is a stack's record. Its id never changes, its name may.
type Stack struct {
	// ID is "stk_" and a ULID.
	ID   string
	Name StackName
	Tags map[string]string
	// Protected stacks take no update from people's own CLI: previews only, and
	// updates with a token that may apply to protected stacks.
	Protected bool
	// Version is the number of the newest state, 0 for a stack without any.
	Version int64
	// Resources is how many the newest state has.
	Resources int64
	// PendingCreates is how many resources of the newest state were being
	// created when an update died: they may exist, and nobody knows their ids. What
	// a salvage left out counts too: each entry may have been about such a one.
	PendingCreates int
	// RestoredAt is when the stack was found to come from a backup, so that the cloud may
	// be ahead of its state; zero since a refresh has succeeded.
	RestoredAt time.Time
	// ActiveUpdate is the update that holds the lease; empty for none.
	ActiveUpdate string
	// Fence counts the leases of the stack: each lease has a higher one.
	Fence     int64
	CreatedAt time.Time
	// UpdatedAt is when the last update began; zero for never.
	UpdatedAt time.Time
}

// StateVersion is a state that a stack had.
type StateVersion struct {
	StackID string
	// Version counts from 1, and is the number of the update that left it.
	Version int64
	// Sealed is the deployment, an apitype.UntypedDeployment as JSON, compressed
	// and sealed with the stack's key.
	Sealed []byte
	// Digest is the SHA-256 of the JSON.
	Digest    []byte
	Resources int64
	CreatedAt time.Time
}

// UpdateKind is what an update does; the words are those of the protocol's
// history.
type UpdateKind string

// The kinds.
const (
	KindUpdate         UpdateKind = "update"
	KindPreview        UpdateKind = "preview"
	KindRefresh        UpdateKind = "refresh"
	KindDestroy        UpdateKind = "destroy"
	KindImport         UpdateKind = "import"
	KindResourceImport UpdateKind = "resource-import"
	KindRename         UpdateKind = "rename"
)

// UpdateStatus is where an update is on its way; see docs/backend.md.
type UpdateStatus string

// The statuses. The last four are final.
const (
	// StatusCreated has an id and nothing else.
	StatusCreated UpdateStatus = "created"
	// StatusRunning holds the stack's lease, unless it is a dry run.
	StatusRunning   UpdateStatus = "running"
	StatusSucceeded UpdateStatus = "succeeded"
	StatusFailed    UpdateStatus = "failed"
	// StatusCancelled was ended by somebody else.
	StatusCancelled UpdateStatus = "cancelled"
	// StatusInterrupted was ended by the expiry of its lease: whoever ran it died.
	StatusInterrupted UpdateStatus = "interrupted"
)

// Final is true where nothing follows.
func (s UpdateStatus) Final() bool { return s != StatusCreated && s != StatusRunning }

// Update is one run of the engine over a stack, or a change of its state by
// other means.
type Update struct {
	// ID is "upd_" and a ULID.
	ID      string
	StackID string
	Kind    UpdateKind
	// DryRun changes nothing, holds no lease and is not in the history.
	DryRun bool
	Status UpdateStatus
	// Version is the number that the state gets, from the start on; 0 before it
	// and for dry runs.
	Version int64
	// BaseVersion is the state that the journal's indices count from.
	BaseVersion int64
	// Journaled says that steps come as journal entries, not as checkpoints.
	Journaled bool
	// Fence is the lease's, see Stack.Fence.
	Fence int64
	// TokenHashes are SHA-256 of the lease tokens that are good, newest first:
	// requests that are on their way when the token is renewed carry the old one.
	TokenHashes [][]byte
	// LeaseExpiresAt is when the lease ends if nobody renews it.
	LeaseExpiresAt time.Time
	// Principal is who started it.
	Principal string
	// Message and Environment are what the client says about it.
	Message     string
	Environment map[string]string
	// SealedConfig is the configuration that it ran with, as JSON, sealed;
	// secrets in it are ciphertext of the stack's besides.
	SealedConfig []byte
	// Changes counts resources by operation, "create": 3.
	Changes map[string]int
	// Resources is how many the state has that it left.
	Resources int64
	// Policies are the required packs; what they did is set as events tell.
	Policies []RequiredPack
	// Stepped says that a step of the program was begun, as the journal or an event
	// tells.
	Stepped bool
	// Touched says that the client was heard of since the start.
	Touched bool
	// Compliant is false for an update whose required packs did not all do their
	// part; see compliance.go.
	Compliant bool
	// PendingOperations is how many steps had begun and not ended when it was
	// closed: the stack needs a look before the next update.
	PendingOperations int
	// LeftOut is how many entries of its journal a salvage left out of the state;
	// the journal is then kept for as long as the stack is.
	LeftOut     int
	CreatedAt   time.Time
	StartedAt   time.Time
	CompletedAt time.Time
}

// Held is what a client's write needs of an update that it leaves as it is.
type Held struct {
	Status                     UpdateStatus
	DryRun, Journaled, Touched bool
	Stepped                    bool
	Policies                   []RequiredPack
	TokenHashes                [][]byte
	LeaseExpiresAt             time.Time
}

// RequiredPack is a policy pack that an update had to run.
type RequiredPack struct {
	Name string `json:"name"`
	// Version counts publications of the pack in its organization.
	Version int64 `json:"version"`
	// Tag is the pack's own version.
	Tag string `json:"tag"`
	// Evaluated says that an event shows that the pack looked at a resource.
	Evaluated bool `json:"evaluated"`
	// Reported says that an event shows that the pack looked at the whole stack.
	Reported bool `json:"reported"`
}

// JournalRow is a journal entry as it is kept.
type JournalRow struct {
	// Sequence is unique in its update; gaps are allowed.
	Sequence int64
	// Digest is the SHA-256 of the entry's JSON: a repeated entry has the same.
	Digest []byte
	// Sealed is the JSON, sealed with the stack's key.
	Sealed []byte
}

// Checkpoint is the newest state of an update that sends whole states.
type Checkpoint struct {
	UpdateID string
	// Sequence is the client's, 0 for clients that send none.
	Sequence int64
	// Sealed is an apitype.UntypedDeployment as JSON, compressed and sealed.
	Sealed []byte
}

// EventRow is an engine event as it is kept.
type EventRow struct {
	Sequence int64
	Sealed   []byte
}

// DataKey is a key of a stack's, wrapped by the operator's key.
type DataKey struct {
	StackID string
	// Version counts from 1; the newest seals, all of them open.
	Version int64
	// Wrapped is the key, and WrappedBy names the operator's key that opens it.
	Wrapped   []byte
	WrappedBy string
	CreatedAt time.Time
}

// Token is a credential of a person or of a machine.
type Token struct {
	// ID is "tok_" and a ULID; it is the part of the token that is no secret.
	ID string
	// Hash is the SHA-256 of the secret part.
	Hash []byte
	// Name says what it is for.
	Name string
	// Principal is whom it speaks for: "alice".
	Principal string
	// Human is the person behind it, whom four eyes are counted by; empty for
	// nobody. Where that is the principal itself, it is the person's own token.
	Human string
	// Groups are those that bindings give roles to.
	Groups []string
	// Grants are what it may do; without any it may do nothing.
	Grants    []Grant
	CreatedAt time.Time
	CreatedBy string
	// ExpiresAt is zero for a token that does not expire.
	ExpiresAt time.Time
	// RevokedAt is zero for a token that is good.
	RevokedAt time.Time
	// LastUsedAt is exact to a minute or so.
	LastUsedAt time.Time
}

// PolicyPack is one publication of a policy pack.
type PolicyPack struct {
	Org         string
	Name        string
	DisplayName string
	// Version counts the publications of the pack, from 1.
	Version int64
	// Tag is the pack's own version, unique and immutable.
	Tag string
	// Policies is the pack's own description of its policies, as it was sent.
	Policies json.RawMessage
	// Archive is the .tgz; empty until it was uploaded.
	Archive []byte
	// Complete says that the archive is there and can be read.
	Complete  bool
	CreatedAt time.Time
}

// PackRequirement makes an organization's updates run a pack.
type PackRequirement struct {
	Org  string
	Pack string
	// Tag is a version, or empty for the newest complete one.
	Tag string
	// Config is per policy: enforcement level and properties.
	Config json.RawMessage
}

// AuditEntry is one line of the record of who did what.
type AuditEntry struct {
	// Sequence counts from 1 without gaps.
	Sequence int64
	At       time.Time
	// Principal is who, Token with which credential.
	Principal, Token string
	// Action is "stack.create", "secrets.decrypt", "update.cancel"…
	Action string
	// Target is what it was done to: "acme/shop/prod".
	Target string
	// Denied says that it was tried and refused.
	Denied bool
	// Detail is a few facts more; never a secret.
	Detail map[string]string
	// Previous is the hash of the entry before, Hash is this one's.
	Previous, Hash []byte
}
