package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
	"redoubt/internal/postgrestest"
)

// Two nodes on one database: an update goes on with the other one when its own
// stops, and readiness follows the database.
func TestNodesShareADatabase(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)
	password := write(t, "password", database.Password+"\n")
	folder := filepath.Join(t.TempDir(), "data")
	config := configure(t, func(c *server.Config) {
		c.Data = folder // the keys are shared, as a secret that is mounted
		c.Database.URL = strings.Replace(database.URL(t, "postgres"), ":"+database.Password+"@", "@", 1)
		c.Database.PasswordFile = password
		// Longer than a request takes on a machine that is busy with other tests.
		c.Leases.Duration, c.Leases.First = 8*time.Second, 8*time.Second
	})
	first, client := bootstrap(t, config)
	second := start(t, config)
	again, err := second.Bootstrap(t.Context())
	require.NoError(t, err)
	require.Empty(t, again, "one installation has one first token")

	// A node with keys of its own could read nothing.
	foreign := config
	foreign.Data = t.TempDir()
	_, err = server.Open(t.Context(), foreign)
	require.ErrorContains(t, err, "every process on a database needs the same keys")

	c := &cli{url: first.URL(), token: client.Token}
	path, lease := c.update(t)
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPatch, path+"/journalentries", lease, entry(1), nil))
	first.Stop()
	c.url = second.URL()
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPatch, path+"/journalentries", lease, entry(2), nil))

	// Nothing is heard of it any more; both nodes look, one closes it.
	third := start(t, config)
	require.Eventually(t, func() bool {
		return interrupted(t, second)+interrupted(t, third) == 1
	}, patience, 20*time.Millisecond)
	require.Len(t, c.resources(t), 2)
	_, metrics := get(t, second.URL()+"/metrics")
	require.Contains(t, metrics, `redoubt_database_connections{pool="all",state="limit"}`)

	database.Stop(t)
	require.Eventually(t, func() bool {
		status, _ := get(t, second.URL()+"/readyz")
		return status == http.StatusServiceUnavailable
	}, patience, 20*time.Millisecond)
	status, _ := get(t, second.URL()+"/healthz")
	require.Equal(t, http.StatusOK, status, "a restart of the server would not help")
	_, metrics = get(t, second.URL()+"/metrics")
	require.Contains(t, metrics, "redoubt_database_up 0\n")
	require.NotContains(t, metrics, "redoubt_updates_active", "what nobody said is no number")
	database.StartAgain(t)
	require.Eventually(t, func() bool {
		status, _ := get(t, second.URL()+"/readyz")
		return status == http.StatusOK
	}, patience, 20*time.Millisecond)
	require.Len(t, c.resources(t), 2)
	require.NotContains(t, second.Log.String()+third.Log.String(), database.Password)
}

// interrupted is how many updates a node has closed.
func interrupted(t *testing.T, s *running) int {
	t.Helper()
	_, metrics := get(t, s.URL()+"/metrics")
	if strings.Contains(metrics, endedInterrupted+" 0\n") {
		return 0
	}
	require.Contains(t, metrics, endedInterrupted+" 1\n")
	return 1
}

func TestDatabasePasswordFileIsReadOrRefused(t *testing.T) {
	t.Parallel()
	empty := write(t, "password", "\n")
	config := configure(t, func(c *server.Config) {
		c.Database.URL, c.Database.PasswordFile = "postgres://redoubt@127.0.0.1:1/redoubt", empty
	})
	_, err := server.Open(t.Context(), config)
	require.ErrorContains(t, err, "is empty")
	require.NoError(t, os.WriteFile(empty, []byte("CAN/ARY"), 0o600))
	_, err = server.Open(t.Context(), config)
	require.Error(t, err, "nobody is there")
	require.NotContains(t, err.Error(), "ARY")
}
