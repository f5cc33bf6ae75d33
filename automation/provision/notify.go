package provision

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// notification is what a webhook is sent: ids, never outputs or secrets.
type notification struct {
	Type      string            `json:"type"`
	Timestamp time.Time         `json:"timestamp"`
	Data      map[string]string `json:"data"`
}

// notify puts an event into the outbox of every webhook that wants it, in the
// transaction of what it tells of.
func notify(tx Tx, org, projectID, kind string, data map[string]string) error {
	hooks, err := tx.Webhooks(org)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		if hook.Disabled || hook.ProjectID != "" && hook.ProjectID != projectID || !hook.wants(kind) {
			continue
		}
		if _, err := deliver(tx, hook, kind, data); err != nil {
			return err
		}
	}
	return nil
}

// deliver puts an event into the outbox of one webhook.
func deliver(tx Tx, hook Webhook, kind string, data map[string]string) (Delivery, error) {
	payload, err := json.Marshal(notification{Type: kind, Timestamp: tx.Now(), Data: data})
	if err != nil {
		return Delivery{}, err
	}
	d := Delivery{ID: newID("dlv"), WebhookID: hook.ID, Type: kind, Payload: payload, DueAt: tx.Now(), CreatedAt: tx.Now()}
	return d, tx.AddDelivery(d)
}

// wants says whether a webhook is told of a type: types are names, or end in a
// star, "operation.*".
func (w Webhook) wants(kind string) bool {
	return slices.ContainsFunc(w.Types, func(t string) bool {
		prefix, star := strings.CutSuffix(t, "*")
		return t == kind || star && strings.HasPrefix(kind, prefix)
	})
}
