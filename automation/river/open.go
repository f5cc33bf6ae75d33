package river

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver
)

const (
	// fileName is the queue's in a data folder.
	fileName = "redoubt-queue.db"
	// schema is the queue's in PostgreSQL.
	schema = "river"
	// connections is how many to PostgreSQL there are at most. One listens.
	connections = 4
	// migrationLock has a number and no row; see automation/sql for others.
	migrationLock = 7_305_042_811_003
)

// Open opens the queues of the service whose database has this address, as
// sql.Open takes it: a folder, sqlite:// and a file, or postgres://. It makes what
// is missing.
func Open(ctx context.Context, address string, o Options) (*Dispatcher, error) {
	switch scheme, rest, found := strings.Cut(address, "://"); {
	case !found:
		return openSQLite(ctx, filepath.Join(address, fileName), o)
	case scheme == "sqlite":
		return openSQLite(ctx, filepath.Join(filepath.Dir(rest), fileName), o)
	default:
		return openPostgres(ctx, address, o)
	}
}

func openSQLite(ctx context.Context, path string, o Options) (_ *Dispatcher, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("the queue cannot be kept in %s: %w", path, err)
	}
	// A queue that a power cut loses a second of is found again from the table of
	// operations: no fsync for each job.
	source := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, "_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, fmt.Errorf("the queue in %s cannot be opened: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	driver := riversqlite.New(db)
	if err := migrate(ctx, driver, "", o); err != nil {
		return nil, fmt.Errorf("the queue in %s: %w (it may be deleted while the service is stopped: nothing is lost)", path, err)
	}
	d, err := newDispatcher(driver, o, "")
	if err != nil {
		return nil, err
	}
	d.close = sync.OnceValue(db.Close)
	return d, nil
}

func openPostgres(ctx context.Context, address string, o Options) (_ *Dispatcher, err error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// Without the cause, which quotes the URL and with it perhaps the password.
		return nil, errors.New("the queue: the database URL cannot be read: it must look like postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	config.MaxConns = connections
	config.ConnConfig.RuntimeParams["application_name"] = "redoubt queue"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("the queue cannot be opened: %w", err)
	}
	defer func() {
		if err != nil {
			pool.Close()
		}
	}()
	driver := riverpgxv5.New(pool)
	if err := migrateOnce(ctx, pool, func() error { return migrate(ctx, driver, schema, o) }); err != nil {
		return nil, fmt.Errorf("the queue in the database %s of PostgreSQL at %s:%d: %w", config.ConnConfig.Database, config.ConnConfig.Host, config.ConnConfig.Port, err)
	}
	d, err := newDispatcher(driver, o, schema)
	if err != nil {
		return nil, err
	}
	d.close = sync.OnceValue(func() error { pool.Close(); return nil })
	return d, nil
}

// migrateOnce keeps processes that start together from migrating together.
func migrateOnce(ctx context.Context, pool *pgxpool.Pool, migrate func() error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	// The end of the connection would unlock it too.
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
	}()
	if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return err
	}
	return migrate()
}

func migrate[T any](ctx context.Context, driver riverdriver.Driver[T], schema string, o Options) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Schema: schema, Logger: quiet(o.Log)})
	if err == nil {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return fmt.Errorf("its tables cannot be brought up to date: %w", err)
	}
	return nil
}
