package story

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/internal/scripttest"
)

// untouched sees that an operation has made nothing: it never came to applying, the
// stack is empty, and so is the account. The server ends for that.
func (o *office) untouched(t *testing.T, ordered client.Ordered) {
	t.Helper()
	way := o.way(t, ordered.Operation.ID)
	require.NotContains(t, way, string(provision.Applying), "%v", way)
	page, err := o.as(anna).ListResources(t.Context(), ordered.Stack.ID)
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.Empty(t, o.account(t))
}

// What the policy pack has not judged is not applied, whatever keeps it from judging.
func TestWithoutAVerdictNothingIsApplied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pack, says string
	}{
		{"mute-pack", "not implemented"},
		{"empty-pack", "named no policy"},
		{"dying-pack", "failed to run policy"},
	} {
		t.Run(c.pack, func(t *testing.T) {
			t.Parallel()
			o := open(t, "--policy-pack", badPack(t, c.pack))
			ordered := o.orders(t, o.project(t, "shop", client.ProjectSettings{}), "logs", nil)
			op := o.reaches(t, ordered.Operation.ID, provision.Failed)
			require.Contains(t, op.Failure.Message, c.says)
			o.untouched(t, ordered)
		})
	}
}

// So it is in a rehearsal, which comes before the preview.
func TestWithoutAVerdictNothingIsRehearsed(t *testing.T) {
	t.Parallel()
	o := open(t, "--policy-pack", badPack(t, "empty-pack"))
	ordered := o.orders(t, o.project(t, "shop", client.ProjectSettings{Rehearse: true}), "logs", nil)
	op := o.reaches(t, ordered.Operation.ID, provision.Failed)
	require.Contains(t, op.Failure.Message, "named no policy")
	require.NotContains(t, o.way(t, op.ID), string(provision.Previewing))
	require.NoFileExists(t, filepath.Join(o.data, "rehearsal", org+".jsonl"), "the stack's account was not even opened")
}

// A pack that is taken away while the server runs is missed by the next operation,
// also by one that people have approved.
func TestAMissingPack(t *testing.T) {
	t.Parallel()
	pack := filepath.Join(t.TempDir(), "pack")
	text, err := os.ReadFile(filepath.Join(filepath.Dir(redoubt), "redoubt-policy"))
	require.NoError(t, err)
	scripttest.Write(t, pack, string(text))
	o := open(t, "--policy-pack", pack)
	guarded := twoPeople
	guarded.Stacks = "guarded"
	p := o.project(t, "shop", client.ProjectSettings{ApprovalRules: []client.ApprovalRule{guarded}})
	first := o.orders(t, p, "guarded", nil)
	waiting := o.reaches(t, first.Operation.ID, provision.AwaitingApproval)
	require.NoError(t, os.Remove(pack))
	second := o.orders(t, p, "logs", nil)
	o.approves(t, waiting)
	for _, ordered := range []client.Ordered{first, second} {
		op := o.reaches(t, ordered.Operation.ID, provision.Failed)
		require.Equal(t, string(provision.CodeEngineUnavailable), op.Failure.Code)
		require.Contains(t, op.Failure.Message, "nothing is done without")
		require.NotContains(t, o.way(t, op.ID), string(provision.Applying))
	}
	o.untouched(t, first)
}

// A pack that never answers holds up its own operation alone, until somebody ends it.
func TestAPackThatNeverAnswers(t *testing.T) {
	t.Parallel()
	o := open(t, "--policy-pack", badPack(t, "hanging-pack"))
	ordered := o.orders(t, o.project(t, "shop", client.ProjectSettings{}), "logs", nil)
	o.reaches(t, ordered.Operation.ID, provision.Previewing)
	_, err := o.as(rita).CancelOperation(t.Context(), ordered.Operation.ID, client.CancelOperationParams{})
	require.NoError(t, err)
	o.reaches(t, ordered.Operation.ID, provision.Canceled)
	o.untouched(t, ordered)
}

// A pack that dies in the update ends it there: what it has not seen is not made.
func TestAPackThatDiesInTheUpdate(t *testing.T) {
	t.Parallel()
	o := open(t, "--policy-pack", badPack(t, "late-pack"))
	ordered := o.orders(t, o.project(t, "shop", client.ProjectSettings{}), "logs", nil)
	op := o.reaches(t, ordered.Operation.ID, provision.Failed)
	require.Contains(t, o.way(t, op.ID), string(provision.Applying))
	page, err := o.as(anna).ListResources(t.Context(), ordered.Stack.ID)
	require.NoError(t, err)
	for _, r := range page.Items {
		require.False(t, strings.Contains(r.Type, "BucketLifecycleConfigurationV2"), "nobody has judged %s", r.URN)
	}
	o.sound(t, ordered.Stack.ID)
}
