package sql

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"redoubt/automation/backend"
)

const (
	// groupSize and groupTime bound how long the first of a group waits for the
	// last. Nobody waits for company: a group is who came during the fsync before.
	groupSize = 128
	groupTime = 5 * time.Millisecond
)

// writer owns the one connection that writes to SQLite. It takes the functions
// that wait, runs one after the other, each in a savepoint of one transaction,
// and commits once: fifty waiting changes cost one fsync.
//
// A function runs on its caller's goroutine while the writer waits for it, so
// that its panic is its caller's.
type writer struct {
	conn  *statements
	in    *dialect
	queue chan *job
	stop  chan struct{}
	ended chan struct{}
	once  sync.Once
	// groups counts the transactions.
	groups atomic.Int64
}

// job is a function that waits for its turn. Who has sent it has the turn, or is
// about to get it: until then the caller may still leave.
type job struct {
	turn chan error // nil: run
	ran  chan error // what the function said
	done chan error // nil: it is durable
}

func newWriter(conn *sql.Conn, in *dialect) *writer {
	w := &writer{
		conn: newStatements(conn), in: in,
		queue: make(chan *job), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

// errPanicked takes the place of what a function said that did not return.
var errPanicked = errors.New("the function did not return")

// do runs a function in a transaction.
func (w *writer) do(ctx context.Context, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{turn: make(chan error, 1), ran: make(chan error, 1), done: make(chan error, 1)}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return unavailable(nil, "%s is closed", w.in.where)
	}
	if err := <-j.turn; err != nil {
		return err
	}
	w.run(ctx, j, run)
	return <-j.done
}

// run runs the function and tells the writer, also where it panics.
func (w *writer) run(ctx context.Context, j *job, run func(*tx) error) {
	t := &tx{caller: ctx, ctx: context.WithoutCancel(ctx), conn: w.conn, in: w.in}
	err := errPanicked
	defer func() {
		t.end()
		j.ran <- err
	}()
	err = run(t)
	if t.failed != nil {
		err = t.failed
	}
}

func (w *writer) loop() {
	defer close(w.ended)
	for {
		select {
		case first := <-w.queue:
			w.group(first)
		case <-w.stop:
			return
		}
	}
}

// close waits for the group that is running.
func (w *writer) close() {
	w.once.Do(func() { close(w.stop) })
	<-w.ended
}

// group is one transaction.
func (w *writer) group(first *job) {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		first.turn <- err
		return
	}
	w.groups.Add(1)
	began := time.Now()
	var kept []*job
	var err error
	for j := first; j != nil; j = w.next(len(kept), began) {
		var ok bool
		if ok, err = w.member(j); err != nil {
			break
		}
		if ok {
			kept = append(kept, j)
		}
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		// It may be over already: some errors, such as a full disk, end it.
		_ = w.exec("ROLLBACK")
	}
	for _, j := range kept {
		j.done <- err
	}
}

// next is who waits, or nil for no more.
func (w *writer) next(kept int, began time.Time) *job {
	if kept >= groupSize || time.Since(began) > groupTime {
		return nil
	}
	select {
	case j := <-w.queue:
		return j
	default:
		return nil
	}
}

// member runs one function and says whether it waits for the commit. An error is
// the end of the group.
func (w *writer) member(j *job) (bool, error) {
	if err := w.exec("SAVEPOINT member"); err != nil {
		j.turn <- err
		return false, err
	}
	j.turn <- nil
	said := <-j.ran
	if said == nil {
		err := w.exec("RELEASE member")
		if err != nil {
			j.done <- err
		}
		return err == nil, err
	}
	j.done <- said
	// Where the database has ended the transaction, there is no savepoint left,
	// and what the others did is undone as well.
	if err := w.exec("ROLLBACK TO member"); err != nil {
		if backend.CodeOf(said) == backend.CodeUnavailable {
			return false, said // it says why, and that is true for all
		}
		return false, unavailable(err, "%s: a change that was made together with others failed, and none was kept: try again", w.in.where)
	}
	return false, w.exec("RELEASE member")
}

func (w *writer) exec(statement string) error {
	if _, err := w.conn.ExecContext(context.Background(), statement); err != nil {
		return w.in.classify(err)
	}
	return nil
}
