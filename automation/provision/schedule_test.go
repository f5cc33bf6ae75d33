package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// ticked ticks, and returns the operations of a stack that do not end yet, by
// kind.
func (w *world) ticked(t testing.TB, stack string) (kinds []provision.OperationKind) {
	t.Helper()
	_, err := w.Tick(t.Context())
	require.NoError(t, err)
	var open []provision.Operation
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) {
		open, err = tx.Operations(provision.OperationQuery{StackID: stack, States: []provision.State{provision.Queued}})
		return err
	}))
	for _, o := range open {
		require.Equal(t, provision.System, o.RequestedBy.Kind)
		kinds = append(kinds, o.Kind)
	}
	return kinds
}

// made is a stack whose first operation has ended.
func (w *world) made(t testing.TB, name string) provision.Environment {
	t.Helper()
	e, o := w.environment(t, name)
	w.moved(t, o.ID, provision.Preparing, provision.Previewing, provision.Succeeded)
	e, err := w.Environment(t.Context(), w.operator, e.ID)
	require.NoError(t, err)
	return e
}

// end ends the operations of a stack that wait.
func (w *world) end(t testing.TB, stack string, states ...provision.State) {
	t.Helper()
	var open []provision.Operation
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) {
		open, err = tx.Operations(provision.OperationQuery{StackID: stack, States: []provision.State{provision.Queued}})
		return err
	}))
	for _, o := range open {
		w.moved(t, o.ID, states...)
	}
}

var scheduleTests = []test{
	{"a schedule orders once in each window, whoever ticks", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		e, err := w.SetSchedules(t.Context(), w.operator, e.ID, e.Version, []provision.Schedule{{Kind: provision.ScheduleDrift, Cron: "0 * * * *"}})
		require.NoError(t, err)
		require.Equal(t, e.Schedules[0].Next, e.DueAt)
		require.Equal(t, provision.RemediateOff, e.Schedules[0].Remediate)
		require.Empty(t, w.ticked(t, e.ID), "it is not time yet")
		w.pass(66 * time.Minute)
		require.Equal(t, []provision.OperationKind{provision.KindDrift}, w.ticked(t, e.ID))
		require.Len(t, w.ticked(t, e.ID), 1)
		w.end(t, e.ID, provision.Preparing, provision.Failed)
		_, err = w.node().Tick(t.Context())
		require.NoError(t, err)
		require.Empty(t, w.ticked(t, e.ID), "the window was served")
		// Many windows that nobody served are one.
		w.pass(48 * time.Hour)
		require.Len(t, w.ticked(t, e.ID), 1)
		w.end(t, e.ID, provision.Preparing, provision.Failed)
		require.Empty(t, w.ticked(t, e.ID))
	}},
	{"what still waits is not ordered again", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		_, err := w.SetSchedules(t.Context(), w.operator, e.ID, e.Version, []provision.Schedule{{Kind: provision.ScheduleRefresh, Cron: "0 * * * *"}})
		require.NoError(t, err)
		for range 3 {
			w.pass(time.Hour)
			require.Equal(t, []provision.OperationKind{provision.KindRefresh}, w.ticked(t, e.ID))
		}
	}},
	{"at a time, once", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		e, err := w.SetSchedules(t.Context(), w.operator, e.ID, e.Version, []provision.Schedule{
			{Kind: provision.ScheduleUp, At: time.Now().Add(time.Hour)}, {Kind: provision.ScheduleDestroy, At: time.Now().Add(3 * time.Hour)},
		})
		require.NoError(t, err)
		w.pass(2 * time.Hour)
		require.Equal(t, []provision.OperationKind{provision.KindUp}, w.ticked(t, e.ID))
		w.end(t, e.ID, provision.Preparing, provision.Failed)
		w.pass(2 * time.Hour)
		require.Equal(t, []provision.OperationKind{provision.KindDestroy}, w.ticked(t, e.ID))
		w.end(t, e.ID, provision.Preparing, provision.Failed)
		w.pass(1000 * time.Hour)
		require.Empty(t, w.ticked(t, e.ID))
	}},
	{"a locked stack is left alone, and its windows pass", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		e, err := w.SetSchedules(t.Context(), w.operator, e.ID, e.Version, []provision.Schedule{{Kind: provision.ScheduleUp, Cron: "0 * * * *"}})
		require.NoError(t, err)
		_, err = w.SetLock(t.Context(), w.operator, e.ID, "a repair by hand")
		require.NoError(t, err)
		w.pass(2 * time.Hour)
		require.Empty(t, w.ticked(t, e.ID))
		_, err = w.ClearLock(t.Context(), w.operator, e.ID)
		require.NoError(t, err)
		require.Empty(t, w.ticked(t, e.ID))
	}},
	{"everything that is wrong with schedules is said at once", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		refused := w.unchanged(t, provision.CodeInvalid, "the schedules cannot be set", func() error {
			_, err := w.SetSchedules(t.Context(), w.operator, e.ID, e.Version, []provision.Schedule{
				{Kind: "reboot", Cron: "0 * * * *"},
				{Kind: provision.ScheduleUp},
				{Kind: provision.ScheduleUp, Cron: "0 * * * *", At: time.Now()},
				{Kind: provision.ScheduleDrift, Cron: "every day"},
				{Kind: provision.ScheduleDrift, Cron: "* * * * *"},
				{Kind: provision.ScheduleDrift, Cron: "TZ="},
				{Kind: provision.ScheduleDrift, Cron: "@every 1s"},
				{Kind: provision.ScheduleDestroy, Cron: "0 3 * * *"},
				{Kind: provision.ScheduleUp, Cron: "0 3 * * *", Remediate: provision.RemediateAuto},
				{Kind: provision.ScheduleDrift, Cron: "0 3 * * *", Remediate: "maybe"},
			})
			return err
		})
		var pointers []string
		for _, f := range refused.Fields {
			pointers = append(pointers, f.Pointer)
		}
		require.Equal(t, []string{
			"/schedules/0/kind", "/schedules/1/cron", "/schedules/2/cron", "/schedules/3/cron", "/schedules/4/cron",
			"/schedules/5/cron", "/schedules/6/cron", "/schedules/7/cron", "/schedules/8/remediate", "/schedules/9/remediate",
		}, pointers)
	}},
}

var lifeTests = []test{
	{"a stack is warned of its end, and destroyed", func(t *testing.T, w *world) {
		hook := w.hook(t, "stack.*")
		e := w.made(t, "dev")
		e, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, 48*time.Hour)
		require.NoError(t, err)
		before := len(w.outbox(t, hook.ID))
		told := func() []string { return w.outbox(t, hook.ID)[before:] }
		require.Empty(t, w.ticked(t, e.ID))
		w.pass(24*time.Hour + time.Minute)
		require.Empty(t, w.ticked(t, e.ID))
		require.Equal(t, []string{"stack.ttl_warning"}, told())
		require.Empty(t, w.ticked(t, e.ID))
		require.Len(t, told(), 1, "each warning comes once")
		w.pass(23 * time.Hour)
		require.Empty(t, w.ticked(t, e.ID))
		require.Equal(t, []string{"stack.ttl_warning", "stack.ttl_warning"}, told())
		w.pass(time.Hour)
		require.Equal(t, []provision.OperationKind{provision.KindDestroy}, w.ticked(t, e.ID))
		require.Equal(t, "stack.ttl_expired", told()[2])
	}},
	{"a destroy that fails is tried again, and left to people in the end", func(t *testing.T, w *world) {
		hook := w.hook(t, "stack.ttl_*")
		e := w.made(t, "dev")
		e, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, time.Hour)
		require.NoError(t, err)
		ordered := 0
		for range 20 {
			w.pass(time.Hour)
			ordered += len(w.ticked(t, e.ID))
			w.end(t, e.ID, provision.Preparing, provision.Failed)
		}
		require.Equal(t, 3, ordered)
		require.Equal(t, []string{"stack.ttl_expired", "stack.ttl_stalled"}, w.outbox(t, hook.ID))
		// To give it another life begins anew.
		e, err = w.Environment(t.Context(), w.operator, e.ID)
		require.NoError(t, err)
		_, err = w.SetTTL(t.Context(), w.operator, e.ID, e.Version, time.Hour)
		require.NoError(t, err)
		w.pass(2 * time.Hour)
		require.Len(t, w.ticked(t, e.ID), 1)
	}},
	{"a node that slept through the warnings destroys at once", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		_, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, 48*time.Hour)
		require.NoError(t, err)
		w.pass(1000 * time.Hour)
		require.Equal(t, []provision.OperationKind{provision.KindDestroy}, w.ticked(t, e.ID))
	}},
	{"a protected stack has no end, and one with an end is not protected", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		e, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, time.Hour)
		require.NoError(t, err)
		yes := true
		protect := func() error {
			_, err := w.UpdateEnvironment(t.Context(), w.operator, e.ID, e.Version, provision.EnvironmentPatch{Protected: &yes})
			return err
		}
		w.unchanged(t, provision.CodeInvalid, "take its TTL away first", protect)
		e, err = w.SetTTL(t.Context(), w.operator, e.ID, e.Version, 0)
		require.NoError(t, err)
		require.NoError(t, protect())
		e, err = w.Environment(t.Context(), w.operator, e.ID)
		require.NoError(t, err)
		w.unchanged(t, provision.CodeConflict, "is protected", func() error {
			_, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, time.Hour)
			return err
		})
	}},
	{"a life is not longer than the project lets it be", func(t *testing.T, w *world) {
		e := w.made(t, "dev")
		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{MaxTTL: 24 * time.Hour}})
		for _, ttl := range []time.Duration{-time.Hour, time.Second, 25 * time.Hour, 0} {
			w.unchanged(t, provision.CodeInvalid, "the stack cannot live for", func() error {
				_, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, ttl)
				return err
			})
		}
		_, err := w.SetTTL(t.Context(), w.operator, e.ID, e.Version, 24*time.Hour)
		require.NoError(t, err)
	}},
}
