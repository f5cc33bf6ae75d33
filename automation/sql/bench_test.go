package sql_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// BenchmarkAppendJournal appends batches of journal rows as the service does, each in
// a transaction that locks the update first and is durable when it ends. An
// operation is one batch; writers write to updates of their own.
func BenchmarkAppendJournal(b *testing.B) {
	server := postgrestest.Start(b, "fsync = on", "log_statement = none", "max_connections = 200")
	for _, database := range []struct{ name, address string }{
		{"sqlite", filepath.Join(b.TempDir(), "data")},
		{"postgres", server.Database(b)},
	} {
		store := open(b, database.address, sql.WithConnections(32))
		stack := backend.Stack{ID: "stk", Name: backend.StackName{Org: "acme", Project: "shop", Stack: "dev"}}
		require.NoError(b, store.Update(context.Background(), func(tx backend.Tx) error { return tx.CreateStack(stack) }))
		var run atomic.Int64
		for _, rows := range []int{1, 100} {
			for _, writers := range []int{1, 50} {
				b.Run(fmt.Sprintf("%s/rows=%d/writers=%d", database.name, rows, writers), func(b *testing.B) {
					appendBatches(b, store, fmt.Sprintf("upd_%d", run.Add(1)), rows, writers)
				})
			}
		}
	}
}

// entrySize is about what the journal entry of a small resource has, sealed.
const entrySize = 2000

func appendBatches(b *testing.B, store backend.Store, prefix string, rows, writers int) {
	ctx := context.Background()
	for w := range writers {
		id := fmt.Sprintf("%s_%d", prefix, w)
		require.NoError(b, store.Update(ctx, func(tx backend.Tx) error {
			return tx.CreateUpdate(backend.Update{ID: id, StackID: "stk", Status: backend.StatusRunning})
		}))
	}
	sealed := make([]byte, entrySize)
	_, _ = rand.Read(sealed) // it does not fail
	var next atomic.Int64
	took := make([][]time.Duration, writers)
	var all sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		all.Go(func() {
			id := fmt.Sprintf("%s_%d", prefix, w)
			batch := make([]backend.JournalRow, rows)
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				for i := range batch {
					batch[i] = backend.JournalRow{Sequence: n*int64(rows) + int64(i), Digest: sealed[:32], Sealed: sealed}
				}
				began := time.Now()
				if err := store.Update(ctx, func(tx backend.Tx) error {
					if _, err := tx.LockUpdate(id); err != nil {
						return err
					}
					tx.Now()
					return tx.AppendJournal(id, batch)
				}); err != nil {
					b.Error(err)
					return
				}
				took[w] = append(took[w], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	durations := slices.Concat(took...)
	slices.Sort(durations)
	b.ReportMetric(float64(durations[len(durations)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
}
