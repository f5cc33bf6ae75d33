package provision_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// ways are transitions that lead from Queued to each state.
var ways = map[provision.State][]provision.State{
	provision.Queued:           nil,
	provision.Preparing:        {provision.Preparing},
	provision.Previewing:       {provision.Preparing, provision.Previewing},
	provision.PolicyBlocked:    {provision.Preparing, provision.PolicyBlocked},
	provision.AwaitingApproval: {provision.Preparing, provision.Previewing, provision.AwaitingApproval},
	provision.Approved:         {provision.Preparing, provision.Previewing, provision.Approved},
	provision.Applying:         {provision.Preparing, provision.Previewing, provision.Approved, provision.Applying},
	provision.Verifying:        {provision.Preparing, provision.Previewing, provision.Approved, provision.Applying, provision.Verifying},
	provision.Succeeded:        {provision.Preparing, provision.Previewing, provision.Succeeded},
	provision.Failed:           {provision.Failed},
	provision.Canceling:        {provision.Preparing, provision.Previewing, provision.Approved, provision.Applying, provision.Canceling},
	provision.Canceled:         {provision.Canceled},
	provision.Rejected:         {provision.Preparing, provision.Previewing, provision.AwaitingApproval, provision.Rejected},
	provision.Expired:          {provision.Preparing, provision.Previewing, provision.AwaitingApproval, provision.Expired},
	provision.Skipped:          {provision.Skipped},
	provision.NeedsRecovery:    {provision.Preparing, provision.Previewing, provision.Approved, provision.Applying, provision.NeedsRecovery},
	provision.Recovering:       {provision.Preparing, provision.Recovering},
}

var cancelTests = []test{
	{"an operation in any state is canceled, told to end, or over", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		for _, state := range provision.States() {
			way, ok := ways[state]
			require.True(t, ok, "no way to %s", state)
			// Not one that the state of another would keep out.
			o, err := w.order(t, env, provision.KindRecover)
			require.NoError(t, err)
			w.moved(t, o.ID, way...)
			switch {
			case state.Final():
				w.unchanged(t, provision.CodeConflict, "nothing to cancel", func() error {
					_, err := w.Cancel(t.Context(), w.operator, o.ID, false)
					return err
				})
			case state.Claimed():
				o, err = w.Cancel(t.Context(), w.operator, o.ID, false)
				require.NoError(t, err)
				require.Equal(t, state, o.State, "its worker ends it")
				require.Equal(t, "omar", o.CancelRequested)
				require.False(t, o.Forced)
				require.Equal(t, "operation.cancel", w.last(t).Action)
				again, err := w.Cancel(t.Context(), w.operator, o.ID, false)
				require.NoError(t, err)
				require.Equal(t, o.Version, again.Version, "it may be said again")
			default:
				o, err = w.Cancel(t.Context(), w.operator, o.ID, false)
				require.NoError(t, err)
				require.Equal(t, provision.Canceled, o.State)
				require.False(t, o.EndedAt.IsZero())
			}
		}
	}},
	{"by force takes who may, and is recorded as that", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.moved(t, o.ID, ways[provision.Applying]...)
		w.unchanged(t, provision.CodeForbidden, "may not end by force", func() error {
			_, err := w.Cancel(t.Context(), w.operator, o.ID, true)
			return err
		})
		_, err := w.Cancel(t.Context(), w.operator, o.ID, false)
		require.NoError(t, err)
		o, err = w.Cancel(t.Context(), w.admin, o.ID, true)
		require.NoError(t, err)
		require.True(t, o.Forced)
		require.Equal(t, "root", o.CancelRequested)
		require.Equal(t, "operation.force_cancel", w.last(t).Action)
		again, err := w.Cancel(t.Context(), w.operator, o.ID, false)
		require.NoError(t, err)
		require.True(t, again.Forced, "what was said is not taken back")
	}},
	{"what ended without success is tried again, as another", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		for _, state := range provision.States() {
			o, err := w.order(t, env, provision.KindRefresh)
			require.NoError(t, err)
			w.moved(t, o.ID, ways[state]...)
			if !state.Final() || state == provision.Succeeded {
				e := w.unchanged(t, provision.CodeConflict, "", func() error { _, err := w.Retry(t.Context(), w.operator, o.ID); return err })
				require.Equal(t, o.ID, e.Operation)
				continue
			}
			again, err := w.Retry(t.Context(), w.operator, o.ID)
			require.NoError(t, err)
			require.Equal(t, o.ID, again.RetryOf)
			require.Equal(t, provision.Queued, again.State)
			require.Equal(t, string(o.Inputs), string(again.Inputs))
			require.NotEqual(t, o.ID, again.ID)
		}
	}},
	{"another try is an order like any: it may be refused", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		w.moved(t, o.ID, provision.Failed)
		_, err := w.SetLock(t.Context(), w.operator, env.ID, "not now")
		require.NoError(t, err)
		w.unchanged(t, provision.CodeFrozen, "not now", func() error { _, err := w.Retry(t.Context(), w.operator, o.ID); return err })
	}},
}
