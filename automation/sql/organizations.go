package sql

import "redoubt/automation/backend"

var organizationColumns = columns{"id", "name", "name_key", "created_at"}

var (
	insertOrganization  = organizationColumns.insert("organizations")
	selectOrganizations = "SELECT " + organizationColumns.list() + " FROM organizations"
)

func scanOrganization(r row) (o backend.Organization, err error) {
	var key string
	err = r.Scan(&o.ID, &o.Name, &key, moment{&o.CreatedAt})
	return o, err
}

// CreateOrganization implements backend.Tx.
func (t *tx) CreateOrganization(o backend.Organization) error {
	return t.insert(insertOrganization, o.ID, o.Name, fold(o.Name), micros(o.CreatedAt))
}

// Organization implements backend.Tx.
func (t *tx) Organization(name string) (backend.Organization, error) {
	return one(t, scanOrganization, selectOrganizations+" WHERE name_key = $1", fold(name))
}

// Organizations implements backend.Tx.
func (t *tx) Organizations() ([]backend.Organization, error) {
	return all(t, scanOrganization, selectOrganizations+" ORDER BY name_key")
}
