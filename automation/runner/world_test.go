package runner

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/engine"
	"redoubt/automation/keyfile"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/sql"
)

const (
	// long is how long a test waits for what must come.
	long = time.Minute
	// org is the backend's organization, shop every test's project.
	org, shop = "acme", "shop"
	// healthcheckEvery is how often a plugin looks whether its engine lives.
	healthcheckEvery = 100 * time.Millisecond
)

// running is the backend of all tests, each of which has a stack of its own.
var running struct {
	service *backend.Service
	http    *httptest.Server
	admin   backend.Caller
	stop    func() error
}

func startBackend() error {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "runner-test-")
	if err != nil {
		return err
	}
	store, err := sql.Open(ctx, folder)
	if err != nil {
		return err
	}
	ring, err := keyfile.Open(filepath.Join(folder, "keys.json"))
	if err != nil {
		return err
	}
	running.service = backend.New(store, ring, backend.Options{})
	token, err := running.service.Bootstrap(ctx, org)
	if err != nil {
		return err
	}
	key, err := running.service.SigningKey(ctx)
	if err != nil {
		return err
	}
	running.http = httptest.NewServer(pulumiapi.New(running.service, pulumiapi.Options{SignKey: key, DefaultOrg: org}))
	running.stop = func() error {
		running.http.Close()
		return errors.Join(store.Close(), os.RemoveAll(folder))
	}
	running.admin, err = running.service.Authenticate(ctx, token)
	return err
}

// cli is found once: to find it takes a process.
var cli = sync.OnceValues(engine.FindCLI)

// operation is the specification of an operation on a stack of the test's own,
// with the provider attached and a token that is for that stack alone.
func operation(t *testing.T, f *fake, kind Kind, blueprint string, settings map[string]string) Spec {
	t.Helper()
	found, err := cli()
	require.NoError(t, err)
	name := strings.ToLower(strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()))
	stack := fmt.Sprintf("%s/%s/%s", org, shop, name)
	_, token, err := running.service.CreateToken(t.Context(), running.admin, backend.NewToken{
		Name: "test", Principal: "runner", Grants: []backend.Grant{{Stacks: stack, Verbs: []backend.Verb{backend.Write, backend.Apply, backend.Decrypt}}},
	})
	require.NoError(t, err)
	values := config.Map{}
	for key, value := range settings {
		values[config.MustMakeKey("test", key)] = config.NewValue(value)
	}
	spec := Spec{
		Kind: kind, Blueprint: blueprint, Stack: stack, Create: true, CLI: found,
		Project: engine.Project{
			Stack:    name,
			Project:  workspace.Project{Name: shop, Runtime: workspace.NewProjectRuntimeInfo("go", nil)},
			Settings: workspace.ProjectStack{Config: values},
		},
		Backend: engine.Backend{URL: running.http.URL, Token: token},
		// No plugins but those that a test attaches or puts on PATH.
		Plugins: t.TempDir(), Grace: long,
	}
	if f != nil {
		spec.Env = map[string]string{"PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("fake:%d", f.port)}
	}
	return spec
}

// as is the same stack's next operation.
func (s Spec) as(kind Kind) Spec {
	s.Kind = kind
	return s
}

// with is the same operation with other settings.
func (s Spec) with(key, value string) Spec {
	values := config.Map{}
	for k, v := range s.Project.Settings.Config {
		values[k] = v
	}
	if k := config.MustMakeKey("test", key); value == "" {
		delete(values, k)
	} else {
		values[k] = config.NewValue(value)
	}
	s.Project.Settings.Config = values
	return s
}

// encrypted is the same operation with a secret in the stack's settings,
// encrypted with a passphrase.
func (s Spec) encrypted(t *testing.T, key, value, passphrase string) Spec {
	t.Helper()
	salt := []byte("a salt of a test")
	crypter := config.NewSymmetricCrypterFromPassphrase(passphrase, salt)
	check, err := crypter.EncryptValue(t.Context(), "pulumi")
	require.NoError(t, err)
	text, err := crypter.EncryptValue(t.Context(), value)
	require.NoError(t, err)
	s = s.with(key, "-")
	s.Project.Settings.Config[config.MustMakeKey("test", key)] = config.NewSecureValue(text)
	s.Project.Settings.EncryptionSalt = "v1:" + base64.StdEncoding.EncodeToString(salt) + ":" + check
	s.Passphrase = passphrase
	return s
}

// start starts an operation, which the test must end.
func start(t *testing.T, spec Spec) *Operation {
	t.Helper()
	op, err := Start(context.WithoutCancel(t.Context()), spec)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			op.Kill()
		}
		_, _ = op.Wait()
		require.NoDirExists(t, string(op.folder))
	})
	return op
}

// run runs an operation to its end.
func run(t *testing.T, spec Spec) (Result, error) {
	t.Helper()
	return start(t, spec).Wait()
}

// await waits for what a test is told.
func await(t *testing.T, what string, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(long):
		require.FailNow(t, "waited in vain", what)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	require.Eventually(t, so, long, 20*time.Millisecond, what)
}

// private gives the test a folder for temporary files of its own, which must be
// empty in the end.
func private(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	return folder
}

func requireEmpty(t *testing.T, folder string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.Empty(t, left, "something is left behind")
}

// readSpec reads what writeSpec wrote, for a parent of its own.
func readSpec(from io.Reader) (Spec, error) {
	var s sealed
	if err := json.NewDecoder(from).Decode(&s); err != nil {
		return Spec{}, err
	}
	project, err := s.project()
	return Spec{
		Kind: s.Kind, Blueprint: s.Blueprint, Project: project, Stack: s.Stack, Backend: s.Backend,
		Create: s.Create, Env: s.Env, Plugins: s.Plugins, Grace: s.Grace, CLI: s.CLI,
	}, err
}

func writeSpec(t *testing.T, to io.WriteCloser, spec Spec) {
	t.Helper()
	s, err := spec.seal()
	require.NoError(t, err)
	require.NoError(t, json.NewEncoder(to).Encode(s))
	require.NoError(t, to.Close())
}
