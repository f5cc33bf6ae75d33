package sql_test

import (
	"testing"

	"redoubt/automation/backend"
	"redoubt/automation/backend/storetest"
	"redoubt/internal/postgrestest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openFile)
	t.Run("every schema is brought up to date", func(t *testing.T) { testSchemas(sqliteKind)(t, nil) })
	t.Run("what the first release kept is there", func(t *testing.T) { testOldData(sqliteKind)(t, nil) })
	t.Run("what lists are filtered by is filled in", func(t *testing.T) { testOldLists(sqliteKind)(t, nil) })
	t.Run("the schema of a newer program is refused", func(t *testing.T) { testNewerSchema(sqliteKind)(t, nil) })
}

// TestPostgres runs on one server.
func TestPostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, "max_connections = 500", "log_statement = none", "deadlock_timeout = 50ms")
	storetest.Run(t, func(t testing.TB) backend.Store { return openDatabase(t, server) })
	for name, test := range map[string]func(*testing.T, *postgrestest.Server){
		"it is set to keep what it acknowledges":        testPostgresSettings,
		"locks of different stacks do not wait":         testDifferentLocks,
		"a deadlock is tried again":                     testDeadlock,
		"connections that died while idle are no error": testIdleConnections,
		"many processes migrate one database":           testManyMigrate,
		"every schema is brought up to date":            testSchemas(postgresKind),
		"what the first release kept is there":          testOldData(postgresKind),
		"what lists are filtered by is filled in":       testOldLists(postgresKind),
		"the schema of a newer program is refused":      testNewerSchema(postgresKind),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server)
		})
	}
}
