package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

func webhook(id, org string) provision.Webhook {
	h := full[provision.Webhook]()
	h.ID, h.Org, h.Version = id, org, 1
	return h
}

var webhookTests = []test{
	{"webhooks come back as they were, by organization, and saving compares versions", func(t *testing.T, s provision.Store) {
		zero := provision.Webhook{ID: "c", Org: "acme"}
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateWebhook(zero), tx.CreateWebhook(webhook("b", "zeta")), tx.CreateWebhook(webhook("a", "Acme")))
			require.ErrorIs(t, tx.CreateWebhook(webhook("a", "x")), backend.ErrExists)
		})
		of := func(org string) []provision.Webhook {
			return got(t, s, func(tx provision.Tx) ([]provision.Webhook, error) { return tx.Webhooks(org) })
		}
		require.Equal(t, []provision.Webhook{webhook("a", "Acme"), zero}, of("aCME"))
		require.Equal(t, []provision.Webhook{webhook("b", "zeta")}, of("zeta"))
		require.Empty(t, of(""))
		changed := webhook("a", "Acme")
		changed.Disabled, changed.SealedSecrets, changed.FailingSince = false, nil, time.Time{}
		update(t, s, func(tx provision.Tx) {
			must(tx.SaveWebhook(&changed))
			old := webhook("a", "Acme")
			require.ErrorIs(t, tx.SaveWebhook(&old), provision.ErrVersion)
		})
		require.Equal(t, int64(2), changed.Version)
		require.Equal(t, changed, got(t, s, func(tx provision.Tx) (provision.Webhook, error) { return tx.Webhook("a") }))
	}},
	{"deleting a webhook deletes its deliveries", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateWebhook(webhook("a", "acme")), tx.CreateWebhook(webhook("b", "acme")),
				tx.AddDelivery(provision.Delivery{ID: "1", WebhookID: "a"}), tx.AddDelivery(provision.Delivery{ID: "2", WebhookID: "b"}),
				tx.DeleteWebhook("a"))
		})
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"webhook":          func(tx provision.Tx) error { return failing(tx.Webhook("a")) },
			"delete":           func(tx provision.Tx) error { return tx.DeleteWebhook("a") },
			"save":             func(tx provision.Tx) error { return tx.SaveWebhook(&provision.Webhook{ID: "a"}) },
			"its delivery":     func(tx provision.Tx) error { return failing(tx.Delivery("1")) },
			"another delivery": func(tx provision.Tx) error { return tx.AddDelivery(provision.Delivery{ID: "3", WebhookID: "a"}) },
		})
		require.Equal(t, "2", got(t, s, func(tx provision.Tx) (provision.Delivery, error) { return tx.Delivery("2") }).ID)
	}},
}

var deliveryTests = []test{
	{"deliveries come back as they were, and are saved", func(t *testing.T, s provision.Store) {
		want, zero := full[provision.Delivery](), provision.Delivery{ID: "0", WebhookID: "a"}
		want.WebhookID = "a"
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateWebhook(webhook("a", "acme")), tx.AddDelivery(want), tx.AddDelivery(zero))
			require.ErrorIs(t, tx.AddDelivery(want), backend.ErrExists)
		})
		for _, want := range []provision.Delivery{want, zero} {
			require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Delivery, error) { return tx.Delivery(want.ID) }))
		}
		want.Attempts, want.DueAt, want.DeliveredAt, want.Status, want.Error = 9, time.Time{}, at(50), 204, ""
		update(t, s, func(tx provision.Tx) { must(tx.SaveDelivery(want)) })
		require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Delivery, error) { return tx.Delivery(want.ID) }))
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return tx.SaveDelivery(provision.Delivery{ID: "x", WebhookID: "a"}) })
	}},
	{"deliveries are due oldest first, listed newest first, and pruned when they are done", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateWebhook(webhook("h", "acme")), tx.CreateWebhook(webhook("i", "acme")))
			for id, d := range map[string]provision.Delivery{
				"a": {DueAt: at(5)}, "b": {DueAt: at(3)}, "c": {}, "d": {DueAt: at(6)}, "e": {DueAt: at(3)}, "f": {DueAt: at(4), WebhookID: "i"},
				"g": {CreatedAt: at(2)},
			} {
				d.ID = id
				if d.WebhookID == "" {
					d.WebhookID = "h"
				}
				if d.CreatedAt.IsZero() {
					d.CreatedAt = at(1)
				}
				must(tx.AddDelivery(d))
			}
		})
		ids := func(look func(provision.Tx) ([]provision.Delivery, error)) (ids []string) {
			for _, d := range got(t, s, look) {
				ids = append(ids, d.ID)
			}
			return ids
		}
		due := func(minutes, limit int) []string {
			return ids(func(tx provision.Tx) ([]provision.Delivery, error) { return tx.DueDeliveries(at(minutes), limit) })
		}
		of := func(hook, before string, limit int) []string {
			return ids(func(tx provision.Tx) ([]provision.Delivery, error) { return tx.Deliveries(hook, before, limit) })
		}
		require.Equal(t, []string{"b", "e", "f", "a"}, due(5, 0))
		require.Equal(t, []string{"b", "e"}, due(5, 2))
		require.Nil(t, due(2, 0))
		require.Equal(t, []string{"g", "e", "d", "c", "b", "a"}, of("h", "", 0))
		require.Equal(t, []string{"g", "e"}, of("h", "", 2))
		require.Equal(t, []string{"d", "c"}, of("h", "e", 2))
		require.Equal(t, []string{"f"}, of("i", "", 0))
		update(t, s, func(tx provision.Tx) {
			n, err := tx.PruneDeliveries(at(2), 0)
			must(err)
			require.Equal(t, int64(1), n)
		})
		require.Equal(t, []string{"g", "e", "d", "b", "a"}, of("h", "", 0))
	}},
}
