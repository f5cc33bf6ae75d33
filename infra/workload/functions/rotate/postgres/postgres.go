// Package postgres makes users of PostgreSQL and checks their logins, over TLS
// that proves the server's name.
package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"redoubt/infra/workload/functions/rotate/rotation"
)

// Server is a PostgreSQL server. It implements rotation.Database.
type Server struct {
	Connection rotation.Connection
	// Roots are the authorities that may have signed the server's certificate;
	// nil for those that the system trusts.
	Roots *x509.CertPool
}

// Login implements rotation.Database.
func (s *Server) Login(ctx context.Context, user rotation.Credentials, role string) error {
	conn, err := s.connect(ctx, user)
	if err != nil {
		return err
	}
	var acting string
	err = conn.QueryRow(ctx, "SELECT current_user").Scan(&acting)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("as %s: %w", user.Username, err)
	}
	if acting != role {
		return fmt.Errorf("%s acts as %s, not as %s (somebody changed the user: ALTER ROLE … SET role)", user.Username, acting, role)
	}
	return nil
}

// SetPassword implements rotation.Database.
func (s *Server) SetPassword(ctx context.Context, admin, user rotation.Credentials, role string) error {
	secret, err := verifier(user.Password)
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("administrator: %w", err)
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return setPassword(ctx, tx, s.Connection.Database, user.Username, role, secret)
	})
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("user %s: %w", user.Username, err)
	}
	return nil
}

// setPassword leaves the user as a member of role that acts as role from the
// first statement on: what either user makes belongs to the role, so the other
// one can change it. (Two users that own things themselves lock each other out
// of every ALTER TABLE.)
func setPassword(ctx context.Context, tx pgx.Tx, database, user, role, secret string) error {
	// One rotation at a time; CREATE ROLE has no IF NOT EXISTS.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", "redoubt rotation of "+role); err != nil {
		return err
	}
	verb := map[bool]string{false: "CREATE ROLE ", true: "ALTER ROLE "}
	known, err := exists(ctx, tx, role)
	if err != nil {
		return err
	}
	if !known {
		if _, err := tx.Exec(ctx, "CREATE ROLE "+quote(role)+" NOLOGIN"); err != nil {
			return err
		}
	}
	if known, err = exists(ctx, tx, user); err != nil {
		return err
	}
	for _, statement := range []string{
		verb[known] + quote(user) + " LOGIN PASSWORD '" + secret + "'",
		"GRANT " + quote(role) + " TO " + quote(user),
		"ALTER ROLE " + quote(user) + " SET role TO " + quote(role),
		"GRANT CONNECT ON DATABASE " + quote(database) + " TO " + quote(role),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func exists(ctx context.Context, tx pgx.Tx, role string) (bool, error) {
	var found bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&found)
	return found, err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (s *Server) connect(ctx context.Context, user rotation.Credentials) (*pgx.Conn, error) {
	target := url.URL{
		Scheme: "postgres", Host: net.JoinHostPort(s.Connection.Host, strconv.Itoa(s.Connection.Port)), Path: "/" + s.Connection.Database,
		RawQuery: url.Values{"sslmode": {"verify-full"}, "connect_timeout": {"10"}, "application_name": {"redoubt-rotate"}}.Encode(),
	}
	config, err := pgx.ParseConfig(target.String())
	if err != nil {
		return nil, fmt.Errorf("database address: %w (host, port and database name of the writer)", err)
	}
	config.User, config.Password = user.Username, user.Password
	config.TLSConfig.RootCAs, config.TLSConfig.MinVersion = s.Roots, tls.VersionTLS12
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		return conn, nil
	}
	if refused(err) {
		return nil, fmt.Errorf("%w of %s", rotation.ErrRefused, user.Username)
	}
	return nil, fmt.Errorf("connect to %s: %w (can the function reach it, and is its certificate from an authority that the function trusts?)", target.Host, err)
}

// refused says whether the server did not accept user and password: SQLSTATE
// class 28. It says so for a user that it does not know, too.
func refused(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && len(said.Code) == 5 && said.Code[:2] == "28"
}
