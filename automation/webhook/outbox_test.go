package webhook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
	"redoubt/automation/webhook"
)

const org = "acme"

// anybody may do anything.
type anybody struct{}

func (anybody) Decide(provision.Principal, []provision.Binding, provision.Action, provision.Resource) (provision.Decision, error) {
	return provision.Decision{Allowed: true}, nil
}

var root = provision.Principal{Kind: provision.Human, Name: "root", Human: "root", MFA: true, AuthMethod: "token"}

// world is a service with a receiver of webhooks.
type world struct {
	*provision.Service
	store *ahead
	hook  provision.Webhook
	// answer is what the receiver answers, received how often it was asked.
	answer, received atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	base, err := sql.Open(ctx, filepath.Join(t.TempDir(), "data"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, base.Close()) })
	store, ok := sql.Provisioning(base)
	require.True(t, ok)
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
	require.NoError(t, err)
	stacks := backend.New(base, ring, backend.Options{})
	_, err = stacks.Bootstrap(ctx, org)
	require.NoError(t, err)
	key, err := stacks.SigningKey(ctx)
	require.NoError(t, err)
	w := &world{store: &ahead{Store: store}}
	w.answer.Store(http.StatusNoContent)
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		w.received.Add(1)
		rw.WriteHeader(int(w.answer.Load()))
	}))
	t.Cleanup(receiver.Close)
	w.Service = provision.New(w.store, stacks, nil, anybody{}, nil, provision.Options{Key: key})
	w.hook, _, err = w.CreateWebhook(ctx, root, provision.NewWebhook{Org: org, URL: receiver.URL, Types: []string{"*"}})
	require.NoError(t, err)
	return w
}

// outbox is one of a node.
func (w *world) outbox() *webhook.Outbox {
	return &webhook.Outbox{Store: w.store, Secrets: w.Service, Sender: webhook.NewSender("test", loopback)}
}

func (w *world) round(t *testing.T) int {
	t.Helper()
	n, err := w.outbox().Round(t.Context())
	require.NoError(t, err)
	return n
}

func (w *world) test(t *testing.T) provision.Delivery {
	t.Helper()
	d, err := w.TestWebhook(t.Context(), root, w.hook.ID)
	require.NoError(t, err)
	return d
}

func (w *world) delivery(t *testing.T, id string) (d provision.Delivery) {
	t.Helper()
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) { d, err = tx.Delivery(id); return err }))
	return d
}

func (w *world) kept(t *testing.T) (hook provision.Webhook) {
	t.Helper()
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) { hook, err = tx.Webhook(w.hook.ID); return err }))
	return hook
}

// ahead is a store whose clock can be set ahead.
type ahead struct {
	provision.Store
	by atomic.Int64
}

type aheadTx struct {
	provision.Tx
	by time.Duration
}

func (t aheadTx) Now() time.Time { return t.Tx.Now().Add(t.by) }

func (s *ahead) View(ctx context.Context, read func(provision.Tx) error) error {
	return s.Store.View(ctx, func(tx provision.Tx) error { return read(aheadTx{tx, time.Duration(s.by.Load())}) })
}

func (s *ahead) Update(ctx context.Context, write func(provision.Tx) error) error {
	return s.Store.Update(ctx, func(tx provision.Tx) error { return write(aheadTx{tx, time.Duration(s.by.Load())}) })
}

func TestOutboxDelivers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.test(t)
	require.Equal(t, 1, w.round(t))
	require.Zero(t, w.round(t), "once")
	got := w.delivery(t, d.ID)
	require.Equal(t, http.StatusNoContent, got.Status)
	require.False(t, got.DeliveredAt.IsZero())
	require.Equal(t, 1, got.Attempts)
	require.Empty(t, got.Error)
	require.EqualValues(t, 1, w.received.Load())
}

func TestOutboxTriesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer.Store(http.StatusServiceUnavailable)
	d := w.test(t)
	waits := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour}
	for i, wait := range waits {
		if wait > time.Second {
			w.by(wait - time.Second)
			require.Zero(t, w.round(t), "attempt %d comes after %s", i+1, wait)
		}
		w.by(2 * time.Second)
		require.Equal(t, 1, w.round(t), "attempt %d", i+1)
	}
	got := w.delivery(t, d.ID)
	require.Equal(t, len(waits), got.Attempts)
	require.True(t, got.DueAt.IsZero(), "nobody tries any more")
	require.Equal(t, "it answered 503 Service Unavailable", got.Error)
	require.False(t, w.kept(t).Disabled)
	require.False(t, w.kept(t).FailingSince.IsZero())

	w.answer.Store(http.StatusOK)
	w.test(t)
	require.Equal(t, 1, w.round(t))
	require.True(t, w.kept(t).FailingSince.IsZero(), "one that arrives ends the failing")
}

func (w *world) by(d time.Duration) { w.store.by.Add(int64(d)) }

func TestOutboxDisablesAWebhookThatFailsForDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer.Store(http.StatusInternalServerError)
	w.test(t)
	require.Equal(t, 1, w.round(t))
	w.by(73 * time.Hour)
	w.test(t)
	require.Equal(t, 2, w.round(t))
	require.True(t, w.kept(t).Disabled)
	asked := w.received.Load()
	w.by(100 * time.Hour)
	w.round(t)
	require.Equal(t, asked, w.received.Load(), "a webhook that is disabled is asked nothing")
}

// A node that dies after it took a delivery loses nothing: it comes again.
func TestOutboxSurvivesItsNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.test(t)
	dying := w.outbox()
	ctx, cancel := context.WithCancel(t.Context())
	dying.Secrets = secretsOf(func(hook provision.Webhook) ([][]byte, error) {
		cancel() // between the taking and the attempt
		return w.WebhookSecrets(hook)
	})
	_, err := dying.Round(ctx)
	require.NoError(t, err)
	require.Zero(t, w.received.Load())
	require.True(t, w.delivery(t, d.ID).DeliveredAt.IsZero())
	w.by(6 * time.Second)
	require.Equal(t, 1, w.round(t))
	require.EqualValues(t, 1, w.received.Load())
	require.False(t, w.delivery(t, d.ID).DeliveredAt.IsZero())
}

type secretsOf func(provision.Webhook) ([][]byte, error)

func (f secretsOf) WebhookSecrets(hook provision.Webhook) ([][]byte, error) { return f(hook) }

func TestOutboxesOfManyNodesShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const deliveries = 40
	for range deliveries {
		w.test(t)
	}
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := w.outbox().Round(t.Context())
			errs <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-errs)
	}
	require.EqualValues(t, deliveries, w.received.Load(), "each once")
}

func TestOutboxForgetsADeletedWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.test(t)
	require.NoError(t, w.DeleteWebhook(t.Context(), root, w.hook.ID))
	w.round(t)
	require.Zero(t, w.received.Load())
	require.Zero(t, w.round(t))
}
