package provision_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// outbox are the types of what waits for a webhook, oldest first.
func (w *world) outbox(t testing.TB, id string) (types []string) {
	t.Helper()
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
		deliveries, err := tx.Deliveries(id, "", 0)
		for _, d := range deliveries {
			types = append([]string{d.Type}, types...)
		}
		return err
	}))
	return types
}

func (w *world) hook(t testing.TB, types ...string) provision.Webhook {
	t.Helper()
	hook, _, err := w.CreateWebhook(t.Context(), w.admin, provision.NewWebhook{Org: org, URL: "https://hooks.example.com/redoubt", Types: types})
	require.NoError(t, err)
	return hook
}

var webhookTests = []test{
	{"a webhook is told of what it wants, without what is secret", func(t *testing.T, w *world) {
		all, drift := w.hook(t, "operation.*"), w.hook(t, "stack.drifted")
		_, o := w.environment(t, "dev")
		w.moved(t, o.ID, provision.Preparing, provision.Failed)
		require.Equal(t, []string{"operation.queued", "operation.preparing", "operation.failed"}, w.outbox(t, all.ID))
		require.Empty(t, w.outbox(t, drift.ID))
		deliveries, err := w.Deliveries(t.Context(), w.admin, all.ID, "", 1)
		require.NoError(t, err)
		var told struct {
			Type string
			Data map[string]string
		}
		require.NoError(t, json.Unmarshal(deliveries[0].Payload, &told))
		require.Equal(t, "operation.failed", told.Type)
		require.Equal(t, map[string]string{
			"operation_id": o.ID, "stack_id": o.StackID, "stack": "acme/shop/dev", "kind": "up", "state": "failed", "url": "/v1/operations/" + o.ID,
		}, told.Data)
	}},
	{"a webhook of a project is told of that project alone", func(t *testing.T, w *world) {
		mine, _, err := w.CreateWebhook(t.Context(), w.owner, provision.NewWebhook{Org: org, ProjectID: w.project.ID, URL: "https://a.example/", Types: []string{"operation.*"}})
		require.NoError(t, err)
		other, err := w.CreateProject(t.Context(), w.admin, provision.NewProject{Org: org, Name: "other"})
		require.NoError(t, err)
		theirs, _, err := w.CreateWebhook(t.Context(), w.admin, provision.NewWebhook{Org: org, ProjectID: other.ID, URL: "https://b.example/", Types: []string{"operation.*"}})
		require.NoError(t, err)
		w.environment(t, "dev")
		require.Equal(t, []string{"operation.queued"}, w.outbox(t, mine.ID))
		require.Empty(t, w.outbox(t, theirs.ID))
	}},
	{"everything that is wrong with a webhook is said at once", func(t *testing.T, w *world) {
		for _, address := range []string{"", "hooks.example.com", "ftp://a.example/", "https://user:password@a.example/", "https://a.example/#x", "https://a.example/" + strings.Repeat("x", 2000)} {
			e := w.unchanged(t, provision.CodeInvalid, "the webhook cannot be made", func() error {
				_, _, err := w.CreateWebhook(t.Context(), w.admin, provision.NewWebhook{Org: org, URL: address, Types: []string{"operation.lost", "nothing.*", "stack.created"}})
				return err
			})
			var pointers []string
			for _, f := range e.Fields {
				pointers = append(pointers, f.Pointer)
				require.NotContains(t, f.Message, "password@")
			}
			require.Equal(t, []string{"/url", "/types/0", "/types/1"}, pointers, address)
		}
	}},
	{"who may not manage the organization makes no webhook, and sees none", func(t *testing.T, w *world) {
		hook := w.hook(t, "operation.*")
		for name, do := range map[string]func(provision.Principal) error{
			"create": func(p provision.Principal) error {
				_, _, err := w.CreateWebhook(t.Context(), p, provision.NewWebhook{Org: org, URL: "https://a.example/", Types: []string{"operation.*"}})
				return err
			},
			"list": func(p provision.Principal) error { _, err := w.Webhooks(t.Context(), p, org); return err },
			"rotate": func(p provision.Principal) error {
				_, err := w.RotateWebhookSecret(t.Context(), p, hook.ID)
				return err
			},
			"test":   func(p provision.Principal) error { _, err := w.TestWebhook(t.Context(), p, hook.ID); return err },
			"delete": func(p provision.Principal) error { return w.DeleteWebhook(t.Context(), p, hook.ID) },
		} {
			for _, p := range []provision.Principal{w.viewer, w.requester, w.stranger} {
				rows := w.rows(t)
				require.Contains(t, []provision.Code{provision.CodeForbidden, provision.CodeNotFound}, provision.CodeOf(do(p)), name)
				require.Equal(t, rows, w.rows(t))
			}
		}
	}},
	{"a secret is shown once, and the one before is good until the next rotation", func(t *testing.T, w *world) {
		hook, first, err := w.CreateWebhook(t.Context(), w.admin, provision.NewWebhook{Org: org, URL: "https://a.example/", Types: []string{"operation.*"}})
		require.NoError(t, err)
		second, err := w.RotateWebhookSecret(t.Context(), w.admin, hook.ID)
		require.NoError(t, err)
		third, err := w.RotateWebhookSecret(t.Context(), w.admin, hook.ID)
		require.NoError(t, err)
		hooks, err := w.Webhooks(t.Context(), w.admin, org)
		require.NoError(t, err)
		secrets, err := w.WebhookSecrets(hooks[0])
		require.NoError(t, err)
		raw := func(secret string) []byte {
			text, ok := strings.CutPrefix(secret, "whsec_")
			require.True(t, ok)
			raw, err := base64.StdEncoding.DecodeString(text)
			require.NoError(t, err)
			return raw
		}
		require.Equal(t, [][]byte{raw(third), raw(second)}, secrets)
		require.NotEqual(t, first, second)
		for _, sealed := range hooks[0].SealedSecrets {
			require.NotContains(t, string(sealed), string(raw(third)))
		}
		for _, e := range w.entries(t) {
			text, err := json.Marshal(e)
			require.NoError(t, err)
			require.NotContains(t, string(text), "whsec_")
		}
		// Sealed for one webhook, it opens for no other.
		hooks[0].ID = "whk_other"
		_, err = w.WebhookSecrets(hooks[0])
		require.ErrorContains(t, err, "not sealed by this installation")
	}},
	{"a webhook that was disabled is told nothing, and begins anew when enabled", func(t *testing.T, w *world) {
		hook := w.hook(t, "operation.*")
		yes, no := true, false
		hook, err := w.UpdateWebhook(t.Context(), w.admin, hook.ID, hook.Version, provision.WebhookPatch{Disabled: &yes})
		require.NoError(t, err)
		w.environment(t, "dev")
		require.Empty(t, w.outbox(t, hook.ID))
		_, err = w.UpdateWebhook(t.Context(), w.admin, hook.ID, hook.Version-1, provision.WebhookPatch{Disabled: &no})
		fails(t, err, provision.CodePreconditionFailed, "was changed since")
		hook, err = w.UpdateWebhook(t.Context(), w.admin, hook.ID, hook.Version, provision.WebhookPatch{Disabled: &no})
		require.NoError(t, err)
		require.False(t, hook.Disabled)
		d, err := w.TestWebhook(t.Context(), w.admin, hook.ID)
		require.NoError(t, err)
		again, err := w.Redeliver(t.Context(), w.admin, d.ID)
		require.NoError(t, err)
		require.NotEqual(t, d.ID, again.ID)
		require.Equal(t, []string{"webhook.test", "webhook.test"}, w.outbox(t, hook.ID))
		require.NoError(t, w.DeleteWebhook(t.Context(), w.admin, hook.ID))
		_, err = w.Redeliver(t.Context(), w.admin, again.ID)
		fails(t, err, provision.CodeNotFound)
	}},
}
