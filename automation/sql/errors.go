package sql

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"redoubt/automation/backend"
)

// unavailable is an error that says what to do, with its cause for the log.
func unavailable(cause error, format string, args ...any) error {
	return &backend.Error{Code: backend.CodeUnavailable, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// invalid is an error about what the operator wrote.
func invalid(cause error, format string, args ...any) error {
	return &backend.Error{Code: backend.CodeInvalid, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// closed says that the Store was closed. database/sql has no name for its error.
func closed(err error) bool {
	return errors.Is(err, sql.ErrConnDone) || err.Error() == "sql: database is closed"
}

// classifySQLite turns an error of SQLite into one of the contract.
func classifySQLite(where string, err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		if closed(err) || errors.Is(err, driver.ErrBadConn) {
			return unavailable(err, "%s is closed", where)
		}
		return err
	}
	switch failure.Code() {
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fmt.Errorf("what the row belongs to: %w", backend.ErrNotFound)
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return backend.ErrExists
	}
	const primary = 0xff // the low byte of an extended code
	if busySQLite(err) {
		return unavailable(err, "%s is locked by another program: close it and try again", where)
	}
	switch failure.Code() & primary {
	case sqlite3.SQLITE_FULL:
		return unavailable(err, "%s: the disk is full; nothing was changed: free some space and try again", where)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return unavailable(err, "%s may not be written: see to the permissions of the file and of its folder", where)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return unavailable(err, "%s is damaged or no database: stop the service and restore the newest backup", where)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		return unavailable(err, "%s cannot be read or written: see to the disk (space, health, permissions) and try again", where)
	}
	return err
}

// busySQLite says that another program has the database.
func busySQLite(err error) bool {
	var failure *sqlite.Error
	const primary = 0xff
	return errors.As(err, &failure) && (failure.Code()&primary == sqlite3.SQLITE_BUSY || failure.Code()&primary == sqlite3.SQLITE_LOCKED)
}

// busyPostgres says that another transaction has the rows.
func busyPostgres(err error) bool {
	state := stateOf(err)
	return state == stateSerialization || state == stateDeadlock
}

// SQLSTATEs, from https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	stateForeignKey    = "23503"
	stateUnique        = "23505"
	stateReadOnly      = "25006"
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateDiskFull      = "53100"
)

// stateOf is the SQLSTATE of an error of the server's, or empty.
func stateOf(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return ""
}

// raced says that a transaction lost against another, and will not lose again.
func raced(err error) bool {
	switch stateOf(err) {
	// Statements look before they insert: only a race breaks a constraint.
	case stateSerialization, stateDeadlock, stateUnique:
		return true
	}
	return false
}

// lost says that the connection is gone, and not that the server said no.
func lost(err error) bool {
	state := stateOf(err)
	if state != "" {
		return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P")
	}
	var network net.Error
	return errors.As(err, &network) || connecting(err) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed)
}

// connecting says that there was no connection to begin with.
func connecting(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting)
}

// classifyPostgres turns an error of PostgreSQL or of the way to it into one of
// the contract.
func classifyPostgres(where string, err error) error {
	switch state := stateOf(err); {
	case state == stateForeignKey:
		return fmt.Errorf("what the row belongs to: %w", backend.ErrNotFound)
	case state == stateUnique:
		return backend.ErrExists
	case busyPostgres(err):
		return unavailable(err, "%s is busy: too many changes of the same things at once; try again", where)
	case state == stateDiskFull:
		return unavailable(err, "%s: the server's disk is full; nothing was changed: free some space and try again", where)
	case state == stateReadOnly:
		return unavailable(err, "%s may only be read, as a standby: give the address of the primary, or add target_session_attrs=read-write to the URL", where)
	case strings.HasPrefix(state, "53"), strings.HasPrefix(state, "58"):
		return unavailable(err, "%s lacks resources (connections, memory, disk): see its log, and try again", where)
	case closed(err):
		return unavailable(err, "%s is closed", where)
	case lost(err):
		return unavailable(err, "%s does not answer: see whether the server runs and can be reached, and try again", where)
	}
	return err
}
