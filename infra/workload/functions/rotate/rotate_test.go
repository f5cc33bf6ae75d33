package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/rotate/postgres"
	"redoubt/infra/workload/functions/rotate/rotation"
	"redoubt/internal/postgrestest"
)

// Three rotations against a real server: the users take turns, who holds the
// previous value stays in, and both share what the application made.
func TestUsersTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgrestest.Start(t), "orders")
	r := w.rotation(t)
	passwords := map[string]bool{}
	for i, want := range []string{"orders_1", "orders_2", "orders_1"} {
		w.finish(t, r, w.begin())
		v := w.current(t, rotation.Current)
		require.Equal(t, want, v.Username)
		require.Equal(t, rotation.Value{
			Engine: "postgres", Host: w.server.Host, Port: w.server.Port, Database: "orders", Username: want, Password: v.Password,
		}, v)
		require.GreaterOrEqual(t, len(v.Password), 26)
		require.False(t, passwords[v.Password], "a password came twice")
		passwords[v.Password] = true

		conn := w.connect(t, v.Credentials(), "orders")
		if i == 0 {
			w.connectAsOwner(t, "GRANT CREATE ON SCHEMA public TO orders")
			w.exec(t, conn, "CREATE TABLE purchases (id int)")
			continue
		}
		w.exec(t, conn, "ALTER TABLE purchases ADD COLUMN note_"+v.Password[:4]+" text")
		w.exec(t, w.connect(t, w.current(t, "AWSPREVIOUS").Credentials(), "orders"), "SELECT * FROM purchases")
	}
	log := w.server.Log(t)
	require.Contains(t, log, "ALTER ROLE", "the server logs statements")
	for password := range passwords {
		require.NotContains(t, log, password, "the server's log shows a password")
	}
}

// The only user keeps its name, gets a new password each time, and may be in
// use while it does. A crash at any call leaves nothing that the next attempt
// does not finish.
func TestOneUserKeepsItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgrestest.Start(t), "pool")
	w.user = "pool_proxy"
	w.finish(t, w.rotation(t), w.begin())
	before := w.current(t, rotation.Current)
	for at := 1; ; at++ {
		doomed, c := w.rotation(t), &crash{at: at, after: at%2 == 0}
		doomed.Secrets, doomed.Database = crashingSecrets{doomed.Secrets, c}, crashingDatabase{doomed.Database, c}
		token := w.begin()
		var err error
		for _, step := range steps {
			if err = doomed.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token, Step: step}); err != nil {
				require.ErrorIs(t, err, errCrash)
				break
			}
		}
		w.finish(t, w.rotation(t), token)
		now := w.current(t, rotation.Current)
		require.Equal(t, "pool_proxy", now.Username)
		require.NotEqual(t, before.Password, now.Password)
		w.login(t, w.rotation(t), rotation.Current, "the new password")
		require.ErrorIs(t, w.rotation(t).Database.Login(t.Context(), before.Credentials(), "pool"), rotation.ErrRefused, "the old password")
		if before = now; err == nil {
			require.Greater(t, at, 8, "a rotation makes more calls than that")
			return
		}
	}
}

func (w *world) connectAsOwner(t *testing.T, statement string) {
	t.Helper()
	admin := rotation.Credentials{Username: w.role + "_admin", Password: "administrator"}
	w.exec(t, w.connect(t, rotation.Credentials{Username: postgrestest.Superuser, Password: w.server.Password}, w.role), statement)
	w.exec(t, w.connect(t, admin, w.role), "SELECT 1")
}

// What may go wrong is said, and nothing is changed by it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	for name, tc := range map[string]struct {
		role  string
		spoil func(t *testing.T, w *world, r *rotation.Rotation, token string)
		step  string
		want  string
	}{
		"another step": {"a", nothing, "deleteSecret", `step "deleteSecret"`},
		"rotation off": {
			"b", func(_ *testing.T, w *world, _ *rotation.Rotation, _ string) { w.secrets.Rotates(appSecret, false) },
			"createSecret", "does not rotate",
		},
		"an old event": {"c", func(t *testing.T, w *world, r *rotation.Rotation, token string) {
			w.finish(t, r, token)
			w.finish(t, r, w.begin())
			w.finish(t, r, w.begin())
		}, "setSecret", "has no version version-1"},
		"a previous version": {"d", func(t *testing.T, w *world, r *rotation.Rotation, token string) {
			w.finish(t, r, token)
			w.finish(t, r, w.begin())
		}, "setSecret", "is not pending"},
		// Who may write the secret must not make the administrator change
		// another user's password.
		"a foreign user": {"e", func(t *testing.T, w *world, _ *rotation.Rotation, token string) {
			w.secrets.Overwrite(appSecret, token, value(t, rotation.Value{Username: "e_admin", Password: "mine"}))
		}, "setSecret", `user "e_admin" is not e_1 or e_2`},
		"the user in use": {"f", func(t *testing.T, w *world, r *rotation.Rotation, token string) {
			w.finish(t, r, token)
			w.secrets.Begin(appSecret, token+"x")
			w.secrets.Overwrite(appSecret, token+"x", value(t, rotation.Value{Username: "f_1", Password: "mine"}))
			require.ErrorContains(t, r.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token + "x", Step: "setSecret"}), `"f_1" is in use`)
			w.secrets.Rotates(appSecret, false)
		}, "setSecret", "does not rotate"},
		"nothing to set": {"g", nothing, "setSecret", "pending version"},
		"no JSON": {"h", func(_ *testing.T, w *world, _ *rotation.Rotation, token string) {
			w.secrets.Overwrite(appSecret, token, "hunter2")
		}, "setSecret", "is not the JSON of a database user"},
		"an untested password": {"i", func(t *testing.T, w *world, _ *rotation.Rotation, token string) {
			w.secrets.Overwrite(appSecret, token, value(t, rotation.Value{Username: "i_1", Password: "hunter2"}))
		}, "testSecret", "refuses the login of i_1"},
		"a wrong administrator": {"k", func(t *testing.T, w *world, r *rotation.Rotation, token string) {
			w.secrets.Add(adminSecret, value(t, rotation.Value{Username: "k_admin", Password: "hunter2"}))
			require.NoError(t, r.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token, Step: "createSecret"}))
		}, "setSecret", "administrator: the database refuses the login of k_admin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, server, tc.role)
			r, token := w.rotation(t), w.begin()
			tc.spoil(t, w, r, token)
			err := r.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token, Step: tc.step})
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func nothing(*testing.T, *world, *rotation.Rotation, string) {}

// A server that is not the one it says it is gets no password.
func TestServerMustProveItsName(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	user := rotation.Credentials{Username: postgrestest.Superuser, Password: server.Password}
	at := rotation.Connection{Host: server.Host, Port: server.Port, Database: "postgres"}
	roots, err := postgres.Roots(server.CA)
	require.NoError(t, err)
	require.NoError(t, (&postgres.Server{Connection: at, Roots: roots}).Login(t.Context(), user, postgrestest.Superuser))

	err = (&postgres.Server{Connection: at}).Login(t.Context(), user, postgrestest.Superuser)
	require.ErrorContains(t, err, "certificate")
	require.NotErrorIs(t, err, rotation.ErrRefused)

	at.Host = "localhost"
	err = (&postgres.Server{Connection: at, Roots: roots}).Login(t.Context(), user, postgrestest.Superuser)
	require.ErrorContains(t, err, "localhost")
	require.NotErrorIs(t, err, rotation.ErrRefused)
}

func TestEnvironmentIsChecked(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DATABASE_PORT": "five", "DATABASE_CA": "not PEM"}
	_, err := newRotation(func(name string) string { return env[name] }, nil)
	for _, want := range []string{"DATABASE_HOST: empty", "DATABASE_NAME: empty", "DATABASE_ROLE: empty", "ADMIN_SECRET_ARN: empty", `DATABASE_PORT: "five"`, "DATABASE_CA: no certificate"} {
		require.ErrorContains(t, err, want)
	}
}
