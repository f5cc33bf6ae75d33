package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var projectTests = []test{
	{"a project has a name of the backend's, in an organization that there is", func(t *testing.T, w *world) {
		for _, name := range []string{"", "../x", "-x", "a/b", "a..b"} {
			e := w.unchanged(t, provision.CodeInvalid, "", func() error {
				_, err := w.CreateProject(t.Context(), w.admin, provision.NewProject{Org: org, Name: name})
				return err
			})
			require.Equal(t, "/name", e.Fields[0].Pointer)
		}
		w.unchanged(t, provision.CodeNotFound, `there is no organization "nowhere"`, func() error {
			_, err := w.CreateProject(t.Context(), w.admin, provision.NewProject{Org: "nowhere", Name: "x"})
			return err
		})
		w.unchanged(t, provision.CodeConflict, "acme/SHOP already exists", func() error {
			_, err := w.CreateProject(t.Context(), w.admin, provision.NewProject{Org: org, Name: "SHOP"})
			return err
		})
		project, err := w.CreateProject(t.Context(), w.admin, provision.NewProject{Org: org, Name: "pay", Description: "what is paid"})
		require.NoError(t, err)
		require.Equal(t, "project.create", w.last(t).Action)
		for _, id := range []string{project.ID, "acme/pay"} {
			found, err := w.Project(t.Context(), w.admin, id)
			require.NoError(t, err)
			require.Equal(t, "what is paid", found.Description)
		}
		all, next, err := w.Projects(t.Context(), w.admin, org, "", 0)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, all, 2)
		mine, _, err := w.Projects(t.Context(), w.viewer, "", "", 0)
		require.NoError(t, err)
		require.Len(t, mine, 1)
	}},
	{"settings are changed by who manages the project, of the version that they saw", func(t *testing.T, w *world) {
		words := "what we sell"
		changed, err := w.UpdateProject(t.Context(), w.owner, w.project.ID, w.project.Version, provision.ProjectPatch{
			Description: &words,
			Settings: &provision.ProjectSettings{
				Rehearse: true, Quota: provision.Quota{Stacks: 2},
				ApprovalRules: []provision.ApprovalRule{{Name: "all", Required: 1}},
				FreezeWindows: []provision.FreezeWindow{{Name: "weekend", Cron: "0 18 * * 5", Duration: 60 * time.Hour}},
			},
		})
		require.NoError(t, err)
		require.Equal(t, w.project.Version+1, changed.Version)
		found, err := w.Project(t.Context(), w.viewer, w.project.ID)
		require.NoError(t, err)
		require.Equal(t, changed, found)
		w.unchanged(t, provision.CodePreconditionFailed, "version", func() error {
			_, err := w.UpdateProject(t.Context(), w.owner, w.project.ID, w.project.Version, provision.ProjectPatch{Description: &words})
			return err
		})
	}},
	{"everything that is wrong with settings is said at once", func(t *testing.T, w *world) {
		now := time.Now()
		e := w.unchanged(t, provision.CodeInvalid, "", func() error {
			_, err := w.UpdateProject(t.Context(), w.owner, w.project.ID, 0, provision.ProjectPatch{Settings: &provision.ProjectSettings{
				Blueprints: []string{"bucket", "castle"},
				Quota:      provision.Quota{Stacks: -1, MaxTTL: -1},
				ApprovalRules: []provision.ApprovalRule{
					{Name: "a", Required: 1},
					{Name: "a", Required: 99, Stacks: "[", Kinds: []provision.OperationKind{"preview"}, Groups: []string{""}, Expiry: -1},
				},
				FreezeWindows: []provision.FreezeWindow{
					{Name: "ok", From: now, To: now.Add(time.Hour)},
					{Name: "backwards", From: now, To: now.Add(-time.Hour)},
					{Name: "both", From: now, Cron: "* * * * *", Duration: time.Hour},
					{Name: "neither"},
					{Name: "unreadable", Cron: "every day", Duration: time.Hour},
					{Name: "a zone", Cron: "TZ=", Duration: time.Hour},
					{Name: "never", Cron: "0 0 30 2 *", Duration: time.Hour},
					{Name: "too long", Cron: "0 0 1 1 *", Duration: 1000 * time.Hour},
					{Cron: "0 0 1 1 *", Duration: time.Hour},
				},
			}})
			return err
		})
		var pointers []string
		for _, f := range e.Fields {
			pointers = append(pointers, f.Pointer)
		}
		require.ElementsMatch(t, []string{
			"/settings/blueprints/1", "/settings/quota/stacks", "/settings/quota/max_ttl",
			"/settings/approval_rules/1/name", "/settings/approval_rules/1/required", "/settings/approval_rules/1/stacks",
			"/settings/approval_rules/1/kinds/0", "/settings/approval_rules/1/groups/0", "/settings/approval_rules/1/expiry",
			"/settings/freeze_windows/1/to", "/settings/freeze_windows/2", "/settings/freeze_windows/3", "/settings/freeze_windows/4/cron",
			"/settings/freeze_windows/5/cron", "/settings/freeze_windows/6/cron", "/settings/freeze_windows/7/duration",
			"/settings/freeze_windows/8/name",
		}, pointers)
	}},
}

var waiverTests = []test{
	{"a policy owner waives one policy, for a while, with a reason", func(t *testing.T, w *world) {
		n := provision.NewWaiver{ProjectID: "acme/shop", Policy: "s3-versioning", Stack: "dev-*", Reason: "a test bucket", Lifetime: time.Hour}
		made, err := w.CreateWaiver(t.Context(), w.policy, n)
		require.NoError(t, err)
		require.Equal(t, "*", made.Resource)
		require.Equal(t, made.CreatedAt.Add(time.Hour), made.ExpiresAt)
		require.Equal(t, "a test bucket", w.last(t).Detail["reason"])
		withoutFactor := w.policy
		withoutFactor.MFA = false
		w.unchanged(t, provision.CodeForbidden, "second factor", func() error { _, err := w.CreateWaiver(t.Context(), withoutFactor, n); return err })
		w.unchanged(t, provision.CodeForbidden, "may not waive", func() error { _, err := w.CreateWaiver(t.Context(), w.owner, n); return err })
		e := w.unchanged(t, provision.CodeInvalid, "", func() error {
			_, err := w.CreateWaiver(t.Context(), w.policy, provision.NewWaiver{ProjectID: "acme/shop", Policy: "*", Stack: "[", Lifetime: 100 * 24 * time.Hour})
			return err
		})
		require.Len(t, e.Fields, 4)

		e = w.unchanged(t, provision.CodeInvalid, "", func() error {
			_, err := w.CreateWaiver(t.Context(), w.policy, provision.NewWaiver{ProjectID: "acme/shop", Policy: "acme/s3-versioning", Reason: " \n", Lifetime: time.Hour})
			return err
		})
		require.Equal(t, "/reason", e.Fields[0].Pointer)
		require.Equal(t, "/policy", e.Fields[1].Pointer)
		require.Contains(t, e.Fields[1].Message, "did you mean s3-versioning?")
		for policy, want := range map[string]string{
			"s3-verzioning": "did you mean s3-versioning?", "S3-Versioning": "did you mean", "versioning": "s3-versioning or s3-versioning-mfa?",
			"lambda": "which has 3: give the name that the finding has",
		} {
			w.unchanged(t, provision.CodeInvalid, want, func() error {
				_, err := w.CreateWaiver(t.Context(), w.policy, provision.NewWaiver{ProjectID: "acme/shop", Policy: policy, Reason: "r", Lifetime: time.Hour})
				return err
			})
		}

		holding := func(stack string) int {
			found, err := w.WaiversFor(t.Context(), w.project.ID, stack)
			require.NoError(t, err)
			return len(found)
		}
		require.Equal(t, []int{1, 0}, []int{holding("dev-1"), holding("prod")})
		_, err = w.RevokeWaiver(t.Context(), w.viewer, made.ID)
		fails(t, err, provision.CodeForbidden)
		_, err = w.RevokeWaiver(t.Context(), w.stranger, made.ID)
		fails(t, err, provision.CodeNotFound)
		revoked, err := w.RevokeWaiver(t.Context(), w.policy, made.ID)
		require.NoError(t, err)
		require.False(t, revoked.RevokedAt.IsZero())
		require.Zero(t, holding("dev-1"))
		_, err = w.CreateWaiver(t.Context(), w.policy, n)
		require.NoError(t, err)
		require.Equal(t, 1, holding("dev-1"))
		w.pass(time.Hour)
		require.Zero(t, holding("dev-1"))
		all, err := w.Waivers(t.Context(), w.viewer, w.project.ID)
		require.NoError(t, err)
		require.Len(t, all, 2)
	}},
}

var bindingTests = []test{
	{"roles are given by who manages what they are in", func(t *testing.T, w *world) {
		for _, c := range []struct {
			who   provision.Principal
			role  provision.Role
			scope string
			code  provision.Code
		}{
			{w.owner, provision.Requester, "acme/shop", ""},
			{w.owner, provision.Requester, "acme/shop/dev-*", ""},
			{w.owner, provision.OrgAdmin, "acme/shop", provision.CodeForbidden},
			{w.owner, provision.Requester, "acme/other", provision.CodeNotFound},
			{w.owner, provision.Requester, "acme/*", provision.CodeNotFound},
			{w.owner, provision.Requester, "acme", provision.CodeNotFound},
			{w.owner, provision.Requester, "*", provision.CodeForbidden},
			{w.operator, provision.Requester, "acme/shop", provision.CodeForbidden},
			{w.admin, provision.OrgAdmin, "acme", ""},
			{w.admin, provision.Auditor, "*", ""},
			{w.admin, "king", "acme", provision.CodeInvalid},
			{w.admin, provision.Viewer, "acme/shop/dev/more", provision.CodeInvalid},
			{w.admin, provision.Viewer, "acme//dev", provision.CodeInvalid},
			{w.admin, provision.Viewer, "acme/[", provision.CodeInvalid},
		} {
			n := provision.NewBinding{Subject: "user:new", Role: c.role, Scope: c.scope}
			if c.code != "" {
				w.unchanged(t, c.code, "", func() error { _, err := w.CreateBinding(t.Context(), c.who, n); return err })
				continue
			}
			made, err := w.CreateBinding(t.Context(), c.who, n)
			require.NoError(t, err, "%s %s", c.role, c.scope)
			require.Equal(t, "binding.create", w.last(t).Action)
			w.unchanged(t, provision.CodeConflict, "already", func() error { _, err := w.CreateBinding(t.Context(), c.who, n); return err })
			mine, err := w.Bindings(t.Context(), c.who)
			require.NoError(t, err)
			require.Contains(t, mine, made)
		}
		for _, subject := range []string{"", "new", "user:", "system:redoubt"} {
			w.unchanged(t, provision.CodeInvalid, "/subject", func() error {
				_, err := w.CreateBinding(t.Context(), w.admin, provision.NewBinding{Subject: subject, Role: provision.Viewer, Scope: "acme"})
				return err
			})
		}
		none, err := w.Bindings(t.Context(), w.viewer)
		require.NoError(t, err)
		require.Empty(t, none)
	}},
	{"a role that is taken away is gone at once", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		require.NoError(t, w.DeleteBinding(t.Context(), w.owner, "bnd_vera"))
		_, err := w.Environment(t.Context(), w.viewer, env.ID)
		fails(t, err, provision.CodeNotFound)
		fails(t, w.DeleteBinding(t.Context(), w.owner, "bnd_vera"), provision.CodeNotFound)
		fails(t, w.DeleteBinding(t.Context(), w.owner, "bnd_root"), provision.CodeForbidden)
	}},
}
