package webhook

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// retries are the waits before each attempt after the first.
var retries = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
}

const (
	// giveUp is how long a webhook may fail before it is disabled.
	giveUp = 3 * 24 * time.Hour
	// batch is how many deliveries one round takes, atOnce how many of them at the
	// same time.
	batch, atOnce = 100, 8
)

// Secrets opens a webhook's secrets; see provision.Service.WebhookSecrets.
type Secrets interface {
	WebhookSecrets(provision.Webhook) ([][]byte, error)
}

// Outbox delivers what is due. Any number of nodes may run one: each attempt is
// taken in a transaction before it is made.
type Outbox struct {
	Store   provision.Store
	Secrets Secrets
	Sender  *Sender
	// Log is for what only operators see; nil for none.
	Log *slog.Logger
	// Tracer makes a span of each attempt; nil for none.
	Tracer trace.Tracer
	// Delivered is told of each attempt, its status 0 for none; nil for nobody.
	Delivered func(status int, late time.Duration)
}

// attempt is a delivery that this node has taken.
type attempt struct {
	delivery provision.Delivery
	hook     provision.Webhook
	secrets  [][]byte
	at, due  time.Time
	// trace is the W3C traceparent of the order that it tells of; empty for none.
	trace string
}

// Round makes one attempt at every delivery that is due, at most a batch, and
// returns how many that were.
func (o *Outbox) Round(ctx context.Context) (int, error) {
	taken, err := o.take(ctx)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, a := range taken {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			o.try(ctx, a)
		})
	}
	all.Wait()
	return len(taken), nil
}

// take makes each due delivery ours by moving its DueAt to its next retry, as if
// this attempt had failed: a node that dies in the middle costs a repetition, and
// loses nothing.
func (o *Outbox) take(ctx context.Context) (taken []attempt, err error) {
	err = o.Store.Update(ctx, func(tx provision.Tx) error {
		taken = nil
		due, err := tx.DueDeliveries(tx.Now(), batch)
		if err != nil {
			return err
		}
		for _, d := range due {
			a := attempt{delivery: d, at: tx.Now(), due: d.DueAt}
			a.hook, err = tx.Webhook(d.WebhookID)
			if err != nil && !errors.Is(err, backend.ErrNotFound) {
				return err
			}
			gone := err != nil || a.hook.Disabled
			a.delivery.DueAt = time.Time{}
			if !gone && d.Attempts < len(retries) {
				a.delivery.DueAt = tx.Now().Add(retries[d.Attempts])
			}
			a.delivery.Attempts++
			if o.Tracer != nil {
				a.trace = orderedIn(tx, d)
			}
			if gone {
				a.delivery.Error = "the webhook was disabled or deleted before it was delivered"
			} else {
				taken = append(taken, a)
			}
			if err := tx.SaveDelivery(a.delivery); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

func (o *Outbox) try(ctx context.Context, a attempt) {
	span := o.span(a)
	defer span.End()
	status, err := 0, error(nil)
	if a.secrets, err = o.Secrets.WebhookSecrets(a.hook); err == nil {
		status, err = o.Sender.Send(ctx, a.hook, a.secrets, a.delivery, a.at)
	}
	if ctx.Err() != nil {
		return // it comes again
	}
	ended(span, status, err)
	if o.Delivered != nil {
		o.Delivered(status, a.at.Sub(a.due))
	}
	if failed := o.note(ctx, a, status, err); failed != nil && o.Log != nil {
		o.Log.WarnContext(ctx, "the end of a delivery could not be noted; it comes again", "delivery", a.delivery.ID, "error", failed)
	}
}

// note writes down what became of an attempt.
func (o *Outbox) note(ctx context.Context, a attempt, status int, outcome error) error {
	return o.Store.Update(ctx, func(tx provision.Tx) error {
		d := a.delivery
		d.Status, d.Error = status, ""
		if outcome == nil {
			d.DeliveredAt, d.DueAt = tx.Now(), time.Time{}
		} else {
			d.Error = outcome.Error()
		}
		if err := tx.SaveDelivery(d); err != nil {
			return ignoreMissing(err)
		}
		hook, err := tx.Webhook(a.hook.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		if !judge(&hook, outcome, tx.Now()) {
			return nil
		}
		if err := tx.SaveWebhook(&hook); err != nil && !errors.Is(err, provision.ErrVersion) {
			return ignoreMissing(err)
		}
		return nil // another attempt was noted at the same time: it says the same
	})
}

// judge changes a webhook for the outcome of an attempt, and says whether it did.
func judge(hook *provision.Webhook, outcome error, now time.Time) (changed bool) {
	switch {
	case outcome == nil && hook.FailingSince.IsZero(), outcome != nil && hook.Disabled:
		return false
	case outcome == nil:
		hook.FailingSince = time.Time{}
	case hook.FailingSince.IsZero():
		hook.FailingSince = now
	case now.Sub(hook.FailingSince) >= giveUp:
		hook.Disabled = true
	default:
		return false
	}
	return true
}

func ignoreMissing(err error) error {
	if errors.Is(err, backend.ErrNotFound) {
		return nil // it was deleted meanwhile
	}
	return err
}
