package sql_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
	"redoubt/automation/provision/storetest"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// provisioning is a store as package provision sees it.
func provisioning(t testing.TB, store backend.Store) provision.Store {
	t.Helper()
	s, ok := sql.Provisioning(store)
	require.True(t, ok)
	return s
}

func TestProvisioningInSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) provision.Store { return provisioning(t, openFile(t)) })
}

func TestProvisioningInPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) provision.Store {
		return provisioning(t, open(t, postgrestest.Database(t), sql.WithConnections(4)))
	})
}

func TestAWrappedStoreIsNotProvisioning(t *testing.T) {
	t.Parallel()
	type wrapped struct{ backend.Store }
	_, ok := sql.Provisioning(wrapped{openFile(t)})
	require.False(t, ok)
}
