package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/rotate/postgres"
	"redoubt/infra/workload/functions/rotate/rotation"
	"redoubt/infra/workload/functions/rotate/secretstest"
	"redoubt/internal/postgrestest"
)

const (
	appSecret   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-dev/db/orders-AbCdEf"
	adminSecret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-0123-AbCdEf"
)

var steps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// world is a database with an administrator who is no superuser, as on Aurora,
// and Secrets Manager with its secret and the application's, which is empty.
type world struct {
	server  *postgrestest.Server
	secrets *secretstest.Manager
	role    string
	// user is the only user; empty for two that take turns.
	user string
	n    int
}

func newWorld(t *testing.T, server *postgrestest.Server, role string) *world {
	t.Helper()
	w := &world{server: server, secrets: secretstest.Start(t), role: role}
	w.secrets.Add(adminSecret, value(t, rotation.Value{Username: role + "_admin", Password: "administrator"}))
	w.secrets.Add(appSecret, "")
	conn := w.connect(t, rotation.Credentials{Username: postgrestest.Superuser, Password: server.Password}, "postgres")
	w.exec(t, conn, "CREATE ROLE "+role+"_admin LOGIN CREATEROLE CREATEDB PASSWORD 'administrator'")
	w.exec(t, conn, "CREATE DATABASE "+role+" OWNER "+role+"_admin")
	return w
}

func (w *world) rotation(t *testing.T) *rotation.Rotation {
	t.Helper()
	env := map[string]string{
		"DATABASE_HOST": w.server.Host, "DATABASE_PORT": strconv.Itoa(w.server.Port), "DATABASE_NAME": w.role,
		"DATABASE_ROLE": w.role, "ADMIN_SECRET_ARN": adminSecret, "DATABASE_CA": w.server.CA, "DATABASE_USER": w.user,
	}
	r, err := newRotation(func(name string) string { return env[name] }, w.secrets.Client())
	require.NoError(t, err)
	return r
}

// begin starts the next rotation and returns its version.
func (w *world) begin() string {
	w.n++
	token := fmt.Sprintf("version-%d", w.n)
	w.secrets.Begin(appSecret, token)
	return token
}

// finish runs all steps, as Secrets Manager does after every failure.
func (w *world) finish(t *testing.T, r *rotation.Rotation, token string) {
	t.Helper()
	for _, step := range steps {
		require.NoError(t, r.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token, Step: step}), step)
	}
}

func (w *world) current(t *testing.T, stage string) rotation.Value {
	t.Helper()
	var v rotation.Value
	require.NoError(t, json.Unmarshal([]byte(w.secrets.Value(appSecret, stage)), &v))
	return v
}

func (w *world) connect(t *testing.T, user rotation.Credentials, database string) *pgx.Conn {
	t.Helper()
	roots, err := postgres.Roots(w.server.CA)
	require.NoError(t, err)
	config, err := pgx.ParseConfig(fmt.Sprintf("postgres://%s:%d/%s?sslmode=verify-full", w.server.Host, w.server.Port, database))
	require.NoError(t, err)
	config.User, config.Password, config.TLSConfig.RootCAs = user.Username, user.Password, roots
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}

func (w *world) exec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	require.NoError(t, err, statement)
}

func value(t *testing.T, v rotation.Value) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
