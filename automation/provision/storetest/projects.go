package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

var projectTests = []test{
	{"a project comes back as it was, by id and by name in any case", func(t *testing.T, s provision.Store) {
		zero := provision.Project{ID: "prj_0", Org: "o", Name: "p"}
		want := project("prj", "Acme", "Shop")
		update(t, s, func(tx provision.Tx) { must(tx.CreateProject(want), tx.CreateProject(zero)) })
		for _, want := range []provision.Project{want, zero} {
			require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Project, error) { return tx.Project(want.ID) }))
		}
		require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Project, error) { return tx.ProjectByName("aCME", "sHOP") }))
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"by id":      func(tx provision.Tx) error { return failing(tx.Project("prj_x")) },
			"by name":    func(tx provision.Tx) error { return failing(tx.ProjectByName("Acme", "Sho")) },
			"other org":  func(tx provision.Tx) error { return failing(tx.ProjectByName("o", "Shop")) },
			"by saving":  func(tx provision.Tx) error { return tx.SaveProject(&provision.Project{ID: "prj_x"}) },
			"by waivers": func(tx provision.Tx) error { return tx.CreateWaiver(provision.Waiver{ID: "w", ProjectID: "prj_x"}) },
		})
	}},
	{"saving a project writes everything but its names, and compares versions", func(t *testing.T, s provision.Store) {
		p := project("prj", "Acme", "Shop")
		update(t, s, func(tx provision.Tx) { must(tx.CreateProject(p)) })
		changed := p
		changed.Name, changed.Description, changed.CreatedBy, changed.Settings = "Other", "new", "bob", provision.ProjectSettings{Rehearse: true}
		update(t, s, func(tx provision.Tx) {
			must(tx.SaveProject(&changed))
			require.Equal(t, int64(2), changed.Version)
			old := p
			require.ErrorIs(t, tx.SaveProject(&old), provision.ErrVersion)
			require.Equal(t, p, old, "it is not touched")
		})
		changed.Name = "Shop"
		require.Equal(t, changed, got(t, s, func(tx provision.Tx) (provision.Project, error) { return tx.Project("prj") }))
	}},
	{"projects are listed by page", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("c", "Acme", "3")), tx.CreateProject(project("a", "acme", "1")),
				tx.CreateProject(project("b", "zeta", "1")), tx.CreateProject(project("d", "ACME", "2")))
		})
		for _, c := range []struct {
			org, after string
			limit      int
			want       []string
		}{
			{"acme", "", 0, []string{"a", "c", "d"}},
			{"Acme", "", 2, []string{"a", "c"}},
			{"acme", "c", 2, []string{"d"}},
			{"acme", "d", 2, nil},
			{"acm", "", 0, nil},
			{"", "a", 0, []string{"b", "c", "d"}},
		} {
			var ids []string
			for _, p := range got(t, s, func(tx provision.Tx) ([]provision.Project, error) { return tx.Projects(c.org, c.after, c.limit) }) {
				ids = append(ids, p.ID)
			}
			require.Equal(t, c.want, ids, "%v", c)
		}
	}},
}
