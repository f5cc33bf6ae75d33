package sql

import "redoubt/automation/backend"

var keyColumns = columns{"stack_id", "version", "wrapped", "wrapped_by", "created_at"}

var (
	insertKey  = keyColumns.insert("data_keys")
	selectKeys = "SELECT " + keyColumns.list() + " FROM data_keys"
)

func scanKey(r row) (k backend.DataKey, err error) {
	err = r.Scan(&k.StackID, &k.Version, bytesOf{&k.Wrapped}, &k.WrappedBy, moment{&k.CreatedAt})
	return k, err
}

// PutDataKey implements backend.Tx. A key is never written over: what it sealed
// could not be opened any more.
func (t *tx) PutDataKey(k backend.DataKey) error {
	return t.insert(insertKey, k.StackID, k.Version, blob(k.Wrapped), k.WrappedBy, micros(k.CreatedAt))
}

// DataKeys implements backend.Tx.
func (t *tx) DataKeys(stackID string) ([]backend.DataKey, error) {
	return all(t, scanKey, selectKeys+" WHERE stack_id = $1 ORDER BY version", stackID)
}

// DataKeysNotWrappedBy implements backend.Tx.
func (t *tx) DataKeysNotWrappedBy(key string, limit int) ([]backend.DataKey, error) {
	return all(t, scanKey, selectKeys+" WHERE wrapped_by <> $1 ORDER BY stack_id, version LIMIT $2", key, atMost(limit))
}

// RewrapDataKey implements backend.Tx.
func (t *tx) RewrapDataKey(k backend.DataKey) error {
	return t.change("UPDATE data_keys SET wrapped = $3, wrapped_by = $4 WHERE stack_id = $1 AND version = $2",
		k.StackID, k.Version, blob(k.Wrapped), k.WrappedBy)
}
