package sql

import (
	"errors"

	"redoubt/automation/backend"
)

var packColumns = columns{
	"org_key", "org", "name", "display_name", "version", "tag", "policies", "archive", "complete", "created_at",
}

var (
	insertPack = "INSERT INTO packs (" + packColumns.list() + ") VALUES (" + placeholders(1, len(packColumns)) + ")"
	savePack   = "UPDATE packs SET " + packColumns.set() + " WHERE org_key = $1 AND name = $3 AND tag = $6"
	selectPack = "SELECT " + packColumns.list() + " FROM packs WHERE org_key = $1"
	// listPacks is selectPack without the archives.
	listPacks = "SELECT org_key, org, name, display_name, version, tag, policies, NULL, complete, created_at FROM packs WHERE org_key = $1"
)

// numberPack counts publications in a table of their own: a number that was given
// once is not given again after its publication was deleted.
const numberPack = `INSERT INTO pack_numbers (org_key, name, last) VALUES ($1, $2, 1)
	ON CONFLICT (org_key, name) DO UPDATE SET last = pack_numbers.last + 1 RETURNING last`

func packArgs(p backend.PolicyPack) []any {
	return []any{
		fold(p.Org), p.Org, p.Name, p.DisplayName, p.Version, p.Tag, string(p.Policies), blob(p.Archive), p.Complete, micros(p.CreatedAt),
	}
}

func scanPack(r row) (p backend.PolicyPack, err error) {
	var key string
	err = r.Scan(&key, &p.Org, &p.Name, &p.DisplayName, &p.Version, &p.Tag, rawOf{&p.Policies}, bytesOf{&p.Archive}, &p.Complete, moment{&p.CreatedAt})
	return p, err
}

// CreatePack implements backend.Tx.
func (t *tx) CreatePack(p backend.PolicyPack) (backend.PolicyPack, error) {
	switch _, err := t.Pack(p.Org, p.Name, p.Tag); {
	case err == nil:
		return backend.PolicyPack{}, backend.ErrExists
	case !errors.Is(err, backend.ErrNotFound):
		return backend.PolicyPack{}, err
	}
	var err error
	if p.Version, err = one(t, value[int64], numberPack, fold(p.Org), p.Name); err != nil {
		return backend.PolicyPack{}, err
	}
	// Somebody who took the tag since then breaks the constraint, and the
	// transaction is tried again.
	if _, err := t.exec(insertPack, packArgs(p)...); err != nil {
		return backend.PolicyPack{}, err
	}
	return p, nil
}

// SavePack implements backend.Tx.
func (t *tx) SavePack(p backend.PolicyPack) error { return t.change(savePack, packArgs(p)...) }

// Pack implements backend.Tx.
func (t *tx) Pack(org, name, tag string) (backend.PolicyPack, error) {
	return one(t, scanPack, selectPack+" AND name = $2 AND tag = $3", fold(org), name, tag)
}

// PackByVersion implements backend.Tx.
func (t *tx) PackByVersion(org, name string, version int64) (backend.PolicyPack, error) {
	return one(t, scanPack, selectPack+" AND name = $2 AND version = $3", fold(org), name, version)
}

// LatestPack implements backend.Tx.
func (t *tx) LatestPack(org, name string) (backend.PolicyPack, error) {
	return one(t, scanPack, selectPack+" AND name = $2 AND complete ORDER BY version DESC LIMIT 1", fold(org), name)
}

// Packs implements backend.Tx.
func (t *tx) Packs(org string) ([]backend.PolicyPack, error) {
	return all(t, scanPack, listPacks+" ORDER BY name, version", fold(org))
}

// DeletePack implements backend.Tx.
func (t *tx) DeletePack(org, name, tag string) error {
	if tag == "" {
		return t.change("DELETE FROM packs WHERE org_key = $1 AND name = $2", fold(org), name)
	}
	return t.change("DELETE FROM packs WHERE org_key = $1 AND name = $2 AND tag = $3", fold(org), name, tag)
}
