package provision

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"redoubt/automation/backend"
)

const (
	// maxWebhooks bounds what one event costs.
	maxWebhooks = 50
	// secretSize is in bytes; the specification asks for 24 to 64.
	secretSize = 32
	// secretPrefix is the specification's, so that scanners of leaked secrets know one.
	secretPrefix = "whsec_"
	// sealWebhooks is the purpose of the key that seals secrets.
	sealWebhooks = "webhook secrets"
)

// WebhookTypes are what webhooks can be told of; "operation.*" is all of a kind.
func WebhookTypes() []string {
	types := []string{
		"stack.created", "stack.deleted", "stack.drifted", "stack.drift_cleared", "stack.ttl_warning", "stack.ttl_expired", "stack.ttl_stalled",
		"policy.violation", "quota.near", "audit.checkpoint", "webhook.test",
	}
	for _, s := range States() {
		types = append(types, "operation."+string(s))
	}
	slices.Sort(types)
	return types
}

// NewWebhook describes a webhook to be made.
type NewWebhook struct {
	Org string
	// ProjectID restricts it to a project; empty for the whole organization.
	ProjectID string
	URL       string
	// Types are of WebhookTypes, or patterns that end in a star.
	Types []string
}

// WebhookPatch changes what is not nil.
type WebhookPatch struct {
	URL      *string
	Types    []string
	Disabled *bool
}

// CreateWebhook makes a webhook; its secret is shown this once.
func (s *Service) CreateWebhook(ctx context.Context, p Principal, n NewWebhook) (Webhook, string, error) {
	on, err := s.webhookScope(ctx, n.Org, n.ProjectID)
	if err != nil {
		return Webhook{}, "", err
	}
	if err := s.Check(ctx, p, webhookAction(n.ProjectID), on); err != nil {
		return Webhook{}, "", err
	}
	if findings := slices.Concat(checkWebhookURL(n.URL), checkWebhookTypes(n.Types)); len(findings) > 0 {
		return Webhook{}, "", invalidFields("the webhook cannot be made", findings)
	}
	w := Webhook{ID: newID("whk"), Org: n.Org, ProjectID: n.ProjectID, URL: n.URL, Types: n.Types, CreatedBy: p.Name, Version: 1}
	secret := s.addSecret(&w)
	err = s.store.Update(ctx, func(tx Tx) error {
		others, err := tx.Webhooks(n.Org)
		if err != nil {
			return err
		}
		if len(others) >= maxWebhooks {
			return Fail(CodeQuotaExceeded, "organization %s has %d webhooks, which is the most: delete one", n.Org, len(others))
		}
		w.CreatedAt = tx.Now()
		if err := tx.CreateWebhook(w); err != nil {
			return err
		}
		return record(tx, p.Actor(), "webhook.create", w.ID, map[string]string{"url": withoutQuery(w.URL)})
	})
	return w, secret, err
}

// Webhooks are an organization's that the principal may manage.
func (s *Service) Webhooks(ctx context.Context, p Principal, org string) (hooks []Webhook, err error) {
	if err := s.Check(ctx, p, ActionManageSettings, Resource{Org: org}); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { hooks, err = tx.Webhooks(org); return err })
	return hooks, err
}

// UpdateWebhook changes a webhook of a version. To enable one that was disabled
// forgets its failures.
func (s *Service) UpdateWebhook(ctx context.Context, p Principal, id string, version int64, patch WebhookPatch) (Webhook, error) {
	var findings []FieldError
	if patch.URL != nil {
		findings = checkWebhookURL(*patch.URL)
	}
	if patch.Types != nil {
		findings = append(findings, checkWebhookTypes(patch.Types)...)
	}
	if len(findings) > 0 {
		return Webhook{}, invalidFields("the webhook cannot be changed", findings)
	}
	return s.changeWebhook(ctx, p, id, "webhook.update", func(w *Webhook) error {
		if w.Version != version {
			return Fail(CodePreconditionFailed, "webhook %s was changed since: it has version %d", id, w.Version)
		}
		if patch.URL != nil {
			w.URL = *patch.URL
		}
		if patch.Types != nil {
			w.Types = patch.Types
		}
		if patch.Disabled != nil {
			w.Disabled = *patch.Disabled
			w.FailingSince = never
		}
		return nil
	})
}

// RotateWebhookSecret makes a new secret, which is shown this once. Until the next
// rotation deliveries are signed with the one before too.
func (s *Service) RotateWebhookSecret(ctx context.Context, p Principal, id string) (secret string, err error) {
	_, err = s.changeWebhook(ctx, p, id, "webhook.rotate_secret", func(w *Webhook) error {
		secret = s.addSecret(w)
		return nil
	})
	return secret, err
}

// DeleteWebhook deletes a webhook and its deliveries.
func (s *Service) DeleteWebhook(ctx context.Context, p Principal, id string) error {
	if _, err := s.webhookFor(ctx, p, id); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteWebhook(id); err != nil {
			return missingWebhook(id, err)
		}
		return record(tx, p.Actor(), "webhook.delete", id, nil)
	})
}

// TestWebhook puts an event of type webhook.test into the webhook's outbox.
func (s *Service) TestWebhook(ctx context.Context, p Principal, id string) (d Delivery, err error) {
	w, err := s.webhookFor(ctx, p, id)
	if err != nil {
		return Delivery{}, err
	}
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		d, err = deliver(tx, w, "webhook.test", map[string]string{"webhook_id": id, "sent_by": p.Name})
		return err
	})
	return d, err
}

// Deliveries are a webhook's, newest first.
func (s *Service) Deliveries(ctx context.Context, p Principal, webhookID, before string, limit int) (page []Delivery, err error) {
	if _, err := s.webhookFor(ctx, p, webhookID); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { page, err = tx.Deliveries(webhookID, before, limit); return err })
	return page, err
}

// Redeliver sends a delivery's event again, as a delivery of its own.
func (s *Service) Redeliver(ctx context.Context, p Principal, deliveryID string) (again Delivery, err error) {
	var old Delivery
	err = s.store.View(ctx, func(tx Tx) (err error) { old, err = tx.Delivery(deliveryID); return err })
	if errors.Is(err, backend.ErrNotFound) {
		return Delivery{}, Fail(CodeNotFound, "there is no delivery %.40q", deliveryID)
	}
	if err != nil {
		return Delivery{}, err
	}
	if _, err := s.webhookFor(ctx, p, old.WebhookID); err != nil {
		return Delivery{}, err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		again = Delivery{ID: newID("dlv"), WebhookID: old.WebhookID, Type: old.Type, Payload: old.Payload, DueAt: tx.Now(), CreatedAt: tx.Now()}
		return tx.AddDelivery(again)
	})
	return again, err
}

// webhookFor finds a webhook for somebody who may manage it.
func (s *Service) webhookFor(ctx context.Context, p Principal, id string) (w Webhook, err error) {
	err = s.store.View(ctx, func(tx Tx) (err error) { w, err = tx.Webhook(id); return err })
	if err != nil {
		return w, missingWebhook(id, err)
	}
	on, err := s.webhookScope(ctx, w.Org, w.ProjectID)
	if err != nil {
		return w, err
	}
	return w, s.Check(ctx, p, webhookAction(w.ProjectID), on)
}

func (s *Service) changeWebhook(ctx context.Context, p Principal, id, action string, change func(*Webhook) error) (w Webhook, err error) {
	if _, err := s.webhookFor(ctx, p, id); err != nil {
		return w, err
	}
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		if w, err = tx.Webhook(id); err != nil {
			return missingWebhook(id, err)
		}
		if err := change(&w); err != nil {
			return err
		}
		if err := tx.SaveWebhook(&w); err != nil {
			return err
		}
		return record(tx, p.Actor(), action, id, map[string]string{"url": withoutQuery(w.URL)})
	})
	if errors.Is(err, ErrVersion) {
		err = Fail(CodeConflict, "webhook %s was being changed by somebody else: try again", id)
	}
	return w, err
}

// webhookScope is what a webhook belongs to.
func (s *Service) webhookScope(ctx context.Context, org, projectID string) (Resource, error) {
	if projectID == "" {
		return Resource{Org: org}, nil
	}
	var project Project
	err := s.store.View(ctx, func(tx Tx) (err error) { project, err = tx.Project(projectID); return err })
	if errors.Is(err, backend.ErrNotFound) || err == nil && project.Org != org {
		return Resource{}, Fail(CodeNotFound, "organization %.40q has no project %.40q", org, projectID)
	}
	return Resource{Org: org, Project: project.Name}, err
}

// webhookAction is what managing a webhook takes: a project's admin may have some
// for the project.
func webhookAction(projectID string) Action {
	if projectID == "" {
		return ActionManageSettings
	}
	return ActionManageProject
}

func missingWebhook(id string, err error) error {
	if errors.Is(err, backend.ErrNotFound) {
		return Fail(CodeNotFound, "there is no webhook %.40q", id)
	}
	return err
}

// addSecret gives a webhook a new secret, beside the one that it had.
func (s *Service) addSecret(w *Webhook) string {
	raw := make([]byte, secretSize)
	_, _ = rand.Read(raw) // it does not fail (crypto/rand)
	sealed := s.sealer(sealWebhooks).Seal(nil, nil, raw, []byte(w.ID))
	w.SealedSecrets = append([][]byte{sealed}, w.SealedSecrets...)
	if len(w.SealedSecrets) > 2 {
		w.SealedSecrets = w.SealedSecrets[:2]
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// WebhookSecrets are a webhook's signing secrets, newest first, for who delivers.
func (s *Service) WebhookSecrets(w Webhook) ([][]byte, error) {
	aead := s.sealer(sealWebhooks)
	secrets := make([][]byte, 0, len(w.SealedSecrets))
	for _, sealed := range w.SealedSecrets {
		secret, err := aead.Open(nil, nil, sealed, []byte(w.ID))
		if err != nil {
			return nil, fmt.Errorf("the secret of webhook %s was not sealed by this installation: %w", w.ID, err)
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// checkWebhookURL says what is wrong with an address. Where it leads is checked
// again at each delivery, when its name is resolved: a name may lead elsewhere by
// then.
func checkWebhookURL(address string) []FieldError {
	finding := func(format string, args ...any) []FieldError {
		return []FieldError{{Pointer: "/url", Message: fmt.Sprintf(format, args...)}}
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return finding("it is no address of a web server: https://hooks.example.com/redoubt")
	case u.User != nil:
		return finding("it has a user or password in it, which every log on the way would show: take a secret path, and check the signature")
	case u.Fragment != "":
		return finding("it has a fragment (#…), which is never sent")
	case len(address) > 2000:
		return finding("it has %d characters: at most 2000", len(address))
	}
	return nil
}

func checkWebhookTypes(types []string) (findings []FieldError) {
	if len(types) == 0 {
		return []FieldError{{Pointer: "/types", Message: "nothing to be told of: name types, for example operation.* or stack.drifted"}}
	}
	known := WebhookTypes()
	for i, t := range types {
		prefix, star := strings.CutSuffix(t, "*")
		if slices.Contains(known, t) || star && slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, prefix) }) {
			continue
		}
		findings = append(findings, FieldError{
			Pointer: fmt.Sprintf("/types/%d", i), Message: fmt.Sprintf("%.60q is no type of event: some of %s", t, strings.Join(known, ", ")),
		})
	}
	return findings
}

// withoutQuery is an address for people and logs: a query may hold a token.
func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}
