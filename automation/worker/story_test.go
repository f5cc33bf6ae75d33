package worker_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// The life of a stack, from its order to its end, in the rehearsal account.
func TestStory(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(s *setup) { s.Provider = 0 })
		w.works(t)
		project := w.project(t, provision.ProjectSettings{
			Rehearse:      true,
			ApprovalRules: []provision.ApprovalRule{{Name: "two people", Kinds: []provision.OperationKind{provision.KindUp, provision.KindDestroy}, Required: 1}},
		})

		env, o := w.stack(t, project, "prod", "bucket", inputs{Tag: "search"})
		o = w.reaches(t, o.ID, provision.AwaitingApproval)
		require.NotNil(t, o.Rehearsal, "it was rehearsed before")
		require.Equal(t, 2, o.Rehearsal.Counts["create"], "stack and bucket")
		require.Equal(t, 2, o.Plan.Counts["create"])
		require.Empty(t, o.Node, "who waits for people has no worker")
		_, err := w.service.Decide(t.Context(), bob, o.ID, provision.NewDecision{Decision: provision.Approve, PlanDigest: o.Plan.Digest})
		require.NoError(t, err)
		o = w.reaches(t, o.ID, provision.Succeeded)
		require.Equal(t, int64(1), o.Result.StateVersion)
		require.Equal(t, []string{"queued", "preparing", "previewing", "awaiting_approval", "approved", "applying", "verifying", "succeeded"}, w.audited(t, o.ID))
		text := w.told(t, o.ID)
		for _, phase := range []string{`"phase":"rehearse"`, `"phase":"preview"`, `"phase":"up"`} {
			require.Contains(t, text, phase)
		}
		account, err := w.engine.Account(org)
		require.NoError(t, err)
		require.Len(t, account.Resources(), 1)

		again := w.order(t, env, provision.NewOperation{Kind: provision.KindUp})
		again = w.reaches(t, again.ID, provision.Succeeded)
		require.Zero(t, again.Result.Counts["create"], "there is nothing to do, and nobody is asked")

		check := w.order(t, env, provision.NewOperation{Kind: provision.KindDrift})
		w.reaches(t, check.ID, provision.Succeeded)
		require.Equal(t, "clean", w.env(t, env.ID).Drift.Status)
		bucket := account.Resources()[0]
		require.NoError(t, account.Drift(bucket.ID, "tags", resource.NewObjectProperty(resource.PropertyMap{"team": resource.NewStringProperty("somebody's")})))
		check = w.order(t, env, provision.NewOperation{Kind: provision.KindDrift})
		w.reaches(t, check.ID, provision.Succeeded)
		drift := w.env(t, env.ID).Drift
		require.Equal(t, "drifted", drift.Status)
		require.Equal(t, []string{bucket.URN}, drift.Resources)
		require.False(t, drift.Since.IsZero())

		mend := w.order(t, env, provision.NewOperation{Kind: provision.KindUp, Options: provision.OperationOptions{Refresh: true}})
		mend = w.reaches(t, mend.ID, provision.AwaitingApproval)
		require.Equal(t, 1, mend.Plan.Counts["update"])
		_, err = w.service.Decide(t.Context(), bob, mend.ID, provision.NewDecision{Decision: provision.Approve, PlanDigest: mend.Plan.Digest})
		require.NoError(t, err)
		w.reaches(t, mend.ID, provision.Succeeded)
		require.Equal(t, "clean", w.env(t, env.ID).Drift.Status)
		require.Equal(t, "search", account.Resources()[0].Outputs["tags"].ObjectValue()["team"].StringValue())

		end := w.order(t, env, provision.NewOperation{Kind: provision.KindDestroy, Confirm: "prod", Options: provision.OperationOptions{RemoveStack: true}})
		end = w.reaches(t, end.ID, provision.AwaitingApproval)
		require.Equal(t, 2, end.Plan.Counts["delete"])
		_, err = w.service.Decide(t.Context(), bob, end.ID, provision.NewDecision{Decision: provision.Approve, PlanDigest: end.Plan.Digest})
		require.NoError(t, err)
		w.reaches(t, end.ID, provision.Succeeded)
		require.Empty(t, account.Resources())
		require.False(t, w.env(t, env.ID).DeletedAt.IsZero())
		require.ErrorIs(t, w.records.View(t.Context(), func(tx provision.Tx) error { _, err := tx.StackByID(env.ID); return err }), backend.ErrNotFound)
		require.Equal(t, "acme/"+project.Name+"/prod", w.read(t, o.ID).Stack.String(), "what was done is still known")

		w.noTokenWorks(t)
	})
}

// Drift that a schedule finds is undone where the schedule says so.
func TestRemediation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", func(s *setup) { s.Provider = 0 })
	w.works(t)
	env, o := w.stack(t, w.project(t, free), "dev", "bucket", inputs{Tag: "search"})
	w.reaches(t, o.ID, provision.Succeeded)
	require.NoError(t, w.records.Update(t.Context(), func(tx provision.Tx) error {
		e, err := tx.LockEnvironment(env.ID)
		if err != nil {
			return err
		}
		e.Schedules = []provision.Schedule{{ID: "sch_1", Kind: provision.ScheduleDrift, Cron: "0 3 * * *", Remediate: provision.RemediateAuto}}
		return tx.SaveEnvironment(&e)
	}))
	account, err := w.engine.Account(org)
	require.NoError(t, err)
	require.NoError(t, account.Drift(account.Resources()[0].ID, "tags", resource.NewObjectProperty(resource.PropertyMap{})))
	check, err := w.service.Order(t.Context(), provision.Principal{Kind: provision.System, Name: "redoubt"}, env.ID, provision.NewOperation{Kind: provision.KindDrift})
	require.NoError(t, err)
	w.reaches(t, check.ID, provision.Succeeded)
	var ups []provision.Operation
	require.NoError(t, w.records.View(t.Context(), func(tx provision.Tx) (err error) {
		ups, err = tx.Operations(provision.OperationQuery{StackID: env.ID, Kinds: []provision.OperationKind{provision.KindUp}})
		return err
	}))
	require.Len(t, ups, 2)
	w.reaches(t, ups[0].ID, provision.Succeeded)
	require.Equal(t, "search", account.Resources()[0].Outputs["tags"].ObjectValue()["team"].StringValue())
	require.Equal(t, "clean", w.env(t, env.ID).Drift.Status)
}

// noTokenWorks sees that the tokens of operations have ended with them.
func (w *world) noTokenWorks(t *testing.T) {
	t.Helper()
	require.NoError(t, w.records.View(t.Context(), func(tx provision.Tx) error {
		tokens, err := tx.Tokens()
		require.Greater(t, len(tokens), 1)
		for _, k := range tokens[1:] {
			require.False(t, k.RevokedAt.IsZero(), k.Principal)
		}
		return err
	}))
}

// Secrets of an order reach the program, and nothing else.
func TestSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.works(t)
	const canary = "canary-3f9c"
	env, o := w.stack(t, w.project(t, free), "dev", "things", inputs{Things: 1, Secret: canary})
	o = w.reaches(t, o.ID, provision.Succeeded)
	text, err := json.Marshal(o)
	require.NoError(t, err)
	require.NotContains(t, string(text), canary)
	require.NotContains(t, string(o.Inputs), canary)
	require.NotContains(t, w.told(t, o.ID), canary)
	require.NotContains(t, string(w.env(t, env.ID).Inputs), canary)
	outputs, err := w.service.RevealOutputs(t.Context(), alice, env.ID, "a test")
	require.NoError(t, err)
	require.Equal(t, canary, outputs["secret"], "the program had it")
}

// Progress is told now and then, and at the end; everything else is told once.
func TestProgressIsToldNowAndThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.works(t)
	const things = 200
	_, o := w.stack(t, w.project(t, free), "dev", "things", inputs{Things: things})
	o = w.reaches(t, o.ID, provision.Succeeded)
	told := w.told(t, o.ID)
	for _, phase := range []string{"preview", "up"} {
		var progress []string
		resources := 0
		for line := range strings.Lines(told) {
			switch {
			case strings.Contains(line, ` progress {"phase":"`+phase+`"`):
				progress = append(progress, line)
			case strings.Contains(line, ` resource {"phase":"`+phase+`"`) && strings.Contains(line, `"status":"done"`):
				resources++
			}
		}
		require.GreaterOrEqual(t, resources, things)
		require.NotEmpty(t, progress)
		require.Less(t, len(progress), resources/2)
		require.Contains(t, progress[len(progress)-1], fmt.Sprintf(`"done":%d}`, resources))
	}
}
