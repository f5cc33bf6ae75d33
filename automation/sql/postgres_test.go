package sql_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// twoStacks makes stacks "a" and "b".
func twoStacks(t *testing.T, store backend.Store) {
	t.Helper()
	require.NoError(t, store.Update(context.Background(), func(tx backend.Tx) error {
		return errors.Join(
			tx.CreateStack(backend.Stack{ID: "a", Name: backend.StackName{Org: "acme", Project: "shop", Stack: "a"}}),
			tx.CreateStack(backend.Stack{ID: "b", Name: backend.StackName{Org: "acme", Project: "shop", Stack: "b"}}),
		)
	}))
}

func testPostgresSettings(t *testing.T, server *postgrestest.Server) {
	address := server.Database(t)
	store := open(t, address+"&synchronous_commit=off&application_name=mine")
	require.NoError(t, store.Update(context.Background(), func(tx backend.Tx) error {
		for setting, want := range map[string]string{
			"synchronous_commit": "on", "transaction_isolation": "read committed", "application_name": "mine",
			"idle_in_transaction_session_timeout": "1min", "tcp_keepalives_idle": "15",
		} {
			got, err := sql.Ask(tx, "SHOW "+setting)
			require.NoError(t, err)
			require.Equal(t, want, got, setting)
		}
		return nil
	}))
	require.NoError(t, store.View(context.Background(), func(tx backend.Tx) error {
		got, err := sql.Ask(tx, "SHOW transaction_isolation")
		require.Equal(t, "repeatable read", got)
		return err
	}))
}

func testDifferentLocks(t *testing.T, server *postgrestest.Server) {
	store := openDatabase(t, server)
	twoStacks(t, store)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, store.Update(ctx, func(tx backend.Tx) error {
		if _, err := tx.LockStack("a"); err != nil {
			return err
		}
		return store.Update(ctx, func(tx backend.Tx) error {
			_, err := tx.LockStack("b")
			// And who refers to a locked stack does not wait either.
			return errors.Join(err, tx.CreateUpdate(backend.Update{ID: "upd", StackID: "a"}))
		})
	}))
}

func testDeadlock(t *testing.T, server *postgrestest.Server) {
	store := openDatabase(t, server)
	twoStacks(t, store)
	var calls, all sync.WaitGroup
	calls.Add(2)
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		first := true
		all.Go(func() {
			err := store.Update(context.Background(), func(tx backend.Tx) error {
				_, one := tx.LockStack(order[0])
				if first {
					first = false
					calls.Done()
					calls.Wait() // until each has its first lock
				}
				s, two := tx.LockStack(order[1])
				s.Fence++
				return errors.Join(one, two, tx.SaveStack(s))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.NoError(t, store.View(context.Background(), func(tx backend.Tx) error {
		stacks, err := tx.Stacks(backend.StackQuery{})
		for _, s := range stacks {
			require.Equal(t, int64(1), s.Fence)
		}
		return err
	}))
}

func TestARestartOfPostgres(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := postgrestest.Start(t)
	store := openDatabase(t, server)
	prepare(t, store)
	require.NoError(t, appendRow(store, 1, 100))
	refused := func(err error) {
		t.Helper()
		require.Equal(t, backend.CodeUnavailable, backend.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, "does not answer")
		require.NotContains(t, err.Error(), server.Password)
	}
	refused(store.Update(ctx, func(tx backend.Tx) error {
		if err := tx.AppendJournal("upd", []backend.JournalRow{{Sequence: 2}}); err != nil {
			return err
		}
		server.Stop(t)
		_ = tx.AppendJournal("upd", []backend.JournalRow{{Sequence: 3}})
		return nil // though it failed
	}))
	refused(appendRow(store, 4, 100))
	refused(store.View(ctx, func(backend.Tx) error { return nil }))
	refused(store.Ping(ctx))
	server.StartAgain(t)
	require.NoError(t, appendRow(store, 5, 100), "without opening it again")
	require.Equal(t, map[int64]bool{1: true, 5: true}, sequences(t, store))
}

func testIdleConnections(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	store := open(t, server.Database(t)+"&application_name=victim")
	prepare(t, store)
	admin, err := pgx.Connect(ctx, server.URL(t, "postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close(ctx)) }()
	for sequence := range int64(5) {
		_, err := admin.Exec(ctx, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'victim'")
		require.NoError(t, err)
		require.NoError(t, appendRow(store, sequence, 10))
	}
}
