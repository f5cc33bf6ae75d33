// Package postgrestest runs a real PostgreSQL server for a test: its own
// folder and port, TLS only, SCRAM only, every statement in its log.
package postgrestest

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"redoubt/internal/loopback"
)

// Server is a running server.
type Server struct {
	Host string
	Port int
	// CA is the certificate, in PEM, of who signed the server's.
	CA string
	// Superuser's password.
	Password string

	dir      string
	bin      string
	as       *syscall.Credential
	settings []string
	// databases that were made on it; they are numbered.
	databases atomic.Int64
}

// Superuser's name.
const Superuser = "postgres"

// Start starts a server that ends with the test. Settings are lines of its
// configuration, "fsync = on", which win over those of this package.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := folder(t, settings)
	t.Cleanup(func() { must(t, os.RemoveAll(filepath.Dir(s.dir))) })
	s.initialize(t)
	s.start(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// folder makes an empty folder for a server.
func folder(t testing.TB, settings []string) *Server {
	t.Helper()
	s := &Server{Host: loopback.Host(), Password: "superuser", bin: binaries(t), as: unprivileged(t), settings: settings}
	// Not t.TempDir: the server's own user may not enter its parent.
	dir, err := os.MkdirTemp("", "redoubt-postgres-")
	must(t, err)
	s.dir = filepath.Join(dir, "data")
	s.own(t, dir)
	return s
}

// initialize makes the server's data.
func (s *Server) initialize(t testing.TB) {
	t.Helper()
	dir := filepath.Dir(s.dir)
	s.write(t, filepath.Join(dir, "password"), s.Password)
	s.run(t, dir, "initdb", "-D", s.dir, "-U", Superuser, "--auth=scram-sha-256", "--pwfile", filepath.Join(dir, "password"), "--no-sync", "-E", "UTF8", "--locale=C")
	certificate, key, authority := certificates(t, s.Host)
	s.CA = authority
	s.write(t, filepath.Join(s.dir, "server.crt"), certificate)
	s.write(t, filepath.Join(s.dir, "server.key"), key)
	s.write(t, filepath.Join(s.dir, "pg_hba.conf"), "hostssl all all 127.0.0.0/8 scram-sha-256\n")
}

// Stop stops the server at once, as a crash would, if it runs.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(s.dir, "postmaster.pid")); err == nil {
		s.run(t, filepath.Dir(s.dir), "pg_ctl", "-D", s.dir, "-m", "immediate", "-w", "stop")
	}
}

// StartAgain starts the server after Stop, where it was.
func (s *Server) StartAgain(t testing.TB) {
	t.Helper()
	s.run(t, filepath.Dir(s.dir), "pg_ctl", "-D", s.dir, "-l", s.logFile(), "-w", "-t", "60", "start")
}

// URL is for the superuser, with TLS. The authority's certificate is in a file
// beside the server's data.
func (s *Server) URL(t testing.TB, database string) string {
	t.Helper()
	authority := filepath.Join(filepath.Dir(s.dir), "authority.crt")
	if _, err := os.Stat(authority); err != nil {
		s.write(t, authority, s.CA)
	}
	u := url.URL{
		Scheme: "postgres", Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), Path: "/" + database,
		User:     url.UserPassword(Superuser, s.Password),
		RawQuery: url.Values{"sslmode": {"verify-full"}, "sslrootcert": {authority}}.Encode(),
	}
	return u.String()
}

// start tries another port where somebody took the free one in the meantime.
func (s *Server) start(t testing.TB) {
	t.Helper()
	var err error
	for range 3 {
		s.Port = freePort(t, s.Host)
		s.write(t, filepath.Join(s.dir, "postgresql.auto.conf"), s.configuration())
		if err = s.try(filepath.Dir(s.dir), "pg_ctl", "-D", s.dir, "-l", s.logFile(), "-w", "-t", "60", "start"); err == nil {
			return
		}
	}
	must(t, err)
}

func (s *Server) configuration() string {
	return fmt.Sprintf(`listen_addresses = '%s'
port = %d
unix_socket_directories = ''
ssl = on
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
log_statement = 'all'
log_connections = on
fsync = off
%s
`, s.Host, s.Port, strings.Join(s.settings, "\n"))
}

// Log is what the server has logged so far.
func (s *Server) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(s.logFile())
	must(t, err)
	return string(text)
}

func (s *Server) logFile() string { return filepath.Join(filepath.Dir(s.dir), "server.log") }

func (s *Server) run(t testing.TB, dir, program string, args ...string) {
	t.Helper()
	must(t, s.try(dir, program, args...))
}

func (s *Server) try(dir, program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.Env = dir, environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		log, _ := os.ReadFile(s.logFile()) // may not be there yet
		return fmt.Errorf("%s: %w\n%s%s", program, err, said.Bytes(), log)
	}
	return nil
}

// environment is the caller's path and nothing else: PG… variables would change
// what the programs do.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

func (s *Server) write(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
	s.own(t, path)
}

func (s *Server) own(t testing.TB, path string) {
	t.Helper()
	if s.as != nil {
		must(t, os.Chown(path, int(s.as.Uid), int(s.as.Gid)))
	}
}

// binaries is the folder of the newest PostgreSQL: that of initdb on PATH, or
// Debian's.
func binaries(t testing.TB) string {
	t.Helper()
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	must(t, err)
	if len(found) == 0 {
		t.Fatal("no PostgreSQL server on this machine: this test runs a real one (apt-get install postgresql, or put initdb and pg_ctl on PATH)")
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1])
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb)))) // 0 for a folder that is no version
	return n
}

// unprivileged is the user "postgres" where the test runs as root, because the
// server refuses to be root; otherwise nil.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("PostgreSQL does not run as root and there is no user postgres: %v (apt-get install postgresql makes it, or run the test as another user)", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	must(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	must(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freePort(t testing.TB, host string) int {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(host)})
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().(*net.TCPAddr).Port
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lifetime of the test's certificates.
const lifetime = 24 * time.Hour
