package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var organizationTests = []test{
	{"organizations are found by name, whatever the case", func(t *testing.T, s backend.Store) {
		acme := backend.Organization{ID: "org_1", Name: "Acme", CreatedAt: at(1)}
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.CreateOrganization(acme)) })
		for _, name := range []string{"Acme", "acme", "ACME"} {
			require.Equal(t, acme, got(t, s, func(tx backend.Tx) (backend.Organization, error) { return tx.Organization(name) }))
			fails(t, s, backend.ErrExists, func(tx backend.Tx) error {
				return tx.CreateOrganization(backend.Organization{ID: "org_2", Name: name})
			})
		}
		fails(t, s, backend.ErrExists, func(tx backend.Tx) error {
			return tx.CreateOrganization(backend.Organization{ID: "org_1", Name: "other"})
		})
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error {
			_, err := tx.Organization("acm")
			return err
		})
	}},
	{"organizations are sorted by name", func(t *testing.T, s backend.Store) {
		require.Empty(t, got(t, s, backend.Tx.Organizations))
		update(t, s, func(tx backend.Tx) {
			for _, name := range []string{"zeta", "Beta", "alpha", "a-b", "a_b", "ab"} {
				require.NoError(t, tx.CreateOrganization(backend.Organization{ID: "org_" + name, Name: name}))
			}
		})
		var names []string
		for _, o := range got(t, s, backend.Tx.Organizations) {
			names = append(names, o.Name)
			require.True(t, o.CreatedAt.IsZero())
		}
		require.Equal(t, []string{"a-b", "a_b", "ab", "alpha", "Beta", "zeta"}, names)
	}},
}
