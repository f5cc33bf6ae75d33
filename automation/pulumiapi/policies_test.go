package pulumiapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/cedar"
	"redoubt/automation/identity"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// production is an administrator's own policy.
const production = `
@id("no-laptop-in-production")
forbid (principal is ServiceAccount, action in [Action::"apply", Action::"destroy"], resource)
when { resource.stack like "prod*" };
`

// under is a world whose protocol asks policies.
type under struct {
	*world
	store provision.Store
}

// governed is one with those who have a role.
func governed(t *testing.T, database string, bindings ...provision.Binding) *under {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if database == "" {
		database = t.TempDir()
	}
	db, err := sql.Open(ctx, database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, ok := sql.Provisioning(db)
	require.True(t, ok)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "production.cedar"), []byte(production), 0o600))
	policies, err := cedar.New(cedar.Options{Folder: folder})
	require.NoError(t, err)
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
	require.NoError(t, err)
	authorize := policies.Backend(store, identity.OfToken)
	w := &under{&world{service: backend.New(db, ring, backend.Options{Authorize: authorize}), log: &buffer{}, told: &metrics{}}, store}
	w.admin, err = w.service.Bootstrap(ctx, org)
	require.NoError(t, err)
	require.NoError(t, store.Update(ctx, func(tx provision.Tx) error {
		for _, b := range bindings {
			if err := tx.CreateBinding(b); err != nil {
				return err
			}
		}
		return nil
	}))
	key, err := w.service.SigningKey(ctx)
	require.NoError(t, err)
	w.server = httptest.NewServer(pulumiapi.New(w.service, pulumiapi.Options{SignKey: key, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Metrics: w.told}))
	t.Cleanup(w.server.Close)
	return w
}

// made is a stack that the service's own parts make: they have asked the policies.
func (w *under) made(t *testing.T, name string) string {
	t.Helper()
	root, err := w.service.Authenticate(t.Context(), w.admin)
	require.NoError(t, err)
	root.Decided = true
	_, err = w.service.CreateStack(t.Context(), root, backend.NewStack{Name: backend.StackName{Org: org, Project: "shop", Stack: name}})
	require.NoError(t, err)
	return "/api/stacks/" + org + "/shop/" + name
}

// binding gives alice's programs a role.
func binding(id string, role provision.Role, scope string) provision.Binding {
	return provision.Binding{ID: id, Subject: "service_account:alice", Role: role, Scope: scope, Version: 1}
}

func TestPoliciesSQLite(t *testing.T) {
	t.Parallel()
	policiesOver(t, "")
}

func TestPoliciesPostgres(t *testing.T) {
	t.Parallel()
	policiesOver(t, postgrestest.Database(t))
}

// policiesOver is what policies do to tokens with every grant.
func policiesOver(t *testing.T, database string) {
	t.Helper()
	expired := binding("bnd_4", provision.ProjectAdmin, "acme/shop/legacy")
	expired.Expires = time.Now().Add(-time.Minute)
	w := governed(
		t, database,
		binding("bnd_1", provision.Operator, "acme/shop/prod*"), binding("bnd_2", provision.Operator, "acme/shop/dev"),
		binding("bnd_3", provision.Viewer, "acme/shop/seen"), expired,
	)
	token := w.token(t, "acme/*/*", backend.Verbs...)
	create := func(stack, token string, dryRun bool) int {
		return w.ask(t, http.MethodPost, stack+"/update", "token "+token, map[string]any{"name": "shop", "options": map[string]any{"dryRun": dryRun}}).status
	}
	for _, c := range []struct {
		stack           string
		preview, update int
	}{
		{"prod", http.StatusOK, http.StatusForbidden},        // a forbid policy
		{"dev", http.StatusOK, http.StatusOK},                // its role
		{"seen", http.StatusForbidden, http.StatusForbidden}, // may read it
		{"hidden", http.StatusNotFound, http.StatusNotFound}, // has no role there
		{"legacy", http.StatusNotFound, http.StatusNotFound}, // had one
	} {
		stack := w.made(t, c.stack)
		require.Equal(t, c.preview, create(stack, token, true), "preview of %s", c.stack)
		require.Equal(t, c.update, create(stack, token, false), "update of %s", c.stack)
	}
	prod := "/api/stacks/acme/shop/prod"

	// Grants bound it from above: a role gives a token nothing.
	require.Equal(t, http.StatusForbidden, create("/api/stacks/acme/shop/dev", w.token(t, "acme/*/*", backend.Read), false))
	require.Equal(t, http.StatusNotFound, create("/api/stacks/acme/shop/dev", w.token(t, "acme/other/*", backend.Admin), false))

	// What else changes a stack is refused too, and what a preview needs is not.
	say := func(method, path string, body any) reply { return w.ask(t, method, path, "token "+token, body) }
	for _, r := range []reply{
		say(http.MethodDelete, prod+"?force=true", nil), say(http.MethodPost, prod+"/rename", map[string]string{"newName": "dev2"}),
		say(http.MethodPatch, prod+"/tags", map[string]string{"env": "dev"}),
		say(http.MethodPost, prod+"/import", map[string]any{"version": 3, "deployment": map[string]any{}}),
		say(http.MethodPost, "/api/stacks/acme/shop", map[string]any{"stackName": "prod2"}),
		say(http.MethodPost, "/api/stacks/acme/shop/dev/rename", map[string]string{"newName": "prod3"}),
	} {
		require.Equal(t, http.StatusForbidden, r.status, "%s", r.body)
		require.Contains(t, string(r.body), "no-laptop-in-production")
	}
	sealed := say(http.MethodPost, prod+"/encrypt", map[string][]byte{"plaintext": []byte("x")})
	require.Equal(t, http.StatusOK, sealed.status)
	require.Equal(t, http.StatusOK, say(http.MethodPost, prod+"/decrypt", sealed.body).status)
	require.Equal(t, http.StatusOK, say(http.MethodGet, prod+"/export", nil).status)

	var listed struct {
		Stacks []struct{ StackName string }
	}
	say(http.MethodGet, "/api/user/stacks", nil).into(t, &listed)
	names := []string{}
	for _, s := range listed.Stacks {
		names = append(names, s.StackName)
	}
	require.ElementsMatch(t, []string{"prod", "dev", "seen"}, names)

	// The audit log names the policy.
	root, err := w.service.Authenticate(t.Context(), w.admin)
	require.NoError(t, err)
	entries, err := w.service.Audit(t.Context(), root, 0, 0)
	require.NoError(t, err)
	found := false
	for _, e := range entries {
		found = found || e.Denied && e.Action == "stack.apply" && e.Target == "acme/shop/prod" && e.Principal == "alice" &&
			e.Detail["why"] == "policy no-laptop-in-production does not let alice apply stack acme/shop/prod"
	}
	require.True(t, found, "%+v", entries)

	// A role that was taken away between the making of an update and its start.
	dev := "/api/stacks/acme/shop/dev"
	var update struct{ UpdateID string }
	say(http.MethodPost, dev+"/update", map[string]any{"name": "shop"}).into(t, &update)
	w.unbind(t, "bnd_2")
	require.Equal(t, http.StatusNotFound, say(http.MethodPost, dev+"/update/"+update.UpdateID, map[string]any{"journalVersion": 1}).status)

	// An operation's own token passes: whether it may was decided before.
	_, operation, err := w.service.CreateToken(t.Context(), root, backend.NewToken{
		Name: "op", Principal: "operation/op_1", Grants: []backend.Grant{{Stacks: "acme/shop/prod", Verbs: []backend.Verb{backend.Apply}}},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, create(prod, operation, false))
	require.Equal(t, http.StatusNotFound, create(dev, operation, false))
}

// unbind takes a role away.
func (w *under) unbind(t *testing.T, id string) {
	t.Helper()
	require.NoError(t, w.store.Update(t.Context(), func(tx provision.Tx) error { return tx.DeleteBinding(id) }))
}

// TestLaptopUnderPolicies is the stock CLI on somebody's laptop: it previews
// production, and does not change it.
func TestLaptopUnderPolicies(t *testing.T) {
	t.Parallel()
	w := governed(t, "", binding("bnd_1", provision.Operator, "acme/shop"))
	w.made(t, "prod")
	l := newLaptop(t, clis(t)[0], w.token(t, "acme/shop/*", backend.Write, backend.Decrypt, backend.ApplyProtected))
	l.run(t, "login", w.server.URL)
	l.run(t, "stack", "select", org+"/shop/prod")
	configure := func() {
		l.run(t, "config", "set", "aws:region", "eu-west-1")
		l.run(t, "config", "set", "retention", "30")
		l.run(t, "config", "set", "--secret", "password", "canary-in-config")
	}
	configure()
	require.Contains(t, l.run(t, "preview"), "to create")
	for _, change := range [][]string{{"up", "--yes"}, {"up", "--yes", "--skip-preview"}, {"destroy", "--yes"}, {"refresh", "--yes"}} {
		require.Contains(t, l.fail(t, change...), "no-laptop-in-production", "%v", change)
	}
	l.run(t, "stack", "init", org+"/shop/dev")
	configure()
	require.Contains(t, l.run(t, "up", "--yes"), "created")
	l.run(t, "state", "unprotect", "--all", "--yes")
	require.Contains(t, l.run(t, "destroy", "--yes"), "deleted")
}
