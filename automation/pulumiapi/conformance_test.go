package pulumiapi_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/internal/postgrestest"
)

// The stock CLI does everything that touches its service, on both databases.
// More CLIs than the one of `make tools` come from REDOUBT_PULUMI_CLIS.
func TestConformance(t *testing.T) {
	t.Parallel()
	for i, exe := range clis(t) {
		for _, database := range []string{"SQLite", "PostgreSQL"} {
			t.Run(fmt.Sprintf("%s/%d-%s", database, i, filepath.Base(exe)), func(t *testing.T) {
				t.Parallel()
				url := ""
				if database == "PostgreSQL" {
					url = postgrestest.Database(t)
				}
				w := newWorld(t, url)
				t.Run("inline", func(t *testing.T) { t.Parallel(); inline(t, w, exe) })
				t.Run("story", func(t *testing.T) { t.Parallel(); story(t, w, newLaptop(t, exe, w.admin)) })
				t.Run("moved", func(t *testing.T) { t.Parallel(); moved(t, w, newLaptop(t, exe, w.admin), newLaptop(t, exe, w.admin)) })
				t.Run("checkpoints", func(t *testing.T) {
					t.Parallel()
					checkpoints(t, w, newLaptop(t, exe, w.admin, "PULUMI_DISABLE_JOURNALING=true"))
				})
			})
		}
	}
}

// moved is a stack of a service that somebody else knows by another address. A state
// says by which its secrets are opened, and the CLI asks no other.
func moved(t *testing.T, w *world, before, after *laptop) {
	before.run(t, "login", w.server.URL)
	before.run(t, "stack", "init", "moved")
	before.run(t, "config", "set", "aws:region", "eu-west-1")
	before.run(t, "config", "set", "retention", "30")
	before.run(t, "config", "set", "--secret", "password", "canary-in-config")
	before.run(t, "up", "--yes", "--skip-preview")
	after.run(t, "login", strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1))
	after.run(t, "stack", "select", "moved")
	require.Contains(t, after.run(t, "stack", "export", "--show-secrets"), "canary-in-config")
	after.run(t, "config", "refresh")
	after.run(t, "state", "unprotect", "--all", "--yes")
	after.run(t, "destroy", "--yes", "--skip-preview")
	before.run(t, "stack", "export")
}

// story is the life of a stack.
func story(t *testing.T, w *world, l *laptop) {
	l.run(t, "login", w.server.URL)
	require.Contains(t, l.run(t, "whoami", "--verbose"), "Organizations: "+org)
	require.Contains(t, l.run(t, "org", "get-default"), org)

	// Stacks and tags.
	l.run(t, "stack", "init", "dev")
	require.Contains(t, l.fail(t, "stack", "init", "dev"), "already exists")
	l.run(t, "stack", "init", org+"/other", "--no-select")
	require.Contains(t, l.fail(t, "stack", "init", "stranger/dev"), "organization")
	listed := l.run(t, "stack", "ls")
	require.Contains(t, listed, "dev*")
	require.Contains(t, listed, "other")
	l.run(t, "stack", "select", org+"/shop/dev")
	require.Contains(t, l.fail(t, "stack", "select", "nowhere"), "no stack named 'nowhere' found")
	l.run(t, "stack", "tag", "set", "team", "payments")
	require.Contains(t, l.run(t, "stack", "tag", "ls"), "payments")
	l.run(t, "stack", "tag", "rm", "team")
	require.NotContains(t, l.run(t, "stack", "tag", "ls"), "payments")

	// Configuration.
	l.run(t, "config", "set", "aws:region", "eu-west-1")
	l.run(t, "config", "set", "retention", "30")
	l.run(t, "config", "set", "--secret", "password", "canary-in-config")
	require.Equal(t, "30\n", l.run(t, "config", "get", "retention"))
	require.Equal(t, "canary-in-config\n", l.run(t, "config", "get", "password"))
	require.NotContains(t, l.run(t, "config"), "canary")
	require.Contains(t, l.run(t, "config", "--show-secrets"), "canary-in-config")

	// Updates.
	require.Contains(t, l.run(t, "preview"), "to create")
	up := l.run(t, "up", "--yes")
	require.Contains(t, up, "created")
	require.NotContains(t, up, "canary")
	require.Contains(t, l.run(t, "up", "--yes", "--skip-preview"), "unchanged")
	require.Contains(t, l.run(t, "refresh", "--yes"), "unchanged")

	// What there is to see.
	require.NotContains(t, l.run(t, "stack", "output"), "canary")
	require.Contains(t, l.run(t, "stack", "output", "--show-secrets"), "canary-in-config")
	require.Contains(t, l.run(t, "stack", "output", "--show-secrets", "note"), "canary-in-stash")
	history := l.run(t, "stack", "history", "--json")
	require.Contains(t, history, `"kind": "refresh"`)
	require.Contains(t, history, `"result": "succeeded"`)
	l.run(t, "stack", "graph", filepath.Join(t.TempDir(), "graph.dot"))
	require.Contains(t, l.run(t, "stack"), "orders")
	require.Contains(t, l.run(t, "about"), org)
	l.run(t, "stack", "history", "events", "1")

	editing(t, l)
	resourceImport(t, l)
	secretsProviders(t, l)
	policy(t, w, l)
	renaming(t, w, l)

	// An update that nobody ends.
	l.fail(t, "cancel", "--yes")
	update, _ := w.update(t, "/api/stacks/"+org+"/shop/prod", false, true)
	require.Contains(t, l.fail(t, "up", "--yes", "--skip-preview"), "pulumi cancel")
	l.run(t, "cancel", "--yes")
	require.Contains(t, string(w.do(t, "GET", update, nil).body), `"failed"`)

	// The end.
	require.Contains(t, l.fail(t, "destroy", "--yes"), "protected")
	l.run(t, "state", "unprotect", "--all", "--yes")
	require.Contains(t, l.fail(t, "stack", "rm", "--yes"), "--force")
	require.Contains(t, l.run(t, "destroy", "--yes"), "deleted")
	l.run(t, "stack", "rm", "--yes")
	l.run(t, "stack", "rm", "--yes", "--force", "--stack", "other")
	require.NotContains(t, l.run(t, "stack", "ls"), "prod")
	l.run(t, "logout")

	require.NotContains(t, w.log.String(), "canary", "nothing that was secret is in the log")
	require.NotContains(t, w.log.String(), strings.Split(w.admin, "_")[2], "no token is in the log")
	require.NotContains(t, w.log.String(), `"status":500`)
}

// editing changes states by hand.
func editing(t *testing.T, l *laptop) {
	t.Helper()
	state := l.run(t, "stack", "export")
	require.NotContains(t, state, "canary")
	require.Contains(t, l.run(t, "stack", "export", "--show-secrets"), "canary-in-config")
	require.Contains(t, l.run(t, "stack", "export", "--version", "1"), "orders")

	file := filepath.Join(t.TempDir(), "state.json")
	l.run(t, "stack", "export", "--file", file)
	l.run(t, "stack", "import", "--file", file)
	require.Contains(t, l.run(t, "stack", "history"), "import")

	urn := func(kind, name string) string { return "urn:pulumi:dev::shop::" + kind + "::" + name }
	topic, group := urn("aws:sns/topic:Topic", "orders"), urn("aws:cloudwatch/logGroup:LogGroup", "app")
	l.run(t, "state", "rename", topic, "renamed", "--yes")
	require.Contains(t, l.run(t, "stack", "export"), urn("aws:sns/topic:Topic", "renamed"))
	l.run(t, "state", "rename", urn("aws:sns/topic:Topic", "renamed"), "orders", "--yes")
	l.run(t, "state", "protect", group, "--yes")
	require.Contains(t, l.fail(t, "state", "delete", group, "--yes"), "protected")
	l.run(t, "state", "unprotect", group, "--yes")
	l.run(t, "state", "move", "--source", org+"/shop/dev", "--dest", org+"/shop/other", "--yes", group)
	require.NotContains(t, l.run(t, "stack", "export"), group)
	moved := "urn:pulumi:other::shop::aws:cloudwatch/logGroup:LogGroup::app"
	require.Contains(t, l.run(t, "stack", "export", "--stack", "other"), moved)
	l.run(t, "state", "delete", "--stack", "other", moved, "--yes")
	require.Contains(t, l.run(t, "up", "--yes", "--skip-preview"), "1 created")
}

// resourceImport adopts what is in the account already.
func resourceImport(t *testing.T, l *laptop) {
	t.Helper()
	var outputs struct{ Topic string }
	require.NoError(t, json.Unmarshal([]byte(l.run(t, "stack", "output", "--json")), &outputs))
	l.run(t, "import", "--yes", "--generate-code=false", "--protect=false", "aws:sns/topic:Topic", "adopted", outputs.Topic)
	require.Contains(t, l.run(t, "stack", "export"), "::adopted")
	l.run(t, "state", "delete", "urn:pulumi:dev::shop::aws:sns/topic:Topic::adopted", "--yes")
}

// secretsProviders changes who seals the secrets, and back.
func secretsProviders(t *testing.T, l *laptop) {
	t.Helper()
	l.run(t, "stack", "change-secrets-provider", "passphrase")
	require.Contains(t, l.run(t, "stack", "export"), `"passphrase"`)
	require.Equal(t, "canary-in-config\n", l.run(t, "config", "get", "password"))
	l.run(t, "stack", "change-secrets-provider", "default")
	require.Contains(t, l.run(t, "stack", "export"), `"service"`)
	require.Contains(t, l.run(t, "stack", "output", "--show-secrets"), "canary-in-config")
	l.run(t, "stack", "init", "locked", "--secrets-provider", "passphrase", "--no-select")
	l.run(t, "stack", "rm", "locked", "--yes")
	l.run(t, "stack", "select", "dev") // rm forgets which one was selected
}

// policy publishes a pack, has it required, and sees it refuse something.
func policy(t *testing.T, w *world, l *laptop) {
	t.Helper()
	publish := func() (string, error) { return l.tryIn(l.path("pack"), "policy", "publish", org) }
	out, err := publish()
	require.NoError(t, err, out)
	out, err = publish()
	require.Error(t, err, out)
	require.Contains(t, out, "versions do not change")
	require.Contains(t, l.run(t, "policy", "ls", org), "shop-rules")
	l.run(t, "policy", "enable", org+"/shop-rules", "latest")
	require.Contains(t, l.run(t, "policy", "group", "ls", org), "default-policy-group")
	l.run(t, "policy", "install")

	l.run(t, "config", "set", "retention", "1")
	refused := l.fail(t, "preview")
	require.Contains(t, refused, "logs are kept for 1 days")

	// What packs did in an update, however it ends: the engine shows them the stack
	// only where every step succeeded, and nothing where the program does not start.
	root, err := w.service.Authenticate(t.Context(), w.admin)
	require.NoError(t, err)
	ended := func(status backend.UpdateStatus, stepped bool, pack backend.RequiredPack) {
		t.Helper()
		entries, err := w.service.History(t.Context(), root, backend.StackName{Org: org, Project: "shop", Stack: "dev"}, 1, 1)
		require.NoError(t, err)
		pack.Name, pack.Version, pack.Tag = "shop-rules", 1, "1.2.3"
		require.Equal(t, []backend.RequiredPack{pack}, entries[0].Policies)
		require.Equal(t, status, entries[0].Status)
		require.Equal(t, stepped, entries[0].Stepped)
		require.True(t, entries[0].Compliant)
	}
	require.Contains(t, l.fail(t, "up", "--yes", "--skip-preview"), "logs are kept for 1 days")
	ended(backend.StatusFailed, true, backend.RequiredPack{Evaluated: true})
	l.run(t, "config", "set", "retention", "14")
	l.run(t, "config", "set", "broken", "true")
	l.fail(t, "up", "--yes", "--skip-preview")
	ended(backend.StatusFailed, false, backend.RequiredPack{})
	l.fail(t, "up", "--yes", "--skip-preview", "--refresh")
	ended(backend.StatusFailed, false, backend.RequiredPack{})
	l.run(t, "config", "rm", "broken")
	require.Contains(t, l.run(t, "up", "--yes", "--skip-preview"), "1 updated")
	ended(backend.StatusSucceeded, true, backend.RequiredPack{Evaluated: true, Reported: true})

	l.run(t, "policy", "disable", org+"/shop-rules")
	l.run(t, "policy", "rm", org+"/shop-rules", "all", "--yes")
	require.NotContains(t, l.run(t, "policy", "ls", org), "shop-rules")
}

// renaming gives the stack another name; its secrets stay readable.
func renaming(t *testing.T, w *world, l *laptop) {
	t.Helper()
	l.run(t, "stack", "rename", "prod")
	require.Contains(t, l.run(t, "stack", "export"), "urn:pulumi:prod::shop::")
	require.NotContains(t, l.run(t, "stack", "export"), "urn:pulumi:dev::shop::")
	require.Equal(t, "canary-in-config\n", l.run(t, "config", "get", "password"))
	require.Contains(t, l.run(t, "up", "--yes", "--skip-preview"), "unchanged")
}

// checkpoints is the life of a stack of a CLI that sends whole states.
func checkpoints(t *testing.T, w *world, l *laptop) {
	t.Helper()
	l.run(t, "login", w.server.URL)
	l.run(t, "stack", "init", "whole")
	l.run(t, "config", "set", "aws:region", "eu-west-1")
	l.run(t, "config", "set", "retention", "30")
	l.run(t, "config", "set", "--secret", "password", "canary-in-config")
	require.Contains(t, l.run(t, "up", "--yes"), "created")
	require.Contains(t, l.run(t, "up", "--yes", "--skip-preview"), "unchanged")
	require.Contains(t, l.run(t, "refresh", "--yes", "--skip-preview"), "unchanged")
	require.Contains(t, l.run(t, "stack", "output", "--show-secrets"), "canary-in-config")
	l.run(t, "state", "unprotect", "--all", "--yes")
	require.Contains(t, l.run(t, "destroy", "--yes", "--skip-preview"), "deleted")
	l.run(t, "stack", "rm", "--yes")
}
