package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/webhook"
)

func TestWebhooks(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	code, stdout, stderr := o.as(t, "alice", "", "webhook", "create", "https://127.0.0.1:1/x", "--for", "acme/shop", "--type", "operation.*", "--type", "stack.drifted")
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `^whsec_\S+\n$`, stdout, "the secret alone")
	require.NotContains(t, stderr, "whsec_")
	var hooks []client.Webhook
	require.NoError(t, json.Unmarshal([]byte(o.does(t, "alice", "webhook", "list", "acme", "--json")), &hooks))
	require.Len(t, hooks, 1)
	require.Equal(t, []string{"operation.*", "stack.drifted"}, hooks[0].Types)
	id := hooks[0].ID
	table := o.does(t, "alice", "webhook", "list", "acme")
	require.Regexp(t, id+` +https://127\.0\.0\.1:1/x +operation\.\*,stack\.drifted +prj_\w+ +good +alice`, table)
	require.NotContains(t, table, "whsec_")

	// Nothing sends yet.
	code, stdout, _ = o.as(t, "alice", "", "webhook", "test", id, "--wait", "100ms")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "not sent yet")
	// Now something does, to where nobody listens.
	ctx, cancel := context.WithCancel(t.Context())
	out := &webhook.Outbox{
		Store: o.store, Secrets: o.service, Sender: webhook.NewSender("test", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}),
		Log: slog.New(slog.DiscardHandler),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_, _ = out.Round(ctx) // the test looks at what comes of it
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	code, stdout, stderr = o.as(t, "alice", "", "webhook", "test", id)
	require.Equal(t, exitFailed, code, stderr)
	require.Regexp(t, `failed 1 time\(s\): .*; the next attempt is at 20`, stdout)

	listed := o.does(t, "alice", "webhook", "deliveries", id)
	require.Regexp(t, `dlv_\w+ +webhook\.test +20.*failed`, listed)
	var deliveries []client.Delivery
	require.NoError(t, json.Unmarshal([]byte(o.does(t, "alice", "webhook", "deliveries", id, "--limit", "1", "--json")), &deliveries))
	require.Len(t, deliveries, 1)
	require.Contains(t, o.does(t, "alice", "webhook", "redeliver", deliveries[0].ID), "sent again")
	require.Regexp(t, `^whsec_\S+\n$`, o.does(t, "alice", "webhook", "rotate", id))
	require.Contains(t, o.does(t, "alice", "webhook", "delete", id), "is deleted")
	require.NotContains(t, o.does(t, "alice", "webhook", "list", "acme"), id)

	for want, args := range map[string][]string{
		"no address of a web server": {"create", "ftp://hooks.example.com", "--for", "acme"}, "there is no project acme/none": {"create", "https://x.example", "--for", "acme/none"},
		"stack.exploded": {"create", "https://x.example", "--for", "acme", "--type", "stack.exploded"}, "whk_none": {"test", "whk_none"},
	} {
		code, stdout, stderr := o.as(t, "alice", "", append([]string{"webhook"}, args...)...)
		require.Equal(t, exitError, code, stderr)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
}
