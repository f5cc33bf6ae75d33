package postgrestest

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shared is the server of all tests of this process that ask for no more than a
// database.
var shared struct {
	mu     sync.Mutex
	server *Server
	// alive is what its keeper reads: it ends with this process, however that ends.
	alive io.Closer
}

// Database is the address of a new database, for the superuser, on a server that
// the tests of this process share. It starts with the first of them, logs no
// statements, and ends after this process. A test that stops its server, reads its
// log, or wants settings of its own has one of its own, by Start.
func Database(t testing.TB) string {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		s := folder(t, []string{"max_connections = 500", "log_statement = none", "log_connections = off", "deadlock_timeout = 50ms"})
		alive, err := s.keep()
		must(t, err)
		s.initialize(t)
		s.start(t)
		shared.server, shared.alive = s, alive
	}
	return shared.server.Database(t)
}

// Database is the address of a new database on the server, for the superuser.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL(t, "postgres"))
	must(t, err)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	must(t, err)
	must(t, conn.Close(ctx))
	return s.URL(t, name)
}

// keep starts who waits for the end of this process, and then ends the server and
// takes away its folder. A test cannot: which one is the last is not known, and a
// process that is killed cleans nothing up.
func (s *Server) keep() (io.Closer, error) {
	const script = `cat >/dev/null; "$1" -D "$2/data" -m immediate -w stop; cd / && rm -rf "$2"`
	folder := filepath.Dir(s.dir)
	keeper := exec.Command("/bin/sh", "-c", script, "keeper", filepath.Join(s.bin, "pg_ctl"), folder)
	keeper.Dir, keeper.Env = folder, environment()
	// In a group of its own: an interrupt at the terminal is for the tests.
	keeper.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	alive, err := keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	return alive, keeper.Start()
}
