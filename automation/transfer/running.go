package transfer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// errRunning is a finding: wait and try again.
var errRunning = errors.New("an update of it is running")

// checkIdle refuses a stack that is being changed. mayTouch says that a lock may
// be taken and given back to find out.
//
// A service says it. A backend without one has a lock for each update, below
// .pulumi/locks/<stack>/ (pkg/backend/diy/lock.go), and no command that only
// shows it.
func (s *side) checkIdle(ctx context.Context, n Name, mayTouch bool) error {
	if s.service != nil {
		stack, err := s.service.stack(ctx, n)
		if err != nil {
			return err
		}
		if stack.CurrentOperation != nil || stack.ActiveUpdate != "" {
			return fmt.Errorf("%w on %s (wait for it, or end it with `pulumi cancel`)", errRunning, s.Display())
		}
		return nil
	}
	locks, err := s.locks(ctx, n)
	if errors.Is(err, errUnknownLocks) {
		if !mayTouch {
			return nil
		}
		return s.probe(ctx, n)
	}
	if err != nil {
		return err
	}
	if locks > 0 {
		return fmt.Errorf("%w, or died: %s holds a lock (wait for it; if nothing runs, remove the lock with `pulumi cancel`)", errRunning, s.Display())
	}
	return nil
}

// errUnknownLocks says that the locks of such a backend cannot be listed.
var errUnknownLocks = errors.New("locks cannot be listed")

// locks counts a stack's locks.
func (s *side) locks(ctx context.Context, n Name) (int, error) {
	folder := ".pulumi/locks/" + n.String() + "/"
	u, err := url.Parse(s.URL)
	if err != nil {
		return 0, err
	}
	switch u.Scheme {
	case "file":
		// file:// escapes nothing.
		root, _, _ := strings.Cut(strings.TrimPrefix(s.URL, "file://"), "?")
		files, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		found := 0
		for _, f := range files {
			if strings.HasSuffix(f.Name(), ".json") {
				found++
			}
		}
		return found, nil
	case "postgres":
		return postgresLocks(ctx, u, folder)
	}
	return 0, errUnknownLocks
}

// postgresLocks counts the rows below a folder, as pkg/backend/diy/postgres
// keeps them.
func postgresLocks(ctx context.Context, u *url.URL, folder string) (count int, err error) {
	query := u.Query()
	table := query.Get("table")
	if table == "" {
		table = "pulumi_state"
	}
	query.Del("table")
	address := *u
	address.RawQuery = query.Encode()
	connection, err := pgx.Connect(ctx, address.String())
	if err != nil {
		// Its text may hold the address.
		return 0, errors.New("the locks of the database cannot be read")
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }() // it was only read
	const statement = "SELECT count(*) FROM %s WHERE starts_with(key, $1) AND key LIKE '%%.json'"
	err = connection.QueryRow(ctx, fmt.Sprintf(statement, pgx.Identifier{table}.Sanitize()), folder).Scan(&count)
	return count, err
}

// probe lets the CLI take a stack's lock and give it back: it renames the stack
// to its own name, which takes the lock, sees that the name is taken, and ends
// (pkg/backend/diy/backend.go, renameStack).
func (s *side) probe(ctx context.Context, n Name) error {
	folder, err := s.project(n)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err = s.cli.run(ctx, call{args: []string{"stack", "rename", n.String(), "--stack", n.String()}, folder: folder})
	switch {
	case err == nil:
		return fmt.Errorf("the Pulumi CLI renamed stack %s to its own name, which it should refuse", n)
	case strings.Contains(err.Error(), "already exists"):
		return nil
	case strings.Contains(err.Error(), "currently locked"):
		return fmt.Errorf("%w: %w", errRunning, err)
	}
	return fmt.Errorf("whether an update of it runs cannot be found out: %w", err)
}
