package sql

import (
	"time"

	"redoubt/automation/backend"
)

var updateColumns = columns{
	"id", "stack_id", "kind", "dry_run", "status", "version", "base_version", "journaled", "fence",
	"token_hashes", "lease_expires_at", "principal", "message", "environment", "sealed_config", "changes",
	"resources", "policies", "stepped", "touched", "compliant", "pending_operations", "left_out", "created_at", "started_at", "completed_at",
}

// The conditions are those of the partial indexes, word for word.
var (
	insertUpdate    = updateColumns.insert("updates")
	saveUpdate      = "UPDATE updates SET " + updateColumns.set() + " WHERE id = $1"
	selectUpdates   = "SELECT " + updateColumns.list() + " FROM updates"
	updateByVersion = selectUpdates + " WHERE stack_id = $1 AND version = $2 AND started_at > 0 AND NOT dry_run ORDER BY id DESC LIMIT 1"
	selectHistory   = selectUpdates + " WHERE stack_id = $1 AND started_at > 0 AND NOT dry_run ORDER BY version DESC, id DESC LIMIT $2 OFFSET $3"
	// historyAfter is a page that begins after an update, wherever new ones have pushed it.
	historyAfter = selectUpdates + ` WHERE stack_id = $1 AND started_at > 0 AND NOT dry_run
		AND (version < $2 OR version = $2 AND id < $3) ORDER BY version DESC, id DESC LIMIT $4`
	selectPreviews = selectUpdates + " WHERE stack_id = $1 AND dry_run ORDER BY created_at DESC, id DESC LIMIT $2"
)

const (
	selectExpired = `SELECT id FROM updates WHERE status = 'running' AND lease_expires_at > 0 AND lease_expires_at < $1
		ORDER BY lease_expires_at, id LIMIT $2`
	countRunning = "SELECT count(*) FROM updates WHERE status = 'running' AND NOT dry_run"
	leftNothing  = `(started_at = 0 AND created_at < $1)
		OR (dry_run AND completed_at > 0 AND completed_at < $1)`
)

func updateArgs(u backend.Update) []any {
	return []any{
		u.ID, u.StackID, string(u.Kind), u.DryRun, string(u.Status), u.Version, u.BaseVersion, u.Journaled, u.Fence,
		asJSON(u.TokenHashes), micros(u.LeaseExpiresAt), u.Principal, u.Message, asJSON(u.Environment), blob(u.SealedConfig), asJSON(u.Changes),
		u.Resources, asJSON(u.Policies), u.Stepped, u.Touched, u.Compliant, int64(u.PendingOperations), int64(u.LeftOut), micros(u.CreatedAt), micros(u.StartedAt), micros(u.CompletedAt),
	}
}

func scanUpdate(r row) (u backend.Update, err error) {
	err = r.Scan(&u.ID, &u.StackID, &u.Kind, &u.DryRun, &u.Status, &u.Version, &u.BaseVersion, &u.Journaled, &u.Fence,
		jsonOf{&u.TokenHashes}, moment{&u.LeaseExpiresAt}, &u.Principal, &u.Message, jsonOf{&u.Environment}, bytesOf{&u.SealedConfig}, jsonOf{&u.Changes},
		&u.Resources, jsonOf{&u.Policies}, &u.Stepped, &u.Touched, &u.Compliant, &u.PendingOperations, &u.LeftOut, moment{&u.CreatedAt}, moment{&u.StartedAt}, moment{&u.CompletedAt})
	return u, err
}

// CreateUpdate implements backend.Tx.
func (t *tx) CreateUpdate(u backend.Update) error { return t.insert(insertUpdate, updateArgs(u)...) }

// Update implements backend.Tx.
func (t *tx) Update(id string) (backend.Update, error) {
	return one(t, scanUpdate, selectUpdates+" WHERE id = $1", id)
}

// LockUpdate implements backend.Tx.
func (t *tx) LockUpdate(id string) (backend.Update, error) {
	t.at = time.Time{}
	return one(t, scanUpdate, selectUpdates+" WHERE id = $1"+t.in.forUpdate, id)
}

// HoldUpdate implements backend.Tx. It is asked for every batch of a journal: so
// it reads few columns, and the time in the same statement.
func (t *tx) HoldUpdate(id string) (backend.Held, error) {
	t.at = time.Time{}
	query := "SELECT status, dry_run, journaled, touched, stepped, policies, token_hashes, lease_expires_at, " + t.in.nowColumn + " FROM updates WHERE id = $1" + t.in.forShare
	return one(t, func(r row) (h backend.Held, err error) {
		err = r.Scan(&h.Status, &h.DryRun, &h.Journaled, &h.Touched, &h.Stepped, jsonOf{&h.Policies}, jsonOf{&h.TokenHashes}, moment{&h.LeaseExpiresAt}, moment{&t.at})
		return h, err
	}, query, id)
}

// SaveUpdate implements backend.Tx.
func (t *tx) SaveUpdate(u backend.Update) error { return t.change(saveUpdate, updateArgs(u)...) }

// UpdateByVersion implements backend.Tx.
func (t *tx) UpdateByVersion(stackID string, version int64) (backend.Update, error) {
	return one(t, scanUpdate, updateByVersion, stackID, version)
}

// History implements backend.Tx.
func (t *tx) History(stackID string, page, size int) ([]backend.Update, error) {
	skip := int64(0)
	if size > 0 && page > 1 {
		skip = int64(page-1) * int64(size)
	}
	return all(t, scanUpdate, selectHistory, stackID, atMost(size), skip)
}

// HistoryAfter implements provision.Tx.
func (t *tx) HistoryAfter(stackID, after string, limit int) ([]backend.Update, error) {
	if after == "" {
		return t.History(stackID, 1, limit)
	}
	last, err := t.Update(after)
	if err != nil {
		return nil, err
	}
	return all(t, scanUpdate, historyAfter, stackID, last.Version, last.ID, atMost(limit))
}

// LatestPreviews implements backend.Tx.
func (t *tx) LatestPreviews(stackID string, limit int) ([]backend.Update, error) {
	return all(t, scanUpdate, selectPreviews, stackID, atMost(limit))
}

// Expired implements backend.Tx.
func (t *tx) Expired(before time.Time, limit int) ([]string, error) {
	return all(t, value[string], selectExpired, micros(before), atMost(limit))
}

// Running implements backend.Tx.
func (t *tx) Running() (int64, error) { return one(t, value[int64], countRunning) }

// PruneUpdates implements backend.Tx.
func (t *tx) PruneUpdates(before time.Time, limit int) (int64, error) {
	return t.prune("updates", "id", leftNothing, before, limit)
}
