package story

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"redoubt/internal/rehearsal"
	"redoubt/internal/scripttest"
)

// cloud is a rehearsal account that outlives every process of the service, as AWS
// does. Nodes with --account aws reach it: the plugin that they find for AWS says
// where it is. Calls can be held in it.
type cloud struct {
	*rehearsal.Account
	// plugins is the folder for --provisioning-plugins.
	plugins string
	port    int

	mu    sync.Mutex
	gates map[string]*gate // by stack
}

// moment is a kind of call that a gate holds.
type moment int

const (
	// previewed is when a resource is looked at, first of all in a preview.
	previewed moment = iota
	// changed is when one is made, changed or deleted for real.
	changed
)

func newCloud(t *testing.T) *cloud {
	t.Helper()
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	c := &cloud{Account: account, plugins: t.TempDir(), gates: map[string]*gate{}}
	server, err := rehearsal.Serve(context.WithoutCancel(t.Context()), account, "127.0.0.1:0", grpc.UnaryInterceptor(c.hold))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(server.Close(), account.Close())) })
	c.port = server.Port()
	folder := filepath.Join(c.plugins, "resource-aws-v"+rehearsal.Version)
	require.NoError(t, os.Mkdir(folder, 0o700))
	// It ends with the CLI, as a plugin does.
	script := fmt.Sprintf("#!/bin/sh\necho %d\nwhile kill -0 \"$PPID\" 2>/dev/null; do sleep 1; done\n", c.port)
	scripttest.Write(t, filepath.Join(folder, "pulumi-resource-aws"), script)
	return c
}

// flags are those of a node whose orders go there. Each of its processes is one of an
// operation: none waits for the next.
func (c *cloud) flags() []string {
	return []string{"--account", "ambient", "--provisioning-plugins", c.plugins, "--provisioning-spare", "0s"}
}

// hold lets a call wait where its stack has a gate.
func (c *cloud) hold(ctx context.Context, q any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	of, urn := previewed, ""
	switch q := q.(type) {
	case *pulumirpc.CheckRequest:
		urn = q.GetUrn()
	case *pulumirpc.CreateRequest:
		if urn, of = q.GetUrn(), changed; q.GetPreview() {
			return next(ctx, q)
		}
	case *pulumirpc.UpdateRequest:
		if urn, of = q.GetUrn(), changed; q.GetPreview() {
			return next(ctx, q)
		}
	case *pulumirpc.DeleteRequest:
		urn, of = q.GetUrn(), changed
	}
	c.mu.Lock()
	g := c.gates[strings.TrimPrefix(strings.Split(urn, "::")[0], "urn:pulumi:")]
	c.mu.Unlock()
	if g != nil && g.at == of {
		if err := g.pass(ctx, urn); err != nil {
			return nil, err
		}
	}
	return next(ctx, q)
}

// gate holds a stack's calls, after the first few, from when it is made until it is
// opened.
func (c *cloud) gate(stack string, at moment, after int) *gate {
	g := &gate{at: at, after: after, awaited: make(chan struct{}), opened: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gates[stack] = g
	return g
}

// gate is where calls wait.
type gate struct {
	at moment
	// awaited is closed when a call waits, opened when none does any more.
	awaited, opened chan struct{}

	mu    sync.Mutex
	after int
	// came are the URNs of the calls that have waited.
	came []string
	// refused is what those are told that waited when it was opened.
	refused error
}

// errDropped is what is said to who does not hear it: it died with the call under way,
// which had no effect.
var errDropped = errors.New("the connection was cut")

func (g *gate) pass(ctx context.Context, urn string) error {
	g.mu.Lock()
	if g.after > 0 {
		g.after--
		g.mu.Unlock()
		return nil
	}
	select {
	case <-g.opened:
		g.mu.Unlock()
		return nil
	default:
	}
	if g.came = append(g.came, urn); len(g.came) == 1 {
		close(g.awaited)
	}
	g.mu.Unlock()
	select {
	case <-g.opened:
		return g.refused
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until a call waits.
func (g *gate) await(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-g.awaited:
	case <-ctx.Done():
		require.Fail(t, "no call came to the gate")
	}
}

// urns are those of the calls that have waited, sorted.
func (g *gate) urns() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(slices.Values(g.came))
}

// open lets all calls go on.
func (g *gate) open() { close(g.opened) }

// drop ends those calls that wait without effect, and lets all others pass.
func (g *gate) drop() {
	g.refused = errDropped
	g.open()
}
