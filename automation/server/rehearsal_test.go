package server_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/server"
	"redoubt/internal/postgrestest"
)

// Two processes share the rehearsal accounts of one data folder, and take turns; a
// third, with a folder of its own, would find nothing there of what they made.
func TestRehearsalAccountsOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)
	config := ordering(t, func(c *server.Config) { c.Database.URL, c.Provisioning.Slots = database.URL(t, "postgres"), 2 })
	one := start(t, config, server.WithCatalog(catalog{}))
	c := taking(t, one)
	second := config
	second.Provisioning.Role = "worker"
	two := start(t, second, server.WithCatalog(catalog{}))
	project, err := c.CreateProject(t.Context(), client.NewProject{Org: "acme", Name: "shop", Settings: &client.ProjectSettings{}})
	require.NoError(t, err)
	var ordered []client.Operation
	for i := range 4 {
		o, err := c.CreateStack(t.Context(), client.NewStack{ProjectID: project.ID, Name: fmt.Sprint("stack-", i), Blueprint: "thing", Inputs: json.RawMessage(`{"Secret":"x"}`)}, client.CreateStackParams{})
		require.NoError(t, err)
		ordered = append(ordered, o.Operation)
	}
	for _, o := range ordered {
		o = settled(t, c, o.ID)
		require.Equal(t, "succeeded", o.State, "%+v", o.Failure)
	}
	// All of them may run on either; none is free of the account for ever.
	const up = `redoubt_operations_total{blueprint="thing",kind="up",state="succeeded"}`
	require.Equal(t, 4.0, measured(t, one)[up]+measured(t, two)[up])

	other := config
	other.Data = filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.MkdirAll(other.Data, 0o700))
	keys, err := os.ReadFile(filepath.Join(config.Data, "keys.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(other.Data, "keys.json"), keys, 0o600))
	_, err = server.Open(t.Context(), other, server.WithCatalog(catalog{}))
	require.ErrorContains(t, err, "the rehearsal accounts of this database are in "+filepath.Join(config.Data, "rehearsal"))
	require.ErrorContains(t, err, "--account aws")

	takes := other
	takes.Provisioning.Role = "api"
	start(t, takes, server.WithCatalog(catalog{})) // it runs none
	other.Provisioning.AdoptRehearsal = true
	start(t, other, server.WithCatalog(catalog{}))
	_, err = server.Open(t.Context(), config, server.WithCatalog(catalog{}))
	require.ErrorContains(t, err, filepath.Join(other.Data, "rehearsal"))
}
