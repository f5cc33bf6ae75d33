package sql

import (
	"math"

	"redoubt/automation/backend"
)

var stateColumns = columns{"stack_id", "version", "sealed", "digest", "resources", "created_at"}

var (
	replaceState = stateColumns.replace("states", "stack_id", "version")
	selectState  = "SELECT " + stateColumns.list() + " FROM states WHERE stack_id = $1 AND version = $2"
)

// selectStateVersions leaves out the states themselves, which may be large.
const selectStateVersions = `SELECT stack_id, version, digest, resources, created_at FROM states
	WHERE stack_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3`

const pruneStates = `DELETE FROM states WHERE stack_id = $1 AND version < $2 AND version NOT IN (
	SELECT version FROM states WHERE stack_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3)`

func scanState(r row) (s backend.StateVersion, err error) {
	err = r.Scan(&s.StackID, &s.Version, bytesOf{&s.Sealed}, bytesOf{&s.Digest}, &s.Resources, moment{&s.CreatedAt})
	return s, err
}

// PutState implements backend.Tx.
func (t *tx) PutState(s backend.StateVersion) error {
	_, err := t.exec(replaceState, s.StackID, s.Version, blob(s.Sealed), blob(s.Digest), s.Resources, micros(s.CreatedAt))
	return err
}

// State implements backend.Tx.
func (t *tx) State(stackID string, version int64) (backend.StateVersion, error) {
	return one(t, scanState, selectState, stackID, version)
}

// StateVersions implements provision.Tx.
func (t *tx) StateVersions(stackID string, before int64, limit int) ([]backend.StateVersion, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return all(t, func(r row) (s backend.StateVersion, err error) {
		err = r.Scan(&s.StackID, &s.Version, bytesOf{&s.Digest}, &s.Resources, moment{&s.CreatedAt})
		return s, err
	}, selectStateVersions, stackID, before, atMost(limit))
}

// PruneStates implements backend.Tx.
func (t *tx) PruneStates(stackID string, before int64, keep int) (int64, error) {
	return t.exec(pruneStates, stackID, before, int64(max(keep, 0)))
}
