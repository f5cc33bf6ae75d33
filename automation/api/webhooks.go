package api

import (
	"encoding/json"
	"time"

	"redoubt/automation/provision"
)

// Webhook is an address that is told of events. Its secrets are not in it.
type Webhook struct {
	ID           string    `json:"id"`
	Org          string    `json:"org"`
	ProjectID    string    `json:"project_id,omitempty" doc:"Events of this project alone."`
	URL          string    `json:"url"`
	Types        []string  `json:"types"`
	Disabled     bool      `json:"disabled"`
	FailingSince time.Time `json:"failing_since,omitzero"`
	CreatedBy    string    `json:"created_by"`
	CreatedAt    time.Time `json:"created_at"`
	Version      int64     `json:"version"`
}

// NewWebhook asks for a webhook.
type NewWebhook struct {
	Org       string   `json:"org" minLength:"1" maxLength:"100"`
	ProjectID string   `json:"project_id,omitempty" maxLength:"100"`
	URL       string   `json:"url" minLength:"1" maxLength:"2000" doc:"https, and on the public internet." example:"https://hooks.example.com/redoubt"`
	Types     []string `json:"types" minItems:"1" maxItems:"50" doc:"Names of types, or with a star at the end." example:"operation.*"`
}

// CreatedWebhook is a new webhook with its secret, which is shown this once.
type CreatedWebhook struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret" doc:"Signs deliveries as Standard Webhooks has it; shown this once."`
}

// WebhookPatch changes a webhook: what is missing stays.
type WebhookPatch struct {
	URL      *string  `json:"url,omitempty" minLength:"1" maxLength:"2000"`
	Types    []string `json:"types,omitempty" minItems:"1" maxItems:"50"`
	Disabled *bool    `json:"disabled,omitempty"`
}

// Secret is a new signing secret; the one before is good for a while longer.
type Secret struct {
	Secret string `json:"secret" doc:"Shown this once."`
}

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID          string          `json:"id"`
	WebhookID   string          `json:"webhook_id"`
	Type        string          `json:"type"`
	Payload     json.RawMessage `json:"payload"`
	Attempts    int             `json:"attempts"`
	DueAt       time.Time       `json:"due_at,omitzero" doc:"When it is tried next."`
	DeliveredAt time.Time       `json:"delivered_at,omitzero"`
	Status      int             `json:"status,omitempty" doc:"What the address answered last."`
	Error       string          `json:"error,omitempty"`
	CreatedAt   time.Time       `json:"created_at"`
}

func webhookOf(w provision.Webhook) Webhook {
	types := w.Types
	if types == nil {
		types = []string{}
	}
	return Webhook{w.ID, w.Org, w.ProjectID, w.URL, types, w.Disabled, w.FailingSince, w.CreatedBy, w.CreatedAt, w.Version}
}

func deliveryOf(d provision.Delivery) Delivery {
	return Delivery{d.ID, d.WebhookID, d.Type, orNull(d.Payload), d.Attempts, d.DueAt, d.DeliveredAt, d.Status, d.Error, d.CreatedAt}
}

type webhookQuery struct {
	Org string `query:"org" required:"true" maxLength:"100" doc:"Whose."`
}

func (h *handlers) listWebhooks(c *call, in *webhookQuery) (*answer[page[Webhook]], error) {
	hooks, err := h.service.Webhooks(c, c.principal, in.Org)
	return pageOf(hooks, "", webhookOf), err
}

type newWebhookInput struct{ Body NewWebhook }

func (h *handlers) createWebhook(c *call, in *newWebhookInput) (*answer[CreatedWebhook], error) {
	w, secret, err := h.service.CreateWebhook(c, c.principal, provision.NewWebhook(in.Body))
	return &answer[CreatedWebhook]{CreatedWebhook{webhookOf(w), secret}}, err
}

type webhookPatchInput struct {
	WithID
	Changing
	Body WebhookPatch
}

func (h *handlers) updateWebhook(c *call, in *webhookPatchInput) (*versioned[Webhook], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	w, err := h.service.UpdateWebhook(c, c.principal, in.ID, version, provision.WebhookPatch(in.Body))
	return &versioned[Webhook]{etag(w.Version), webhookOf(w)}, err
}

func (h *handlers) deleteWebhook(c *call, in *WithID) (*nothing, error) {
	return &nothing{}, h.service.DeleteWebhook(c, c.principal, in.ID)
}

func (h *handlers) rotateWebhookSecret(c *call, in *WithID) (*answer[Secret], error) {
	secret, err := h.service.RotateWebhookSecret(c, c.principal, in.ID)
	return &answer[Secret]{Secret{secret}}, err
}

func (h *handlers) testWebhook(c *call, in *WithID) (*answer[Delivery], error) {
	d, err := h.service.TestWebhook(c, c.principal, in.ID)
	return &answer[Delivery]{deliveryOf(d)}, err
}

func (h *handlers) listDeliveries(c *call, in *pageOfOne) (*answer[page[Delivery]], error) {
	deliveries, err := h.service.Deliveries(c, c.principal, in.ID, in.Cursor.after, in.Limit)
	next := ""
	if len(deliveries) == in.Limit {
		next = deliveries[in.Limit-1].ID
	}
	return pageOf(deliveries, next, deliveryOf), err
}

func (h *handlers) redeliver(c *call, in *WithID) (*answer[Delivery], error) {
	d, err := h.service.Redeliver(c, c.principal, in.ID)
	return &answer[Delivery]{deliveryOf(d)}, err
}
