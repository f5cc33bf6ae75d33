package sql_test

import (
	"context"
	databasesql "database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// kind is one of the databases: how a test makes an empty one, and what tells
// its schema, and the type of bytes.
type kind struct {
	name, driver, schema, bytes string
	empty                       func(*testing.T, *postgrestest.Server) (address, source string)
}

var sqliteKind = kind{
	name: "sqlite", driver: "sqlite", bytes: "BLOB",
	empty: func(t *testing.T, _ *postgrestest.Server) (address, source string) {
		path := filepath.Join(t.TempDir(), "redoubt.db")
		return "sqlite://" + path, sql.SQLiteSource(path)
	},
	schema: "SELECT coalesce(group_concat(name || ' ' || coalesce(sql, ''), char(10)), '') FROM (SELECT * FROM sqlite_schema ORDER BY name)",
}

var postgresKind = kind{
	name: "postgres", driver: "pgx", bytes: "BYTEA",
	empty: func(t *testing.T, server *postgrestest.Server) (address, source string) {
		address = server.Database(t)
		return address, address
	},
	schema: `SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, collation_name, is_nullable) FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace) AS lines (line)`,
}

func (k kind) db(t *testing.T, source string) *databasesql.DB {
	t.Helper()
	db, err := databasesql.Open(k.driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func testSchemas(k kind) func(*testing.T, *postgrestest.Server) {
	return func(t *testing.T, server *postgrestest.Server) {
		ctx := context.Background()
		address, source := k.empty(t, server)
		open(t, address)
		want := ask(t, k.db(t, source), k.schema)
		require.Contains(t, want, "journal")
		provider, err := sql.Schemas(k.db(t, source), k.name)
		require.NoError(t, err)
		for _, released := range provider.ListSources() {
			address, source := k.empty(t, server)
			old, err := sql.Schemas(k.db(t, source), k.name)
			require.NoError(t, err)
			_, err = old.UpTo(ctx, released.Version)
			require.NoError(t, err)
			store := open(t, address)
			require.Equal(t, want, ask(t, k.db(t, source), k.schema), "from version %d", released.Version)
			require.NoError(t, store.Update(ctx, func(tx backend.Tx) error { return tx.PutSetting("id", nil) }))
		}
	}
}

// testOldData brings a database of the first release up to date: what it has is
// there, and can be ordered.
func testOldData(k kind) func(*testing.T, *postgrestest.Server) {
	return func(t *testing.T, server *postgrestest.Server) {
		ctx := context.Background()
		address, source := k.empty(t, server)
		db := k.db(t, source)
		old, err := sql.Schemas(db, k.name)
		require.NoError(t, err)
		_, err = old.UpTo(ctx, 1)
		require.NoError(t, err)
		_, err = db.Exec(`INSERT INTO stacks (id, org, project, name, org_key, project_key, name_key, tags, protected, version,
				resources, pending_creates, active_update, fence, created_at, updated_at)
			VALUES ('stk', 'Acme', 'Shop', 'Dev', 'acme', 'shop', 'dev', '{"a":"b"}', true, 7, 9, 0, '', 3, 1, 2)`)
		require.NoError(t, err)
		_, err = db.Exec("INSERT INTO updates SELECT 'upd', id, 'update', false, 'succeeded', 7, 6, true, 3, '[]', 0, 'alice', '', '{}', sealed, '{}', 9, '[]', true, true, 0, 1, 2, 3 FROM stacks, (SELECT CAST('x' AS " + k.bytes + ") AS sealed) AS s")
		require.NoError(t, err)

		store := open(t, address)
		s, ok := sql.Provisioning(store)
		require.True(t, ok)
		require.NoError(t, s.Update(ctx, func(tx provision.Tx) error {
			stack, err := tx.StackByID("stk")
			require.NoError(t, err)
			require.Equal(t, backend.StackName{Org: "Acme", Project: "Shop", Stack: "Dev"}, stack.Name)
			require.Equal(t, map[string]string{"a": "b"}, stack.Tags)
			require.Equal(t, int64(7), stack.Version)
			history, err := tx.History("stk", 1, 10)
			require.NoError(t, err)
			require.Len(t, history, 1)
			require.NoError(t, tx.CreateProject(provision.Project{ID: "prj", Org: "acme", Name: "shop"}))
			require.NoError(t, tx.CreateEnvironment(provision.Environment{ID: "stk", ProjectID: "prj"}))
			require.NoError(t, tx.CreateOperation(provision.Operation{ID: "op", StackID: "stk", ProjectID: "prj", State: provision.Queued}))
			e, err := tx.EnvironmentByName(stack.Name)
			require.NoError(t, err)
			require.Equal(t, stack.Name, e.Name)
			require.NoError(t, tx.DeleteStack("stk"), "what was ordered does not hold it")
			return nil
		}))
	}
}

func testNewerSchema(k kind) func(*testing.T, *postgrestest.Server) {
	return func(t *testing.T, server *postgrestest.Server) {
		address, source := k.empty(t, server)
		store, err := sql.Open(context.Background(), address)
		require.NoError(t, err)
		require.NoError(t, store.Close())
		_, err = k.db(t, source).Exec("INSERT INTO redoubt_schema (version_id, is_applied) VALUES (9999, true)")
		require.NoError(t, err)
		_, err = sql.Open(context.Background(), address)
		require.Equal(t, backend.CodeConflict, backend.CodeOf(err))
		require.ErrorContains(t, err, "a newer redoubt used it")
	}
}

func testManyMigrate(t *testing.T, server *postgrestest.Server) {
	address := server.Database(t)
	stores, errs := make([]backend.Store, 8), make([]error, 8)
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() { stores[i], errs[i] = sql.Open(context.Background(), address, sql.WithConnections(1)) })
	}
	all.Wait()
	for i, store := range stores {
		require.NoError(t, errs[i])
		require.NoError(t, store.Close())
	}
}

// testOldLists brings a database up to date whose rows have no columns yet for what
// lists are filtered by: they are found.
func testOldLists(k kind) func(*testing.T, *postgrestest.Server) {
	return func(t *testing.T, server *postgrestest.Server) {
		ctx := context.Background()
		address, source := k.empty(t, server)
		db := k.db(t, source)
		old, err := sql.Schemas(db, k.name)
		require.NoError(t, err)
		_, err = old.UpTo(ctx, 5)
		require.NoError(t, err)
		for _, statement := range []string{
			`INSERT INTO projects (id, org, name, org_key, name_key, version, doc) VALUES ('prj', 'acme', 'shop', 'acme', 'shop', 1, '{}')`,
			`INSERT INTO environments (id, project_id, org, project, name, org_key, project_key, name_key, blueprint, drift_status, due_at, created_at, deleted_at, version, labels, inputs, doc)
				VALUES ('stk', 'prj', 'acme', 'shop', 'dev', 'acme', 'shop', 'dev', '', '', 0, 1, 0, 1, '{}', '', '{"expires_at":"2026-03-01T12:30:00.5Z"}'),
				('stk_for_ever', 'prj', 'acme', 'shop', 'prod', 'acme', 'shop', 'prod', '', '', 0, 1, 0, 1, '{}', '', '{}')`,
			`INSERT INTO operations (id, stack_id, project_id, kind, state, priority, version, created_at, updated_at, started_at, deadline_at, ended_at, inputs, doc)
				VALUES ('op', 'stk', 'prj', 'up', 'queued', 0, 1, 1, 1, 0, 0, 0, '', '{"requested_by":{"type":"user","id":"alice"}}'),
				('op_of_nobody', 'stk', 'prj', 'up', 'queued', 0, 1, 1, 1, 0, 0, 0, '', '{}')`,
		} {
			_, err = db.Exec(statement)
			require.NoError(t, err)
		}
		s, ok := sql.Provisioning(open(t, address))
		require.True(t, ok)
		require.NoError(t, s.View(ctx, func(tx provision.Tx) error {
			for _, c := range []struct {
				before time.Time
				want   int
			}{{time.Date(2026, 3, 1, 12, 30, 2, 0, time.UTC), 1}, {time.Date(2026, 3, 1, 12, 29, 59, 0, time.UTC), 0}} {
				found, err := tx.Environments(provision.EnvironmentQuery{ExpiresBefore: c.before})
				require.NoError(t, err)
				require.Len(t, found, c.want)
			}
			ordered, err := tx.Operations(provision.OperationQuery{RequestedBy: "user:alice"})
			require.NoError(t, err)
			require.Len(t, ordered, 1)
			require.Equal(t, "op", ordered[0].ID)
			return nil
		}))
	}
}

// ask is the answer to a query of one value.
func ask(t *testing.T, db *databasesql.DB, query string) string {
	t.Helper()
	var answer string
	require.NoError(t, db.QueryRow(query).Scan(&answer))
	return answer
}
