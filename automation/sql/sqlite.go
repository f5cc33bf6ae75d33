package sql

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver

	"redoubt/automation/backend"
)

// sqliteStore is a Store in a file, of one process.
type sqliteStore struct {
	lock    *flock.Flock
	writes  *sql.DB
	writer  *writer
	readers *sql.DB
	in      *dialect
	closing sync.Once
}

var _ backend.Store = (*sqliteStore)(nil)

// openSQLite opens the database of a file, and makes it where there is none.
func openSQLite(ctx context.Context, path string, o options) (_ backend.Store, err error) {
	where := "the database " + path
	s := &sqliteStore{}
	defer func() {
		if err != nil {
			_ = s.Close() // the first error is the one to tell
		}
	}()
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	if s.lock, err = lockFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if s.writes, err = sql.Open("sqlite", sqliteSource(path)); err != nil {
		return nil, unavailable(err, "%s cannot be opened: %v", where, err)
	}
	s.writes.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite", sqliteSource(path, "query_only(ON)")); err != nil {
		return nil, unavailable(err, "%s cannot be opened: %v", where, err)
	}
	s.readers.SetMaxOpenConns(o.connections)
	s.readers.SetMaxIdleConns(o.connections)

	clock := newClock()
	s.in = &dialect{
		where:     where,
		kind:      "sqlite",
		size:      "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
		docMicros: func(field string) string { return "unixepoch(json_extract(doc, '$." + field + "')) * 1000000" },
		textRows:  func(column string) string { return "json_each(" + column + ")" },
		nowColumn: "0",
		now:       func(*tx) (time.Time, error) { return clock.now(), nil },
	}
	s.in.classify = s.in.counted(busySQLite, classifySQLite)
	if err := migrateSQLite(ctx, s.writes); err != nil {
		return nil, opening(s.in, err)
	}
	conn, err := s.writes.Conn(ctx)
	if err != nil {
		return nil, opening(s.in, err)
	}
	s.writer = newWriter(conn, s.in)
	return s, nil
}

// opening is the error of a database that cannot be used from the start.
func opening(in *dialect, err error) error {
	if err = in.classify(err); backend.CodeOf(err) != "" {
		return err
	}
	return unavailable(err, "%s cannot be opened: %v", in.where, err)
}

// sqliteSource is the driver's name of a file, with what each connection is set to.
func sqliteSource(path string, more ...string) string {
	pragmas := []string{
		"busy_timeout(5000)",
		"journal_mode(WAL)",
		// Each commit is on the disk before it is acknowledged.
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"temp_store(MEMORY)",
		"cache_size(-16000)", // KiB
	}
	query := url.Values{"_txlock": {"immediate"}, "_pragma": append(pragmas, more...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// prepareFile makes the folder and the file, for their owner alone: SQLite gives
// the files beside it the same mode.
func prepareFile(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return unavailable(err, "the data folder %s cannot be made: %v; make it, or choose another one", folder, reason(err))
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return unavailable(err, "the database %s cannot be opened for writing: %v; see to the permissions, or choose another place", path, reason(err))
	}
	defer file.Close() //nolint:errcheck // nothing was written
	if err := file.Chmod(0o600); err != nil {
		return unavailable(err, "the database %s cannot be made its owner's alone: %v; it must belong to the user that the service runs as", path, reason(err))
	}
	return nil
}

// reason is an error of the file system without the path, which is in the message.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// lockFolder makes sure that one process uses the folder. Two would not damage
// SQLite's file, but they would not agree on the time, and each would take the
// other's updates for its own.
func lockFolder(folder string) (*flock.Flock, error) {
	path := filepath.Join(folder, "redoubt.lock")
	lock := flock.New(path, flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, unavailable(err, "the data folder %s cannot be locked (%s): %v", folder, path, reason(err))
	}
	if !ok {
		return nil, &backend.Error{
			Code: backend.CodeConflict,
			Message: "the data folder " + folder + " is in use by another process of redoubt: stop that one, give this one another folder, " +
				"or keep the data in PostgreSQL (postgres://…), which any number of processes may share",
		}
	}
	return lock, nil
}

// View implements backend.Store.
func (s *sqliteStore) View(ctx context.Context, read func(backend.Tx) error) error {
	began, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return answer(ctx, s.in, err)
	}
	return view(ctx, began, s.in, read)
}

// Update implements backend.Store.
func (s *sqliteStore) Update(ctx context.Context, write func(backend.Tx) error) error {
	return s.writer.do(ctx, func(t *tx) error { return write(t) })
}

// Ping implements backend.Store.
func (s *sqliteStore) Ping(ctx context.Context) error {
	return s.View(ctx, func(t backend.Tx) error {
		_, err := t.Running()
		return err
	})
}

// Close implements backend.Store. It waits for the changes that are running.
func (s *sqliteStore) Close() (err error) {
	s.closing.Do(func() { err = s.close() })
	return err
}

func (s *sqliteStore) close() error {
	var errs []error
	if s.writer != nil {
		s.writer.close()
		s.writer.conn.forget()
		errs = append(errs, s.writer.conn.conn.Close())
	}
	for _, db := range []*sql.DB{s.readers, s.writes} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
