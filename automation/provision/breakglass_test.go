package provision_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var breakGlassTests = []test{
	{"a role with an end takes a second person, and everybody hears of it", func(t *testing.T, w *world) {
		w.update(t, func(tx provision.Tx) error {
			return tx.CreateWebhook(provision.Webhook{ID: "whk_1", Org: org, URL: "https://hooks.example", Types: []string{"access.*"}, Version: 1})
		})
		told := func(hook string) (kinds []string) {
			require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
				sent, err := tx.Deliveries(hook, "", 0)
				for _, d := range sent {
					var data struct{ Data map[string]string }
					require.NoError(t, json.Unmarshal(d.Payload, &data))
					kinds = append(kinds, d.Type+" "+data.Data["subject"]+" "+data.Data["role"]+" by "+data.Data["by"])
				}
				return err
			}))
			return kinds
		}
		w.admin.Groups = []string{"admins"}
		glass := provision.NewBinding{Role: provision.Operator, Scope: "acme/shop", Lifetime: time.Hour}
		for _, subject := range []string{"user:root", "group:admins"} {
			n := glass
			n.Subject = subject
			w.unchanged(t, provision.CodeForbidden, "takes a second person: have another administrator give it to "+subject, func() error {
				_, err := w.CreateBinding(t.Context(), w.admin, n)
				return err
			})
		}
		require.Empty(t, told("whk_1"))

		n := glass
		n.Subject = "user:vera"
		b, err := w.CreateBinding(t.Context(), w.admin, n)
		require.NoError(t, err)
		require.Equal(t, "binding.break_glass", w.last(t).Action)
		require.Equal(t, "root", w.last(t).Principal)
		require.WithinDuration(t, b.CreatedAt.Add(time.Hour), b.Expires, time.Second)
		require.Equal(t, []string{"access.break_glass user:vera operator by root"}, told("whk_1"))
		allowed := func() bool {
			return w.Check(t.Context(), w.viewer, provision.ActionApply, provision.Resource{Org: org, Project: "shop", Stack: "dev"}) == nil
		}
		require.True(t, allowed())
		w.pass(time.Hour + time.Second)
		require.False(t, allowed(), "its time is over")

		// For ever somebody may give themselves a role, as the first administrator must,
		// and it is no secret either.
		_, err = w.CreateBinding(t.Context(), w.admin, provision.NewBinding{Subject: "user:root", Role: provision.Operator, Scope: "*"})
		require.NoError(t, err)
		require.Equal(t, "binding.create", w.last(t).Action)
		require.Equal(t, "access.self_granted user:root operator by root", told("whk_1")[0])
		_, err = w.CreateBinding(t.Context(), w.admin, provision.NewBinding{Subject: "user:vera", Role: provision.Operator, Scope: "acme/shop"})
		require.NoError(t, err)
		require.Len(t, told("whk_1"), 2)
	}},
}
