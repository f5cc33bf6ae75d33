package sql

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"redoubt/automation/backend"
)

const (
	// attempts is how often a change is tried that loses against another one.
	attempts = 5
	// pause before the second attempt; longer before each one after it.
	pause = 5 * time.Millisecond

	connectTimeout = 10 * time.Second
	// Locks of PostgreSQL's that have a number and no row. The numbers mean
	// nothing: they must not be another program's in the same database.
	auditLock     = 7_305_042_811_001
	migrationLock = 7_305_042_811_002
)

// sessionDefaults are for URLs that say nothing else. A process whose machine is
// gone in the middle of a transaction holds locks until the server notices, which
// by default takes it two hours.
var sessionDefaults = map[string]string{
	"application_name":                    "redoubt",
	"tcp_keepalives_idle":                 "15",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
	"idle_in_transaction_session_timeout": "60000", // ms
}

// postgresStore is a Store in PostgreSQL, which other processes may use too.
type postgresStore struct {
	db   *sql.DB
	idle int
	in   *dialect
}

var _ backend.Store = (*postgresStore)(nil)

// openPostgres opens the database of a URL.
func openPostgres(ctx context.Context, url string, o options) (backend.Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// Without the cause: it quotes the URL, and with it perhaps the password.
		return nil, invalid(nil, "the database URL cannot be read: it must look like postgres://user:password@host:5432/database?sslmode=verify-full, "+
			"with each character of the password that is no letter or digit written as %% and its code (/ is %%2F, @ is %%40)")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range sessionDefaults {
		if _, said := config.RuntimeParams[name]; !said {
			config.RuntimeParams[name] = value
		}
	}
	// What is acknowledged is on the server's disk, whatever anybody's default is.
	config.RuntimeParams["synchronous_commit"] = "on"
	where := fmt.Sprintf("the database %s of PostgreSQL at %s:%d", config.Database, config.Host, config.Port)
	s := &postgresStore{db: stdlib.OpenDB(*config), idle: o.connections, in: postgresDialect(where)}
	s.db.SetMaxOpenConns(o.connections)
	s.db.SetMaxIdleConns(o.connections)
	if err := migratePostgres(ctx, s.db); err != nil {
		_ = s.db.Close() // the first error is the one to tell
		return nil, opening(s.in, err)
	}
	return s, nil
}

const clockTimestamp = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"

func postgresDialect(where string) *dialect {
	d := &dialect{
		where: where,
		kind:  "postgresql",
		size:  "SELECT pg_database_size(current_database())",
		docMicros: func(field string) string {
			return "extract(epoch FROM (doc::json ->> '" + field + "')::timestamptz) * 1000000"
		},
		// Not FOR UPDATE, which would also keep others from adding rows that refer
		// to this one: events of an update while somebody renews its lease.
		forUpdate: " FOR NO KEY UPDATE",
		forShare:  " FOR SHARE",
		textRows: func(column string) string {
			return "json_each_text(CASE " + column + " WHEN 'null' THEN '{}' ELSE " + column + " END::json)"
		},
		forReference: " FOR KEY SHARE",
		lockAudit:    fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", int64(auditLock)),
		// Not now(), which is when the transaction began: before it waited for a lock.
		nowColumn: clockTimestamp,
		now: func(t *tx) (time.Time, error) {
			at, err := one(t, value[int64], "SELECT "+clockTimestamp)
			return time.UnixMicro(at).UTC(), err
		},
		raced: raced,
	}
	d.classify = d.counted(busyPostgres, classifyPostgres)
	return d
}

// View implements backend.Store.
func (s *postgresStore) View(ctx context.Context, read func(backend.Tx) error) error {
	began, err := s.begin(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	return view(ctx, began, s.in, read)
}

// Update implements backend.Store.
func (s *postgresStore) Update(ctx context.Context, write func(backend.Tx) error) error {
	for attempt := 1; ; attempt++ {
		again, err := s.try(ctx, write)
		if !again || attempt == attempts {
			return err
		}
		wait := time.Duration(attempt)*pause + rand.N(pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// try runs write once, and says whether it lost against another transaction.
func (s *postgresStore) try(ctx context.Context, write func(backend.Tx) error) (again bool, err error) {
	began, err := s.begin(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return false, err
	}
	defer began.Rollback() //nolint:errcheck // after a commit it does nothing, and otherwise the error is another one
	t := &tx{caller: ctx, ctx: ctx, conn: began, in: s.in}
	defer t.end()
	err = write(t)
	if t.failed != nil {
		return t.raced, t.failed
	}
	if err != nil {
		return false, err
	}
	if err := began.Commit(); err != nil {
		return raced(err), answer(ctx, s.in, err)
	}
	return false, nil
}

// begin begins a transaction. A connection that died while nobody used it is no
// reason to fail: nothing was asked of it yet.
func (s *postgresStore) begin(ctx context.Context, how *sql.TxOptions) (*sql.Tx, error) {
	began, err := s.db.BeginTx(ctx, how)
	if err != nil && ctx.Err() == nil && lost(err) && !connecting(err) {
		// The others that wait in the pool have died of the same.
		s.db.SetMaxIdleConns(0)
		s.db.SetMaxIdleConns(s.idle)
		began, err = s.db.BeginTx(ctx, how)
	}
	if err != nil {
		return nil, answer(ctx, s.in, err)
	}
	return began, nil
}

// Ping implements backend.Store.
func (s *postgresStore) Ping(ctx context.Context) error {
	return s.View(ctx, func(t backend.Tx) error {
		_, err := t.Running()
		return err
	})
}

// Close implements backend.Store.
func (s *postgresStore) Close() error { return s.db.Close() }
