package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var quotaTests = []test{
	{"a project that says nothing has its organization's quota, else the service's", func(t *testing.T, w *world) {
		effective := func() provision.Quota {
			q, err := w.ProjectQuota(t.Context(), w.viewer, w.project.ID)
			require.NoError(t, err)
			return q.Effective
		}
		require.Equal(t, 30, effective().Stacks)
		of, err := w.OrganizationQuota(t.Context(), w.admin, org)
		require.NoError(t, err)
		of, err = w.SetOrganizationQuota(t.Context(), w.admin, org, of.Version, provision.Quota{Stacks: 1, MaxTTL: 48 * time.Hour})
		require.NoError(t, err)
		require.Equal(t, "stacks=1 max_ttl=48h0m0s", w.last(t).Detail["quota"])
		require.Equal(t, provision.Quota{Stacks: 1, Concurrent: 5, Queued: 100, MaxTTL: 48 * time.Hour}, effective())
		w.unchanged(t, provision.CodePreconditionFailed, "version", func() error {
			_, err := w.SetOrganizationQuota(t.Context(), w.admin, org, of.Version-1, provision.Quota{})
			return err
		})

		long := newBucket(w, "logs")
		long.TTL = 72 * time.Hour
		w.unchanged(t, provision.CodeInvalid, "/ttl", func() error { _, _, err := w.CreateEnvironment(t.Context(), w.requester, long); return err })
		long.TTL = 24 * time.Hour
		_, _, err = w.CreateEnvironment(t.Context(), w.requester, long)
		require.NoError(t, err)
		long.Name = "more"
		w.unchanged(t, provision.CodeQuotaExceeded, "1 of 1 stacks", func() error { _, _, err := w.CreateEnvironment(t.Context(), w.requester, long); return err })
		q, err := w.ProjectQuota(t.Context(), w.viewer, w.project.ID)
		require.NoError(t, err)
		require.Equal(t, provision.QuotaUsage{Stacks: 1, Queued: 1, PerHour: 1}, q.Usage)
	}},
	{"who manages a project alone does not go beyond the organization's quota", func(t *testing.T, w *world) {
		_, err := w.SetOrganizationQuota(t.Context(), w.admin, org, 0, provision.Quota{Stacks: 10})
		require.NoError(t, err)
		_, err = w.SetProjectQuota(t.Context(), w.owner, w.project.ID, 0, provision.Quota{Stacks: 10, PerHour: 1000})
		require.NoError(t, err)
		w.unchanged(t, provision.CodeForbidden, "may not raise stacks", func() error {
			_, err := w.SetProjectQuota(t.Context(), w.owner, w.project.ID, 0, provision.Quota{Stacks: 11})
			return err
		})
		w.unchanged(t, provision.CodeForbidden, "may not raise stacks", func() error {
			_, err := w.UpdateProject(t.Context(), w.owner, w.project.ID, 0, provision.ProjectPatch{Settings: &provision.ProjectSettings{Quota: provision.Quota{Stacks: 11}}})
			return err
		})
		raised, err := w.SetProjectQuota(t.Context(), w.admin, w.project.ID, 0, provision.Quota{Stacks: 11})
		require.NoError(t, err)
		_, err = w.SetProjectQuota(t.Context(), w.owner, w.project.ID, raised.Version, provision.Quota{Stacks: 11, Concurrent: 2})
		require.NoError(t, err, "what was raised stays")
	}},
	{"quota and freeze windows are said of the version that was seen, and all that is wrong at once", func(t *testing.T, w *world) {
		q, err := w.SetProjectQuota(t.Context(), w.owner, w.project.ID, w.project.Version, provision.Quota{Stacks: 3})
		require.NoError(t, err)
		require.Equal(t, w.project.Version+1, q.Version)
		frozen, err := w.SetFreezeWindows(t.Context(), w.owner, w.project.ID, q.Version, []provision.FreezeWindow{
			{Name: "now", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)},
		})
		require.NoError(t, err)
		require.Equal(t, "now", frozen.Frozen)
		require.WithinDuration(t, time.Now().Add(time.Hour), frozen.Until, time.Minute)
		kept, err := w.Project(t.Context(), w.viewer, w.project.ID)
		require.NoError(t, err)
		require.Equal(t, 3, kept.Settings.Quota.Stacks, "one does not write over the other")
		w.unchanged(t, provision.CodePreconditionFailed, "version", func() error {
			_, err := w.SetFreezeWindows(t.Context(), w.owner, w.project.ID, q.Version, nil)
			return err
		})
		e := w.unchanged(t, provision.CodeInvalid, "", func() error {
			_, err := w.SetProjectQuota(t.Context(), w.owner, w.project.ID, 0, provision.Quota{Stacks: -1, MaxTTL: -1})
			return err
		})
		require.Equal(t, []string{"/stacks", "/max_ttl"}, []string{e.Fields[0].Pointer, e.Fields[1].Pointer})
		e = w.unchanged(t, provision.CodeInvalid, "", func() error {
			_, err := w.SetFreezeWindows(t.Context(), w.owner, w.project.ID, 0, []provision.FreezeWindow{{Name: "x"}})
			return err
		})
		require.Equal(t, "/freeze_windows/0", e.Fields[0].Pointer)
	}},
}

var queueTests = []test{
	{"queues are paused and resumed by who manages the installation, with an entry for each", func(t *testing.T, w *world) {
		w.environment(t, "logs")
		queues, err := w.Queues(t.Context(), w.admin)
		require.NoError(t, err)
		require.Len(t, queues, 2)
		require.Equal(t, provision.QueueDefault, queues[0].Name)
		require.Equal(t, 1, queues[0].Waiting)
		require.Zero(t, queues[1].Waiting)
		w.pass(time.Hour)
		queues, err = w.Queues(t.Context(), w.admin)
		require.NoError(t, err)
		require.GreaterOrEqual(t, queues[0].Age, time.Hour)

		paused, err := w.PauseQueue(t.Context(), w.admin, provision.QueueDefault)
		require.NoError(t, err)
		require.True(t, paused.Paused)
		require.Equal(t, "queue.pause", w.last(t).Action)
		require.Equal(t, provision.QueueDefault, w.last(t).Target)
		resumed, err := w.ResumeQueue(t.Context(), w.admin, provision.QueueDefault)
		require.NoError(t, err)
		require.False(t, resumed.Paused)
		require.Equal(t, "queue.resume", w.last(t).Action)
		w.unchanged(t, provision.CodeNotFound, "queue", func() error { _, err := w.PauseQueue(t.Context(), w.admin, "x"); return err })
		w.unchanged(t, provision.CodeForbidden, "may not", func() error { _, err := w.PauseQueue(t.Context(), w.owner, provision.QueueDrift); return err })
		require.True(t, w.last(t).Denied)
	}},
}
