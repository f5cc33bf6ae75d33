package server_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/automation/server"
)

// nothing is a catalogue in which nothing can be ordered.
type nothing struct{}

// Blueprints implements provision.Catalog.
func (nothing) Blueprints() []provision.Blueprint { return nil }

// Blueprint implements provision.Catalog.
func (nothing) Blueprint(string, string) (provision.Blueprint, error) {
	return provision.Blueprint{}, errors.New("none")
}

// selfService runs a server with workers until stop is called, and returns the client
// of its first token, which is made where none is given.
func selfService(t *testing.T, config server.Config, token string) (c *client.Client, stop func()) {
	t.Helper()
	config.Provisioning.Role, config.Provisioning.PolicyPack = "all", operate.NoPolicy
	s, err := server.Open(t.Context(), config, server.WithCatalog(nothing{}))
	require.NoError(t, err)
	if token == "" {
		token, err = s.Bootstrap(t.Context())
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, s.Close())
	}
	t.Cleanup(stop)
	return &client.Client{URL: s.URL(), Token: token}, stop
}

// A queue that was paused is so after a restart, until somebody resumes it.
func TestAPauseOutlivesTheServer(t *testing.T) {
	t.Parallel()
	config := configure(t)
	first, stop := selfService(t, config, "")
	require.Eventually(t, func() bool { // once the workers listen
		q, err := first.PauseQueue(t.Context(), "default")
		return err == nil && q.Paused
	}, patience, 50*time.Millisecond)
	stop()
	second, _ := selfService(t, config, first.Token)
	paused := map[string]bool{}
	queues, err := second.ListQueues(t.Context())
	require.NoError(t, err)
	for _, q := range queues.Items {
		paused[q.Name] = q.Paused
	}
	require.Equal(t, map[string]bool{"default": true, "drift": false}, paused)
	resumed, err := second.ResumeQueue(t.Context(), "default")
	require.NoError(t, err)
	require.False(t, resumed.Paused)
	actions := map[string]int{}
	require.NoError(t, second.ExportAudit(t.Context(), 0, func(e client.AuditEntry) error { actions[e.Action]++; return nil }))
	require.Positive(t, actions["queue.pause"])
	require.Equal(t, 1, actions["queue.resume"])
}

// The setting bounds how often a principal asks.
func TestLimitsOfAPrincipal(t *testing.T) {
	t.Parallel()
	c, _ := selfService(t, configure(t, func(c *server.Config) { c.Limits.Rate, c.Limits.Burst = 0.001, 2 }), "")
	for range 2 {
		_, err := c.WhoAmI(t.Context())
		require.NoError(t, err)
	}
	_, err := c.WhoAmI(t.Context())
	var p *client.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, http.StatusTooManyRequests, p.Status)
	require.Equal(t, "rate_limited", p.Code)
	require.Positive(t, p.RetryAfter)
}
