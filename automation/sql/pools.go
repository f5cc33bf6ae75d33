package sql

import "database/sql"

// Pools are the connections to the database, by what they are for. It is no
// part of backend.Store: whoever wants it asks the Store whether it has it.
func (s *sqliteStore) Pools() map[string]sql.DBStats {
	return map[string]sql.DBStats{"write": s.writes.Stats(), "read": s.readers.Stats()}
}

// Pools is the same for PostgreSQL, where one pool does all.
func (s *postgresStore) Pools() map[string]sql.DBStats {
	return map[string]sql.DBStats{"all": s.db.Stats()}
}

// Busy counts what failed, or was tried again, because somebody else had the database
// or the rows.
func (s *sqliteStore) Busy() int64 { return s.in.busy.Load() }

// Busy is the same for PostgreSQL.
func (s *postgresStore) Busy() int64 { return s.in.busy.Load() }
