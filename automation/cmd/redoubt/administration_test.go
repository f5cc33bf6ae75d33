package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/automation/river"
)

// listening opens queues that a worker listens to, until the test ends.
func listening(t *testing.T, folder string) *river.Dispatcher {
	t.Helper()
	q, err := river.Open(t.Context(), folder, river.Options{Slots: 2})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- q.Listen(ctx, func(context.Context, river.Job) {}) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, q.Close())
	})
	return q
}

func TestQueues(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	o := openOffice(t, func(p *provision.Options) { p.Queues = listening(t, folder) })
	o.does(t, "alice", "project", "create", "acme/shop")
	o.orders(t, "logs")
	require.Regexp(t, `default +no +1 +\S+ +0\n *drift +no +0 +– +0`, o.does(t, "alice", "queue", "list"))
	require.Eventually(t, func() bool { // once the worker listens
		code, stdout, _ := o.as(t, "alice", "", "queue", "pause", "default")
		return code == exitOK && strings.Contains(stdout, "Queue default is paused: 1 operation(s) wait, 0 run on.")
	}, patience, 50*time.Millisecond)
	require.Regexp(t, `default +yes +1`, o.does(t, "bob", "queue", "list"))
	require.Contains(t, o.does(t, "bob", "queue", "resume", "default"), "is open")
	code, _, stderr := o.as(t, "nobody", "", "queue", "pause", "default")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "may not change the settings of")
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	o.does(t, "alice", "quota", "set", "acme", "--stacks", "3", "--max-ttl", "30d")
	o.does(t, "alice", "quota", "set", "acme/shop", "--per-hour", "7")
	o.does(t, "alice", "quota", "set", "acme/shop", "--concurrent", "2")
	o.orders(t, "logs", "--ttl", "2d")
	table := o.does(t, "alice", "quota", "show", "acme/shop")
	require.Regexp(t, `stacks +1 +3 +–\n`, table)
	require.Regexp(t, `concurrent +0 +2 +2\n`, table)
	require.Regexp(t, `per_hour +1 +7 +7\n`, table, "what is not given stays")
	require.Regexp(t, `max_ttl +– +720h`, table)
	require.Regexp(t, `stacks +3\n`, o.does(t, "alice", "quota", "show", "acme"))
	code, _, stderr := o.as(t, "alice", "", "quota", "set", "acme/shop")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "nothing to set")
}

func TestFreezeWindows(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	o.does(t, "alice", "freeze", "add", "acme/shop", "--name", "weekend", "--cron", "0 16 * * 5", "--for", "2d14h")
	now := time.Now().UTC()
	o.does(t, "alice", "freeze", "add", "acme/shop", "--name", "move", "--from", now.Add(-time.Hour).Format(time.RFC3339), "--to", now.Add(time.Hour).Format(time.RFC3339))
	table := o.does(t, "alice", "freeze", "list", "acme/shop")
	require.Regexp(t, `weekend +0 16 \* \* 5 for 62h`, table)
	require.Regexp(t, `move .* to .* `+now.Add(time.Hour).Format("2006-01-02"), table, "it is open, until then")
	code, _, stderr := o.as(t, "alice", "", "freeze", "add", "acme/shop", "--name", "move", "--cron", "0 16 * * 5", "--for", "1h")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "already")
	o.does(t, "alice", "freeze", "remove", "acme/shop", "move")
	require.NotContains(t, o.does(t, "alice", "freeze", "list", "acme/shop"), "move")
	code, _, _ = o.as(t, "alice", "", "freeze", "remove", "acme/shop", "move")
	require.Equal(t, exitError, code)
}

func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	code, stdout, stderr := o.as(t, "alice", "", "service-accounts", "token", "deploy", "--name", "pipeline", "--grant", "acme/shop/*:read", "--lifetime", "30d")
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `^redoubt_\S+\n$`, stdout, "the token alone")
	require.NotContains(t, stderr, "redoubt_")
	caller, err := o.stacks.Authenticate(t.Context(), strings.TrimSpace(stdout))
	require.NoError(t, err)
	require.Equal(t, "sa:deploy", caller.Principal())
	require.Equal(t, "alice", caller.Token.Human)
	require.Regexp(t, `deploy +alice +1 +\S+`, o.does(t, "alice", "service-accounts", "list"))
	require.Regexp(t, `tok_\w+ +sa:deploy +pipeline +acme/shop/\*:read`, o.does(t, "alice", "service-accounts", "tokens", "deploy"))
	code, _, stderr = o.as(t, "bob", "", "service-accounts", "token", "deploy", "--name", "mine", "--grant", "acme/shop/*:read")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "somebody else answers for service account deploy")
	o.does(t, "alice", "service-accounts", "revoke", caller.Token.ID)
	_, err = o.stacks.Authenticate(t.Context(), strings.TrimSpace(stdout))
	require.Equal(t, backend.CodeUnauthenticated, backend.CodeOf(err))
	require.Regexp(t, `revoked`, o.does(t, "alice", "service-accounts", "tokens"))
	o.does(t, "alice", "service-accounts", "revoke", "deploy")
}

func TestStatesAndLogs(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	op := o.orders(t, "logs", "--ttl", "2d")
	o.move(t, op.ID, provision.Failed, nil,
		provision.Event{Type: provision.EventDiagnostic, Data: json.RawMessage(`{"phase":"up","severity":"warning","urn":"urn:pulumi:prod::shop::aws:s3/bucketV2:BucketV2::logs","message":"old\u001b[2J"}`)})
	require.Regexp(t, `warning  logs: old\[2J`, o.does(t, "alice", "operations", "logs", op.ID))
	var found []client.Stack
	for _, filter := range [][]string{{"--state", "failed"}, {"--expiring-within", "72h"}} {
		text := o.does(t, "alice", append([]string{"environments", "list", "--json"}, filter...)...)
		require.NoError(t, json.Unmarshal([]byte(text), &found))
		require.Len(t, found, 1, "%v", filter)
	}
	require.NotContains(t, o.does(t, "alice", "environments", "list", "--expiring-within", "1h"), "acme/shop/logs")
	require.Contains(t, o.does(t, "alice", "operations", "list", "--by", "user:alice", "--kind", "up"), op.ID)
	require.NotContains(t, o.does(t, "alice", "operations", "list", "--by", "user:bob"), op.ID)

	name := backend.StackName{Org: "acme", Project: "shop", Stack: "logs"}
	by := backend.Caller{Token: backend.Token{Principal: "cli", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}}}
	_, err := o.stacks.Import(t.Context(), by, name, json.RawMessage(`{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"resources":[
		{"urn":"urn:pulumi:logs::shop::pulumi:pulumi:Stack::x","type":"pulumi:pulumi:Stack","outputs":{"p":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"c2VhbGVk"}}}]}}`))
	require.NoError(t, err)
	require.Regexp(t, `1 +\d{4}-.* +1 +sha256:`, o.does(t, "alice", "environments", "states", "acme/shop/logs"))
	masked := o.does(t, "alice", "environments", "export", "acme/shop/logs", "1", "--reason", "a look")
	require.Contains(t, masked, `"p": "[secret]"`)
	require.Contains(t, o.does(t, "alice", "environments", "export", "acme/shop/logs", "1", "--reason", "a backup", "--sealed"), "c2VhbGVk")
}
