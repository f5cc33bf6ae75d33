package sql_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/sql"
)

// prepare makes a stack and an update "upd" of it.
func prepare(t testing.TB, store backend.Store) {
	t.Helper()
	require.NoError(t, store.Update(context.Background(), func(tx backend.Tx) error {
		return errors.Join(
			tx.CreateStack(backend.Stack{ID: "stk", Name: backend.StackName{Org: "acme", Project: "shop", Stack: "dev"}}),
			tx.CreateUpdate(backend.Update{ID: "upd", StackID: "stk"}),
		)
	}))
}

// appendRow appends one row of a size that does not compress.
func appendRow(store backend.Store, sequence int64, size int) error {
	sealed := make([]byte, size)
	_, _ = rand.Read(sealed) // it does not fail
	return store.Update(context.Background(), func(tx backend.Tx) error {
		return tx.AppendJournal("upd", []backend.JournalRow{{Sequence: sequence, Sealed: sealed}})
	})
}

func sequences(t testing.TB, store backend.Store) map[int64]bool {
	t.Helper()
	found := map[int64]bool{}
	require.NoError(t, store.View(context.Background(), func(tx backend.Tx) error {
		return tx.Journal("upd", func(r backend.JournalRow) error {
			found[r.Sequence] = true
			return nil
		})
	}))
	return found
}

func TestAFolderIsForOneProcessAndItsFilesForOneUser(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a", "b?c#d%20 e")
	store, err := sql.Open(context.Background(), folder)
	require.NoError(t, err)
	prepare(t, store)
	_, err = sql.Open(context.Background(), folder)
	require.Equal(t, backend.CodeConflict, backend.CodeOf(err))
	require.ErrorContains(t, err, "in use by another process")
	require.ErrorContains(t, err, folder)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 4, "the database, -wal, -shm and the lock")
	for _, file := range files {
		about, err := file.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), about.Mode(), file.Name())
	}
	require.NoError(t, store.Close())
	require.NoError(t, store.Close(), "twice does no harm")
	for _, err := range []error{store.Ping(context.Background()), appendRow(store, 1, 1)} {
		require.Equal(t, backend.CodeUnavailable, backend.CodeOf(err))
		require.ErrorContains(t, err, "is closed")
	}
	again := open(t, (&url.URL{Scheme: "sqlite", Path: filepath.Join(folder, "redoubt.db")}).String())
	require.NoError(t, appendRow(again, 1, 1))
}

func TestAFileThatIsNoDatabase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "redoubt.db"), []byte("this is a letter to my grandmother, and not a database at all"), 0o644))
	_, err := sql.Open(context.Background(), folder)
	require.Equal(t, backend.CodeUnavailable, backend.CodeOf(err))
	require.ErrorContains(t, err, "restore the newest backup")
	_, err = sql.Open(context.Background(), filepath.Join(folder, "redoubt.db"))
	require.ErrorContains(t, err, "is a file, not a folder")
	_, err = sql.Open(context.Background(), filepath.Join(folder, "redoubt.db", "x"))
	require.ErrorContains(t, err, "choose another one")
}

func TestSQLiteIsSetToKeepWhatItAcknowledges(t *testing.T) {
	t.Parallel()
	store := openFile(t)
	check := func(tx backend.Tx) error {
		for pragma, want := range map[string]any{"synchronous": int64(2), "journal_mode": "wal", "foreign_keys": int64(1), "busy_timeout": int64(5000)} {
			got, err := sql.Ask(tx, "PRAGMA "+pragma)
			if err != nil || got != want {
				return fmt.Errorf("%s is %v: %w", pragma, got, err)
			}
		}
		return nil
	}
	require.NoError(t, store.Update(context.Background(), check))
	require.NoError(t, store.View(context.Background(), check))
}

func TestManyChangesAreCommittedTogether(t *testing.T) {
	t.Parallel()
	const crowd = 50
	store := openFile(t)
	prepare(t, store)
	var arrived, all sync.WaitGroup
	arrived.Add(crowd)
	before := sql.Groups(store)
	require.NoError(t, store.Update(context.Background(), func(backend.Tx) error {
		for i := range crowd {
			all.Go(func() {
				arrived.Done()
				if err := appendRow(store, int64(i), 100); err != nil {
					t.Error(err)
				}
			})
		}
		arrived.Wait()
		return nil
	}))
	all.Wait()
	require.Len(t, sequences(t, store), crowd)
	require.Less(t, sql.Groups(store)-before, int64(crowd/2), "transactions")
}

func TestWhoLeavesTheQueueIsAnsweredAtOnceAndNotRun(t *testing.T) {
	t.Parallel()
	store := openFile(t)
	require.NoError(t, store.Update(context.Background(), func(backend.Tx) error {
		ctx, cancel := context.WithCancel(context.Background())
		answered := make(chan error)
		go func() {
			answered <- store.Update(ctx, func(backend.Tx) error {
				t.Error("it ran")
				return nil
			})
		}()
		cancel()
		require.ErrorIs(t, <-answered, context.Canceled, "while the writer is busy")
		return nil
	}))
}

func TestAFullDiskKeepsWhatWasAcknowledgedAndNothingElse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store := openFile(t)
	prepare(t, store)
	limit := func(pages int) {
		require.NoError(t, store.Update(ctx, func(tx backend.Tx) error {
			_, err := sql.Ask(tx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			return err
		}))
	}
	limit(1000)
	var acknowledged sync.Map
	var refused atomic.Int64
	var all sync.WaitGroup
	for i := range int64(20) {
		all.Go(func() {
			for j := range int64(10) {
				sequence := i*10 + j
				switch err := appendRow(store, sequence, 50_000); {
				case err == nil:
					acknowledged.Store(sequence, true)
				case backend.CodeOf(err) == backend.CodeUnavailable:
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.NotZero(t, refused.Load())
	want := map[int64]bool{}
	acknowledged.Range(func(sequence, _ any) bool {
		want[sequence.(int64)] = true
		return true
	})
	require.NotEmpty(t, want)
	require.Equal(t, want, sequences(t, store))
	require.ErrorContains(t, appendRow(store, 1000, 5_000_000), "the disk is full; nothing was changed: free some space")
	limit(100_000)
	require.NoError(t, appendRow(store, 1000, 5_000_000), "there is space again")
}

func TestTheClockDoesNotFollowTheWall(t *testing.T) {
	t.Parallel()
	wall := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	require.WithinDuration(t, wall, sql.ClockAt(wall), time.Minute)
}
