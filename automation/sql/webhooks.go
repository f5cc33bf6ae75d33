package sql

import (
	"time"

	"redoubt/automation/provision"
)

var webhookColumns = columns{"id", "org", "org_key", "version", "doc"}

var (
	insertWebhook  = webhookColumns.insert("webhooks")
	swapWebhook    = webhookColumns.swap("webhooks")
	selectWebhooks = "SELECT doc, id, org, version FROM webhooks"
)

func webhookArgs(h provision.Webhook) []any {
	return []any{h.ID, h.Org, fold(h.Org), h.Version, asJSON(h)}
}

func scanWebhook(r row) (h provision.Webhook, err error) {
	err = r.Scan(docOf{&h}, &h.ID, &h.Org, &h.Version)
	return h, err
}

// CreateWebhook implements provision.Tx.
func (t *tx) CreateWebhook(h provision.Webhook) error {
	return t.insert(insertWebhook, webhookArgs(h)...)
}

// Webhook implements provision.Tx.
func (t *tx) Webhook(id string) (provision.Webhook, error) {
	return one(t, scanWebhook, selectWebhooks+" WHERE id = $1", id)
}

// SaveWebhook implements provision.Tx.
func (t *tx) SaveWebhook(h *provision.Webhook) error {
	return t.swap("webhooks", h.ID, &h.Version, swapWebhook, webhookArgs(*h)...)
}

// DeleteWebhook implements provision.Tx. Its deliveries go by ON DELETE CASCADE.
func (t *tx) DeleteWebhook(id string) error {
	return t.change("DELETE FROM webhooks WHERE id = $1", id)
}

// Webhooks implements provision.Tx, sorted by id.
func (t *tx) Webhooks(org string) ([]provision.Webhook, error) {
	return all(t, scanWebhook, selectWebhooks+" WHERE org_key = $1 ORDER BY id", fold(org))
}

var deliveryColumns = columns{
	"id", "webhook_id", "type", "attempts", "due_at", "delivered_at", "status", "error", "created_at", "payload",
}

var (
	insertDelivery   = deliveryColumns.insert("deliveries")
	saveDelivery     = "UPDATE deliveries SET " + deliveryColumns.set() + " WHERE id = $1"
	selectDeliveries = "SELECT " + deliveryColumns.list() + " FROM deliveries"
)

func deliveryArgs(d provision.Delivery) []any {
	return []any{
		d.ID, d.WebhookID, d.Type, int64(d.Attempts), micros(d.DueAt), micros(d.DeliveredAt), int64(d.Status), d.Error,
		micros(d.CreatedAt), string(d.Payload),
	}
}

func scanDelivery(r row) (d provision.Delivery, err error) {
	err = r.Scan(&d.ID, &d.WebhookID, &d.Type, &d.Attempts, moment{&d.DueAt}, moment{&d.DeliveredAt}, &d.Status, &d.Error,
		moment{&d.CreatedAt}, rawOf{&d.Payload})
	return d, err
}

// AddDelivery implements provision.Tx.
func (t *tx) AddDelivery(d provision.Delivery) error {
	return t.insert(insertDelivery, deliveryArgs(d)...)
}

// Delivery implements provision.Tx.
func (t *tx) Delivery(id string) (provision.Delivery, error) {
	return one(t, scanDelivery, selectDeliveries+" WHERE id = $1", id)
}

// SaveDelivery implements provision.Tx.
func (t *tx) SaveDelivery(d provision.Delivery) error {
	return t.change(saveDelivery, deliveryArgs(d)...)
}

// DueDeliveries implements provision.Tx.
func (t *tx) DueDeliveries(at time.Time, limit int) ([]provision.Delivery, error) {
	return all(t, scanDelivery, selectDeliveries+" WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at, id LIMIT $2", micros(at), atMost(limit))
}

// Deliveries implements provision.Tx. Newest first is by id: ids are ULIDs.
func (t *tx) Deliveries(webhookID, before string, limit int) ([]provision.Delivery, error) {
	var w where
	w.and("webhook_id = " + w.arg(webhookID))
	if before != "" {
		w.and("id < " + w.arg(before))
	}
	bound := w.arg(atMost(limit))
	return all(t, scanDelivery, selectDeliveries+w.String()+" ORDER BY id DESC LIMIT "+bound, w.args...)
}

// PruneDeliveries implements provision.Tx: of those that were made before a time
// it deletes who are done, and none that is still to be tried.
func (t *tx) PruneDeliveries(before time.Time, limit int) (int64, error) {
	return t.prune("deliveries", "id", "due_at = 0 AND created_at < $1", before, limit)
}
