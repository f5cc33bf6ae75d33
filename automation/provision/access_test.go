package provision_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// use is one use case on things that are there; who may not is refused whatever
// else is wrong.
type use struct {
	name string
	// write says that it is no reading: a viewer may not.
	write bool
	do    func(ctx context.Context, w *world, p provision.Principal, env, op string) error
}

var uses = []use{
	{"project", false, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, err := w.Project(ctx, p, "acme/shop")
		return err
	}},
	{"change a project", true, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, err := w.UpdateProject(ctx, p, w.project.ID, 0, provision.ProjectPatch{})
		return err
	}},
	{"create a project", true, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, err := w.CreateProject(ctx, p, provision.NewProject{Org: org, Name: "more"})
		return err
	}},
	{"create a stack", true, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, _, err := w.CreateEnvironment(ctx, p, newBucket(w, "more"))
		return err
	}},
	{"stack", false, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.Environment(ctx, p, env)
		return err
	}},
	{"change a stack", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.UpdateEnvironment(ctx, p, env, 0, provision.EnvironmentPatch{})
		return err
	}},
	{"lock", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.SetLock(ctx, p, env, "why")
		return err
	}},
	{"unlock", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.ClearLock(ctx, p, env)
		return err
	}},
	{"outputs", false, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.Outputs(ctx, p, env)
		return err
	}},
	{"reveal", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.RevealOutputs(ctx, p, env, "why")
		return err
	}},
	{"resources", false, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.Resources(ctx, p, env)
		return err
	}},
	{"history", false, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.History(ctx, p, env, "", 10)
		return err
	}},
	{"preview", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.Order(ctx, p, env, provision.NewOperation{Kind: provision.KindPreview})
		return err
	}},
	{"up", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.Order(ctx, p, env, provision.NewOperation{Kind: provision.KindUp})
		return err
	}},
	{"destroy", true, func(ctx context.Context, w *world, p provision.Principal, env, _ string) error {
		_, err := w.Order(ctx, p, env, provision.NewOperation{Kind: provision.KindDestroy, Confirm: "logs"})
		return err
	}},
	{"operation", false, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Operation(ctx, p, op)
		return err
	}},
	{"events", false, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Events(ctx, p, op, 0, 0)
		return err
	}},
	{"wait for events", false, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.WaitEvents(ctx, p, op, 0, 0)
		return err
	}},
	{"wait", false, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.WaitOperation(ctx, p, op, time.Millisecond)
		return err
	}},
	{"approvals", false, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Approvals(ctx, p, op)
		return err
	}},
	{"approve", true, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Decide(ctx, p, op, provision.NewDecision{Decision: provision.Approve, PlanDigest: "x"})
		return err
	}},
	{"cancel", true, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Cancel(ctx, p, op, false)
		return err
	}},
	{"cancel by force", true, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Cancel(ctx, p, op, true)
		return err
	}},
	{"retry", true, func(ctx context.Context, w *world, p provision.Principal, _, op string) error {
		_, err := w.Retry(ctx, p, op)
		return err
	}},
	{"waivers", false, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, err := w.Waivers(ctx, p, w.project.ID)
		return err
	}},
	{"waive", true, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, err := w.CreateWaiver(ctx, p, provision.NewWaiver{ProjectID: w.project.ID, Policy: "p", Reason: "r", Lifetime: time.Hour})
		return err
	}},
	{"bind in the project", true, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		_, err := w.CreateBinding(ctx, p, provision.NewBinding{Subject: "user:x", Role: provision.Viewer, Scope: "acme/shop"})
		return err
	}},
	{"unbind", true, func(ctx context.Context, w *world, p provision.Principal, _, _ string) error {
		return w.DeleteBinding(ctx, p, "bnd_vera")
	}},
}

var accessTests = []test{
	{"who may read and not change is refused, and it is recorded", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		for _, u := range uses {
			if !u.write {
				require.NoError(t, u.do(t.Context(), w, w.viewer, env.ID, o.ID), u.name)
				continue
			}
			// A viewer of the project does not know the organization.
			code := provision.CodeForbidden
			if u.name == "create a project" {
				code = provision.CodeNotFound
			}
			w.unchanged(t, code, "", func() error { return u.do(t.Context(), w, w.viewer, env.ID, o.ID) })
			require.True(t, w.last(t).Denied, u.name)
			require.Equal(t, "vera", w.last(t).Principal, u.name)
			require.True(t, strings.HasPrefix(w.last(t).Action, "access."), u.name)
		}
	}},
	{"what somebody may not read is not there, in the same words, and it is recorded", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		for _, u := range uses {
			e := w.unchanged(t, provision.CodeNotFound, "there is no", func() error { return u.do(t.Context(), w, w.stranger, env.ID, o.ID) })
			require.True(t, w.last(t).Denied, u.name)
			require.NotContains(t, e.Message, "logs", u.name)
			// Operations and stacks that are really not there.
			words := e.Message
			missing := u.do(t.Context(), w, w.stranger, "stk_none", "op_none")
			fails(t, missing, provision.CodeNotFound)
			require.Equal(t, words, strings.NewReplacer("stk_none", env.ID, "op_none", o.ID).Replace(missing.Error()), u.name)
		}
	}},
	{"a binding that has ended gives nothing, and one of a group does", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		guest := human("gast")
		guest.Groups = []string{"auditors"}
		_, err := w.Environment(t.Context(), guest, env.ID)
		fails(t, err, provision.CodeNotFound)
		_, err = w.CreateBinding(t.Context(), w.owner, provision.NewBinding{Subject: "group:auditors", Role: provision.Viewer, Scope: "acme/shop", Lifetime: time.Hour})
		require.NoError(t, err)
		_, err = w.Environment(t.Context(), guest, env.ID)
		require.NoError(t, err)
		w.pass(time.Hour)
		_, err = w.Environment(t.Context(), guest, env.ID)
		fails(t, err, provision.CodeNotFound)
	}},
	{"a name does not make somebody of another kind", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		robot := provision.Principal{Kind: provision.ServiceAccount, Name: "omar", Human: "omar"}
		_, err := w.Environment(t.Context(), robot, env.ID)
		fails(t, err, provision.CodeNotFound)
	}},
	{"the audit log is for who may read all of it", func(t *testing.T, w *world) {
		w.unchanged(t, provision.CodeForbidden, "may not read the audit log of", func() error { _, err := w.Audit(t.Context(), w.approver, 0, 0); return err })
		entries, err := w.Audit(t.Context(), w.admin, 0, 0)
		require.NoError(t, err)
		require.NotEmpty(t, entries)
	}},
}

// A refusal says what helps, in words that can be typed.
func TestRefusalNamesTheCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	env, _ := w.environment(t, "logs")
	up := func(p provision.Principal) error {
		_, err := w.Order(t.Context(), p, env.ID, provision.NewOperation{Kind: provision.KindUp})
		return err
	}
	require.EqualError(t, up(w.viewer), "vera may not apply stack acme/shop/logs: an administrator gives a role with `redoubt bindings create user:vera requester acme/shop`")
	odd := human("o'hara; rm")
	_, err := w.CreateBinding(t.Context(), w.admin, provision.NewBinding{Subject: "user:" + odd.Name, Role: provision.Viewer, Scope: "acme/shop"})
	require.NoError(t, err)
	require.ErrorContains(t, up(odd), "`redoubt bindings create 'user:o'\\''hara; rm' requester acme/shop`", "quoted for a shell")
	_, err = w.CreateProject(t.Context(), w.owner, provision.NewProject{Org: org, Name: "more"})
	require.NotContains(t, err.Error(), "bindings create", "who may not read the organization is not told of it")
	_, err = w.Audit(t.Context(), w.viewer, 0, 1)
	require.ErrorContains(t, err, "bindings create user:vera auditor '*'`")
}
