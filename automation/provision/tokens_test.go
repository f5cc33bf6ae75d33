package provision_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/identity"
	"redoubt/automation/provision"
)

// reads is a grant to read shop.
func reads(verbs ...backend.Verb) []backend.Grant {
	return []backend.Grant{{Stacks: "acme/shop/*", Verbs: append(verbs, backend.Read)}}
}

// makes makes a token of a service account, and returns who it speaks for.
func (w *world) makes(t testing.TB, by provision.Principal, account string) (backend.Token, provision.Principal) {
	t.Helper()
	token, credential, err := w.CreateToken(t.Context(), by, provision.NewToken{ServiceAccount: account, Name: "ci", Grants: reads()})
	require.NoError(t, err)
	require.Empty(t, token.Hash)
	caller, err := w.backend.Authenticate(t.Context(), credential)
	require.NoError(t, err)
	return token, identity.OfToken(caller)
}

var tokenTests = []test{
	{"who makes a token answers for its service account: nobody approves what they ordered through it", func(t *testing.T, w *world) {
		_, deploy := w.makes(t, w.requester, "deploy")
		require.Equal(t, provision.ServiceAccount, deploy.Kind)
		require.Equal(t, "deploy", deploy.Name)
		require.Equal(t, w.requester.Name, deploy.Human)
		for subject, role := range map[string]provision.Role{"service_account:deploy": provision.Requester, "user:" + w.requester.Name: provision.Approver} {
			_, err := w.CreateBinding(t.Context(), w.owner, provision.NewBinding{Subject: subject, Role: role, Scope: "acme/shop"})
			require.NoError(t, err)
		}
		w.settings(t, provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{{Name: "all", Required: 1}}})
		_, o, err := w.CreateEnvironment(t.Context(), deploy, newBucket(w, "logs"))
		require.NoError(t, err)
		w.waiting(t, o.ID, "sha256:x", provision.RequiredApproval{Rule: "all", Required: 1})
		approve := func(p provision.Principal) error {
			_, err := w.Decide(t.Context(), p, o.ID, provision.NewDecision{Decision: "approve", PlanDigest: "sha256:x"})
			return err
		}
		fails(t, approve(w.requester), provision.CodeForbidden, "is behind operation")
		require.NoError(t, approve(w.approver))
	}},
	{"a token is shown once, and is an entry of the audit log when it begins and when it ends", func(t *testing.T, w *world) {
		token, credential, err := w.CreateToken(t.Context(), w.requester, provision.NewToken{ServiceAccount: "deploy", Name: "ci", Grants: reads()})
		require.NoError(t, err)
		made := w.last(t)
		require.Equal(t, "token.create", made.Action)
		require.Equal(t, "sa:deploy", made.Detail["principal"])
		require.Equal(t, "acme/shop/*:read", made.Detail["grants"])
		for _, value := range made.Detail {
			require.NotContains(t, credential, value+"_secret")
			require.NotContains(t, value, credential[strings.LastIndex(credential, "_")+1:])
		}
		require.WithinDuration(t, token.CreatedAt.Add(90*24*time.Hour), token.ExpiresAt, 0)
		list, next, err := w.Tokens(t.Context(), w.requester, "deploy", "", 0)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, list, 1)
		require.Empty(t, list[0].Hash)

		require.NoError(t, w.RevokeToken(t.Context(), w.requester, token.ID))
		require.Equal(t, "token.revoke", w.last(t).Action)
		_, err = w.backend.Authenticate(t.Context(), credential)
		require.Equal(t, backend.CodeUnauthenticated, backend.CodeOf(err))
		require.NoError(t, w.RevokeToken(t.Context(), w.requester, token.ID), "it has ended already")
	}},
	{"a token gives nothing that its maker may not do", func(t *testing.T, w *world) {
		robot := w.requester
		robot.Kind, robot.Name = provision.ServiceAccount, "robot"
		make := func(p provision.Principal, n provision.NewToken) func() error {
			n.ServiceAccount, n.Name = "deploy", "ci"
			return func() error { _, _, err := w.CreateToken(t.Context(), p, n); return err }
		}
		w.unchanged(t, provision.CodeForbidden, "may not make tokens for", make(w.viewer, provision.NewToken{Grants: reads()}))
		w.unchanged(t, provision.CodeForbidden, "only people", make(robot, provision.NewToken{Grants: reads()}))
		w.unchanged(t, provision.CodeForbidden, "may not reveal", make(w.requester, provision.NewToken{Grants: reads(backend.Decrypt)}))
		w.unchanged(t, provision.CodeForbidden, "may not manage", make(w.operator, provision.NewToken{Grants: reads(backend.Apply)}))
		w.unchanged(t, provision.CodeNotFound, "organization acme", make(w.owner, provision.NewToken{Grants: []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Read}}}}))
		w.unchanged(t, provision.CodeForbidden, "all organizations", make(w.owner, provision.NewToken{Grants: []backend.Grant{{Stacks: "*/shop/*", Verbs: []backend.Verb{backend.Read}}}}))
		withoutFactor := w.owner
		withoutFactor.MFA = false
		w.unchanged(t, provision.CodeForbidden, "second factor", make(withoutFactor, provision.NewToken{Grants: reads(backend.Decrypt)}))
		for _, verb := range []backend.Verb{backend.ApplyProtected, backend.Policy, backend.Admin} {
			w.unchanged(t, provision.CodeInvalid, "/grants/0/verbs/0", make(w.owner, provision.NewToken{Grants: reads(verb)}))
		}
		w.unchanged(t, provision.CodeInvalid, "/lifetime", make(w.owner, provision.NewToken{Grants: reads(), Lifetime: 367 * 24 * time.Hour}))
		w.unchanged(t, provision.CodeInvalid, "/grants", make(w.owner, provision.NewToken{}))
		require.NoError(t, make(w.owner, provision.NewToken{Grants: reads(backend.Preview, backend.Decrypt, backend.Write, backend.Apply)})())
	}},
	{"nobody takes another's service account, nor roles that wait for one", func(t *testing.T, w *world) {
		w.makes(t, w.requester, "deploy")
		takes := func(p provision.Principal, account string) func() error {
			return func() error {
				_, _, err := w.CreateToken(t.Context(), p, provision.NewToken{ServiceAccount: account, Name: "mine", Grants: reads()})
				return err
			}
		}
		w.unchanged(t, provision.CodeConflict, "somebody else answers", takes(w.owner, "deploy"))
		w.unchanged(t, provision.CodeConflict, "roles that you may not give", takes(w.requester, "robot")) // a project_admin, by its binding
		require.NoError(t, takes(w.owner, "robot")(), "who may give its roles")
		require.NoError(t, takes(w.requester, "deploy")(), "another token of one's own")
		accounts, err := w.ServiceAccounts(t.Context(), w.requester)
		require.NoError(t, err)
		require.Len(t, accounts, 1)
		require.Equal(t, 2, accounts[0].Tokens)
		require.Equal(t, w.requester.Name, accounts[0].Human)
		all, err := w.ServiceAccounts(t.Context(), w.admin)
		require.NoError(t, err)
		require.Len(t, all, 2)
	}},
	{"tokens are ended by who answers for them and by who manages what they may do", func(t *testing.T, w *world) {
		token, _ := w.makes(t, w.requester, "deploy")
		for _, p := range []provision.Principal{w.viewer, w.owner, w.stranger} {
			w.unchanged(t, provision.CodeNotFound, "there is no token", func() error { return w.RevokeToken(t.Context(), p, token.ID) })
			require.True(t, w.last(t).Denied)
			w.unchanged(t, provision.CodeNotFound, "there is no service account", func() error { return w.RevokeServiceAccount(t.Context(), p, "deploy") })
			list, _, err := w.Tokens(t.Context(), p, "", "", 0)
			require.NoError(t, err)
			require.Empty(t, list)
		}
		w.unchanged(t, provision.CodeNotFound, "there is no token", func() error { return w.RevokeToken(t.Context(), w.admin, "tok_x") })
		other, deploy := w.makes(t, w.requester, "deploy")
		w.unchanged(t, provision.CodeNotFound, "there is no token", func() error { return w.RevokeToken(t.Context(), deploy, token.ID) })
		require.NoError(t, w.RevokeToken(t.Context(), deploy, other.ID), "itself")
		require.NoError(t, w.RevokeServiceAccount(t.Context(), w.admin, "deploy"))
		accounts, err := w.ServiceAccounts(t.Context(), w.requester)
		require.NoError(t, err)
		require.Zero(t, accounts[0].Tokens)
	}},
}
