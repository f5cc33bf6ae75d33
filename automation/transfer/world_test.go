package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/sql"
	"redoubt/automation/transfer"
	"redoubt/internal/clitest"
)

const org = "acme"

// redoubt is a service on SQLite.
type redoubt struct {
	url, token, folder string
	log                *lockedBuffer
	// fail answers a request instead of the service; nil for none.
	mu   sync.Mutex
	fail func(http.ResponseWriter, *http.Request) bool
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newRedoubt(t *testing.T) *redoubt {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	r := &redoubt{folder: t.TempDir(), log: &lockedBuffer{}}
	store, err := sql.Open(ctx, r.folder)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
	require.NoError(t, err)
	service := backend.New(store, ring, backend.Options{})
	r.token, err = service.Bootstrap(ctx, org)
	require.NoError(t, err)
	key, err := service.SigningKey(ctx)
	require.NoError(t, err)
	handler := pulumiapi.New(service, pulumiapi.Options{SignKey: key, Log: slog.New(slog.NewJSONHandler(r.log, nil))})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		fail := r.fail
		r.mu.Unlock()
		if fail == nil || !fail(w, q) {
			handler.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *redoubt) failWith(f func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = f
}

func (r *redoubt) side() transfer.Side { return transfer.Side{URL: r.url, Token: r.token} }

// machine is the stock CLI against one backend, with a home of its own.
type machine struct {
	env    []string
	folder string
}

// newMachine has a project "shop", where the commands that want one run.
func newMachine(t *testing.T, address, token, passphrase string) *machine {
	t.Helper()
	m := &machine{folder: t.TempDir()}
	m.env = clitest.Environment(t.TempDir(), "PULUMI_BACKEND_URL="+address, "PULUMI_ACCESS_TOKEN="+token, "PULUMI_CONFIG_PASSPHRASE="+passphrase)
	require.NoError(t, os.WriteFile(filepath.Join(m.folder, "Pulumi.yaml"), []byte("name: shop\nruntime: yaml\n"), 0o600))
	return m
}

func (m *machine) run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(clitest.Path(t), append([]string{"--non-interactive", "--color", "never"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = m.folder, m.env, strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "pulumi %s\n%s%s", strings.Join(args, " "), &stdout, &stderr)
	return stdout.String()
}

// diy is a file:// backend and its folder.
func diy(t *testing.T) (address, folder string) {
	t.Helper()
	folder = t.TempDir()
	return "file://" + folder, folder
}

// secretOf is a secret with a value, as `pulumi stack export --show-secrets`
// writes it.
func secretOf(t *testing.T, value any) map[string]any {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": string(text)}
}

// resources are those of a stack: the stack itself, a provider, and n more with
// all that a state can hold.
func resources(t *testing.T, project, stack string, n int, canary string) []any {
	t.Helper()
	urn := func(kind, name string) string {
		return fmt.Sprintf("urn:pulumi:%s::%s::%s::%s", stack, project, kind, name)
	}
	root := urn("pulumi:pulumi:Stack", project+"-"+stack)
	provider := urn("pulumi:providers:aws", "main")
	list := []any{
		map[string]any{
			"urn": root, "type": "pulumi:pulumi:Stack",
			"outputs": map[string]any{"url": "https://example.com/?a=1&b=<2>", "password": secretOf(t, canary)},
		},
		map[string]any{
			"urn": provider, "type": "pulumi:providers:aws", "custom": true, "id": "0f0e0d0c", "parent": root,
			"inputs": map[string]any{"region": "eu-west-1"}, "outputs": map[string]any{"region": "eu-west-1"},
		},
	}
	for i := range n {
		r := map[string]any{
			"urn": urn("aws:s3/bucket:Bucket", fmt.Sprintf("b%03d", i)), "type": "aws:s3/bucket:Bucket", "custom": true,
			"id": fmt.Sprintf("id-%d", i), "parent": root, "provider": provider + "::0f0e0d0c", "protect": i%7 == 0,
			"inputs": map[string]any{
				"n": i, "empty": map[string]any{}, "none": nil, "list": []any{"a", nil, 1.5},
				"file": map[string]any{"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "t", "hash": "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"},
			},
			"outputs": map[string]any{
				"nested": map[string]any{"deep": []any{secretOf(t, map[string]any{"key": canary, "n": i}), "plain"}},
			},
			"propertyDependencies":    map[string]any{"n": []any{root}, "list": nil},
			"additionalSecretOutputs": []any{"nested"}, "ignoreChanges": []any{"list"},
			"created": "2024-05-06T07:08:09Z", "modified": "2025-05-06T07:08:09Z",
			"customTimeouts": map[string]any{"create": 60},
		}
		if i > 0 {
			r["dependencies"] = []any{urn("aws:s3/bucket:Bucket", fmt.Sprintf("b%03d", i-1))}
		}
		list = append(list, r)
	}
	return list
}

// fill makes a stack with a state, through the CLI.
func (m *machine) fill(t *testing.T, stack string, list []any) {
	t.Helper()
	m.run(t, "", "stack", "init", stack, "--no-select")
	m.replace(t, stack, list)
}

// replace imports another list of resources into a stack.
func (m *machine) replace(t *testing.T, stack string, list []any) {
	t.Helper()
	var state map[string]any
	require.NoError(t, json.Unmarshal([]byte(m.run(t, "", "stack", "export", "--stack", stack)), &state))
	state["deployment"].(map[string]any)["resources"] = list
	text, err := json.Marshal(state)
	require.NoError(t, err)
	m.run(t, string(text), "stack", "import", "--stack", stack)
}

// addPending writes a pending operation into a state of a file:// backend: what
// an update leaves there that was killed. No command of the CLI does.
func addPending(t *testing.T, folder, stack string) {
	t.Helper()
	path := filepath.Join(folder, ".pulumi", "stacks", "shop", stack+".json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(text, &file))
	latest := file["checkpoint"].(map[string]any)["latest"].(map[string]any)
	last := latest["resources"].([]any)[2]
	copied, err := json.Marshal(last)
	require.NoError(t, err)
	var resource map[string]any
	require.NoError(t, json.Unmarshal(bytes.ReplaceAll(copied, []byte("::b000"), []byte("::begun")), &resource))
	latest["pending_operations"] = []any{map[string]any{"type": "creating", "resource": resource}}
	text, err = json.Marshal(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

// exported is what a backend holds, with its secrets, and without what is about
// the writing of it. It is not the code under test that compares here.
func (m *machine) exported(t *testing.T, stack string) map[string]any {
	t.Helper()
	var state map[string]any
	require.NoError(t, json.Unmarshal([]byte(m.run(t, "", "stack", "export", "--show-secrets", "--stack", stack)), &state))
	deployment := state["deployment"].(map[string]any)
	delete(deployment, "manifest")
	delete(deployment, "secrets_providers")
	return deployment
}

// result returns what became of a stack.
func result(t *testing.T, r transfer.Report, stack string) transfer.Result {
	t.Helper()
	i := slices.IndexFunc(r.Stacks, func(s transfer.Result) bool { return strings.HasSuffix(s.Stack, "/"+stack) })
	require.NotEqual(t, -1, i, "no stack %s in %+v", stack, r.Stacks)
	return r.Stacks[i]
}

// phrase gives every stack one passphrase.
func phrase(text string) *transfer.Passphrases {
	return &transfer.Passphrases{Lookup: func(name string) (string, bool) { return text, name == "PULUMI_CONFIG_PASSPHRASE" }}
}

// run is transfer.Run that was begun.
func run(t *testing.T, opts transfer.Options) transfer.Report {
	t.Helper()
	report, err := transfer.Run(t.Context(), opts)
	require.NoError(t, err)
	return report
}
