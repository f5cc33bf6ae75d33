package provision

import "time"

// Figures are what operators watch, over all nodes: what the database says, and not
// what one process has seen.
type Figures struct {
	// Open are the operations that have not ended.
	Open []OpenOperations
	// Drifted counts the stacks that drifted, by "organization/project".
	Drifted map[string]int
	// DriftChecked is when a check for drift last ended; zero for never.
	DriftChecked time.Time
	// Overdue counts the stacks whose life has ended, and that are still there.
	Overdue int
	// Due counts the deliveries to webhooks whose time has come.
	Due int
	// Bytes is how large the database is, and Database which one it is: "sqlite" or
	// "postgresql".
	Bytes    int64
	Database string
}

// OpenOperations are those of a kind in a state.
type OpenOperations struct {
	State State
	Kind  OperationKind
	Count int
	// Oldest is since when the first of them is in the state.
	Oldest time.Time
}
