package worker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/internal/built"
	"redoubt/internal/scripttest"
)

// approved is a project in which one person must approve updates.
var approved = provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{{Name: "review", Required: 1}}}

func (w *world) approve(t *testing.T, o provision.Operation) {
	t.Helper()
	_, err := w.service.Decide(t.Context(), bob, o.ID, provision.NewDecision{Decision: provision.Approve, PlanDigest: o.Plan.Digest})
	require.NoError(t, err)
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	pack, err := built.Pack()
	require.NoError(t, err)
	for _, c := range []struct {
		name  string
		pack  string
		state provision.State
		code  provision.Code
	}{
		{"mandatory findings block", pack, provision.PolicyBlocked, provision.CodePolicyBlocked},
		{"a pack that crashes fails it", "/bin/false", provision.Failed, provision.CodeConflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "", func(s *setup) { s.Provider, s.Policy = 0, c.pack })
			w.works(t)
			_, o := w.stack(t, w.project(t, free), "dev", "bucket", inputs{})
			o = w.reaches(t, o.ID, c.state)
			require.Equal(t, c.code, o.Failure.Code, o.Failure.Message)
			account, err := w.engine.Account(org)
			require.NoError(t, err)
			require.Empty(t, account.Resources())
			w.noTokenWorks(t)
		})
	}
	t.Run("waivers let it pass, until they are revoked", func(t *testing.T) {
		w := newWorld(t, "", func(s *setup) { s.Provider, s.Policy = 0, pack })
		w.works(t)
		project := w.project(t, approved)
		env, o := w.stack(t, project, "dev", "bucket", inputs{})
		o = w.reaches(t, o.ID, provision.PolicyBlocked)
		waived := map[string]provision.Waiver{}
		for _, f := range o.Plan.Findings {
			if _, done := waived[f.Policy]; f.Level != "mandatory" || done {
				continue
			}
			x, err := w.service.CreateWaiver(t.Context(), bob, provision.NewWaiver{
				ProjectID: project.ID, Policy: f.Policy, Stack: "de*", Resource: "*::data", Reason: "a test", Lifetime: time.Hour,
			})
			require.NoError(t, err)
			waived[f.Policy] = x
		}
		require.NotEmpty(t, waived)
		// One for a rule that the pack had once lets nothing pass, and stops nothing.
		old, err := w.service.CreateWaiver(t.Context(), bob, provision.NewWaiver{
			ProjectID: project.ID, Policy: "s3-of-yesterday", Resource: "*::data", Reason: "a test", Lifetime: time.Hour,
		})
		require.NoError(t, err)
		o = w.order(t, env, provision.NewOperation{Kind: provision.KindUp})
		o = w.reaches(t, o.ID, provision.AwaitingApproval)
		seen := map[string]bool{}
		for _, f := range o.Plan.Findings {
			if f.Exemption == nil {
				require.NotEqual(t, "mandatory", f.Level)
				seen[f.Message] = true
				continue
			}
			x := waived[f.Policy]
			require.Equal(t, x.ID, f.Waiver)
			require.Equal(t, provision.Exemption{Until: x.ExpiresAt, Owner: "bob", Reason: "a test"}, *f.Exemption)
			require.Equal(t, "mandatory", f.Level)
			require.Contains(t, f.URN, "BucketV2::data")
			require.NotEmpty(t, f.Message)
			require.Contains(t, w.told(t, o.ID), `"waiver":"`+x.ID+`"`, "who watches sees it too")
			delete(waived, f.Policy)
		}
		require.Empty(t, waived, "each has let its finding pass")
		require.Contains(t, fmt.Sprint(seen), "1 exemption passed over, because this pack has no such policy: "+old.ID)
		require.NotContains(t, fmt.Sprint(seen), "exempt:", "it is said once")
		all, err := w.service.Waivers(t.Context(), bob, project.ID)
		require.NoError(t, err)
		for _, x := range all {
			_, err := w.service.RevokeWaiver(t.Context(), bob, x.ID)
			require.NoError(t, err)
		}
		w.approve(t, o)
		w.reaches(t, o.ID, provision.PolicyBlocked)
		account, err := w.engine.Account(org)
		require.NoError(t, err)
		require.Empty(t, account.Resources())
	})
	t.Run("a pack that is gone fails it", func(t *testing.T) {
		copied := filepath.Join(t.TempDir(), "pack")
		scripttest.Write(t, copied, "#!/bin/false\n")
		w := newWorld(t, "", func(s *setup) { s.Provider, s.Policy = 0, copied })
		require.Len(t, w.engine.Packs(), 1)
		require.NoError(t, os.Remove(copied))
		w.works(t)
		_, o := w.stack(t, w.project(t, free), "dev", "bucket", inputs{})
		o = w.reaches(t, o.ID, provision.Failed)
		require.Equal(t, provision.CodeEngineUnavailable, o.Failure.Code)
	})
	t.Run("a pack that does not run fails it", func(t *testing.T) {
		broken := filepath.Join(t.TempDir(), "pack")
		scripttest.Write(t, broken, "#!/bin/false\n")
		w := newWorld(t, "", func(s *setup) { s.Provider, s.Policy = 0, broken })
		w.works(t)
		_, o := w.stack(t, w.project(t, free), "dev", "bucket", inputs{})
		w.reaches(t, o.ID, provision.Failed)
		account, err := w.engine.Account(org)
		require.NoError(t, err)
		require.Empty(t, account.Resources())
	})
	t.Run("an engine is not opened without its pack", func(t *testing.T) {
		_, err := operate.Open(operate.Options{Account: operate.Ambient, Policy: "/nowhere/pack"})
		require.Equal(t, provision.CodeEngineUnavailable, provision.CodeOf(err))
	})
}

// A plan is approved for the state that it was made for.
func TestStalePlan(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.works(t)
		rule := provision.ApprovalRule{Name: "review", Stacks: "r*", Required: 1}
		again := provision.ApprovalRule{Name: "lenient", Stacks: "l*", Required: 1, ReapproveIdentical: true}
		project := w.project(t, provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{
			rule, again, {Name: "refreshes", Kinds: []provision.OperationKind{provision.KindRefresh}, Required: 0},
		}})
		// Each stack has a first version, and an update that waits for approval.
		first := func(name string) (provision.Environment, provision.Operation) {
			env, o := w.stack(t, project, name, "things", inputs{Things: 1, Tag: "a"})
			o = w.reaches(t, o.ID, provision.AwaitingApproval)
			w.approve(t, o)
			w.reaches(t, o.ID, provision.Succeeded)
			o = w.order(t, env, provision.NewOperation{Kind: provision.KindUp, Inputs: encoded(t, inputs{Things: 2, Tag: "a"})})
			return env, w.reaches(t, o.ID, provision.AwaitingApproval)
		}
		// move moves the stack's state in a way that changes nothing.
		move := func(env provision.Environment) {
			state, err := w.backend.Export(t.Context(), w.admin(), env.Name, 0)
			require.NoError(t, err)
			_, err = w.backend.Import(t.Context(), w.admin(), env.Name, state)
			require.NoError(t, err)
		}

		env, o := first("review-1")
		move(env)
		w.approve(t, o)
		stale := w.reachesAgain(t, o, provision.AwaitingApproval)
		require.NotEqual(t, o.Plan.Digest, stale.Plan.Digest)
		require.Equal(t, o.Plan.ChangeDigest, stale.Plan.ChangeDigest)
		require.Zero(t, stale.Required[0].Granted, "the approval is dropped")
		require.Contains(t, w.told(t, o.ID), "plan_stale")
		w.approve(t, stale)
		w.reaches(t, o.ID, provision.Succeeded)
		require.Equal(t, 1, w.fake.Count("review-1", "t1"))

		env, o = first("lenient-1")
		move(env)
		w.approve(t, o)
		w.reaches(t, o.ID, provision.Succeeded)

		// Somebody does something else meanwhile: lenience is for what is identical.
		env, o = first("lenient-2")
		other := w.order(t, env, provision.NewOperation{Kind: provision.KindUp, Inputs: encoded(t, inputs{Things: 3, Tag: "a"})})
		other = w.reaches(t, other.ID, provision.AwaitingApproval)
		w.approve(t, other)
		w.reaches(t, other.ID, provision.Succeeded)
		w.approve(t, o)
		stale = w.reachesAgain(t, o, provision.AwaitingApproval)
		require.NotEqual(t, o.Plan.ChangeDigest, stale.Plan.ChangeDigest)
		require.Equal(t, 1, stale.Plan.Counts["delete"], "it would delete what the other made")

		// Where nothing is left to do nobody is asked.
		env, o = first("review-2")
		other = w.order(t, env, provision.NewOperation{Kind: provision.KindUp, Inputs: encoded(t, inputs{Things: 2, Tag: "a"})})
		other = w.reaches(t, other.ID, provision.AwaitingApproval)
		w.approve(t, other)
		w.reaches(t, other.ID, provision.Succeeded)
		w.approve(t, o)
		w.reaches(t, o.ID, provision.Succeeded)
		require.Equal(t, 1, w.fake.Count("review-2", "t1"))
	})
}

// What a program is told by others, as another stack's outputs are, is in no order.
func TestOtherValuesAreAnotherPlan(t *testing.T) {
	w := newWorld(t, "", nil)
	w.works(t)
	project := w.project(t, provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{{Name: "lenient", Required: 1, ReapproveIdentical: true}}})
	file := filepath.Join(t.TempDir(), "tag")
	require.NoError(t, os.WriteFile(file, []byte("shown"), 0o600))
	_, o := w.stack(t, project, "dev", "things", inputs{Things: 1, TagFile: file})
	o = w.reaches(t, o.ID, provision.AwaitingApproval)
	require.NoError(t, os.WriteFile(file, []byte("put in its place"), 0o600))
	w.approve(t, o)
	stale := w.reachesAgain(t, o, provision.AwaitingApproval)
	require.NotEqual(t, o.Plan.ChangeDigest, stale.Plan.ChangeDigest)
	require.Contains(t, w.told(t, o.ID), "plan_stale: what would be changed is not the same")
	w.approve(t, stale)
	w.reaches(t, o.ID, provision.Succeeded)
}

// reachesAgain waits until an operation is in a state once more.
func (w *world) reachesAgain(t *testing.T, before provision.Operation, state provision.State) (o provision.Operation) {
	t.Helper()
	eventually(t, string(state), func() bool {
		o = w.read(t, before.ID)
		return o.State == state && o.Plan.Digest != before.Plan.Digest
	})
	return o
}

func TestNothingIsAppliedInAFreeze(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.works(t)
	project := w.project(t, free)
	// The freeze begins when the order is on its way.
	open := filepath.Join(t.TempDir(), "go")
	_, o := w.stack(t, project, "dev", "things", inputs{Things: 1, Previewing: open})
	eventually(t, "the preview", func() bool { _, err := os.Stat(open + ".waits"); return err == nil })
	settings := free
	settings.FreezeWindows = []provision.FreezeWindow{{Name: "holidays", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}}
	project, err := w.service.UpdateProject(t.Context(), alice, project.ID, project.Version, provision.ProjectPatch{Settings: &settings})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(open, nil, 0o600))
	o = w.reaches(t, o.ID, provision.Approved)
	eventually(t, "its worker leaves it", func() bool { return w.read(t, o.ID).Node == "" })
	require.Contains(t, w.told(t, o.ID), "holidays")
	require.Zero(t, w.fake.Count("dev", "t0"))

	_, err = w.service.UpdateProject(t.Context(), alice, project.ID, project.Version, provision.ProjectPatch{Settings: &free})
	require.NoError(t, err)
	w.reaches(t, o.ID, provision.Succeeded)
	require.Equal(t, 1, w.fake.Count("dev", "t0"))
}
