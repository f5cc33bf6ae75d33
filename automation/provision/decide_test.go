package provision_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

const digest = "sha256:plan"

func (w *world) decide(t testing.TB, p provision.Principal, id, decision, digest string) (provision.Operation, error) {
	t.Helper()
	return w.Decide(t.Context(), p, id, provision.NewDecision{Decision: decision, PlanDigest: digest, Comment: "seen"})
}

// ofGroups is somebody as a member of groups.
func ofGroups(p provision.Principal, groups ...string) provision.Principal {
	p.Groups = groups
	return p
}

var decisionTests = []test{
	{"enough people approve, and a worker is asked for", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.waiting(t, o.ID, digest, provision.RequiredApproval{Rule: "four eyes", Required: 2})
		o, err := w.decide(t, w.approver, o.ID, provision.Approve, digest)
		require.NoError(t, err)
		require.Equal(t, provision.AwaitingApproval, o.State)
		require.Equal(t, 1, o.Required[0].Granted)
		woken := w.woken.count()
		o, err = w.decide(t, w.second, o.ID, provision.Approve, digest)
		require.NoError(t, err)
		require.Equal(t, provision.Approved, o.State)
		require.Equal(t, 2, w.kept(t, o.ID).Required[0].Granted)
		require.Equal(t, woken+1, w.woken.count())
		approvals, err := w.Approvals(t.Context(), w.viewer, o.ID)
		require.NoError(t, err)
		require.Len(t, approvals, 2)
		require.Equal(t, "anna", approvals[0].By.Human)
		w.unchanged(t, provision.CodeConflict, "does not wait for approval", func() error {
			_, err := w.decide(t, w.approver, o.ID, provision.Approve, digest)
			return err
		})
	}},
	{"one rejects, and it is over", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.waiting(t, o.ID, digest, provision.RequiredApproval{Rule: "four eyes", Required: 2})
		_, err := w.decide(t, w.approver, o.ID, provision.Approve, digest)
		require.NoError(t, err)
		o, err = w.decide(t, w.approver, o.ID, provision.Reject, digest)
		require.NoError(t, err, "who has approved may think better of it")
		require.Equal(t, provision.Rejected, o.State)
		events, err := w.Events(t.Context(), w.viewer, o.ID, 0, 0)
		require.NoError(t, err)
		require.Contains(t, string(events[len(events)-1].Data), "rejected by anna: seen")
	}},
	{"who may not decide, and on what", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.update(t, func(tx provision.Tx) error {
			// Who ordered has every role, and so has the program of theirs.
			return tx.CreateBinding(provision.Binding{ID: "bnd_x", Subject: "group:all", Role: provision.Approver, Scope: "*", Version: 1})
		})
		w.unchanged(t, provision.CodeConflict, "is queued, and does not wait", func() error {
			_, err := w.decide(t, w.approver, o.ID, provision.Approve, digest)
			return err
		})
		w.waiting(t, o.ID, digest, provision.RequiredApproval{Rule: "security", Required: 1, Groups: []string{"security", "leads"}})
		member := ofGroups(w.approver, "leads")
		withoutFactor := member
		withoutFactor.MFA = false
		robot := ofGroups(w.robot, "all", "leads")
		robot.Human = "zoe"
		nobody := robot
		nobody.Human = ""
		for name, c := range map[string]struct {
			who              provision.Principal
			decision, digest string
			code             provision.Code
			words            string
		}{
			"another plan":                 {member, provision.Approve, "sha256:old", provision.CodePlanStale, "it is " + digest},
			"another plan, rejected":       {member, provision.Reject, "sha256:old", provision.CodePlanStale, "it is " + digest},
			"no plan":                      {member, provision.Approve, "", provision.CodeInvalid, "/plan_digest"},
			"no decision":                  {member, "perhaps", digest, provision.CodeInvalid, "/decision"},
			"no second factor":             {withoutFactor, provision.Approve, digest, provision.CodeForbidden, "second factor: sign in again"},
			"who ordered":                  {ofGroups(w.requester, "all", "leads"), provision.Approve, digest, provision.CodeForbidden, "rita is behind operation"},
			"who ordered, rejecting":       {ofGroups(w.requester, "all", "leads"), provision.Reject, digest, provision.CodeForbidden, "rita is behind operation"},
			"a program of who ordered":     {ofGroups(w.robot, "all", "leads"), provision.Approve, digest, provision.CodeForbidden, "approved by people"},
			"a program":                    {robot, provision.Approve, digest, provision.CodeForbidden, "robot is a service_account"},
			"a program of nobody":          {nobody, provision.Approve, digest, provision.CodeForbidden, "robot is a service_account"},
			"an approver of no such group": {ofGroups(w.approver, "others"), provision.Approve, digest, provision.CodeForbidden, `none of the groups`},
			"an operator":                  {w.operator, provision.Approve, digest, provision.CodeForbidden, "may not approve"},
		} {
			t.Log(name)
			w.unchanged(t, c.code, c.words, func() error {
				_, err := w.decide(t, c.who, o.ID, c.decision, c.digest)
				return err
			})
		}
		o, err := w.decide(t, member, o.ID, provision.Approve, digest)
		require.NoError(t, err)
		require.Equal(t, provision.Approved, o.State)
	}},
	{"who is behind a program's order does not approve it", func(t *testing.T, w *world) {
		_, o, err := w.CreateEnvironment(t.Context(), w.robot, newBucket(w, "logs"))
		require.NoError(t, err)
		w.update(t, func(tx provision.Tx) error {
			return tx.CreateBinding(provision.Binding{ID: "bnd_x", Subject: "user:rita", Role: provision.Approver, Scope: "*", Version: 1})
		})
		w.waiting(t, o.ID, digest, provision.RequiredApproval{Rule: "r", Required: 1})
		w.unchanged(t, provision.CodeForbidden, "rita is behind", func() error {
			_, err := w.decide(t, w.requester, o.ID, provision.Approve, digest)
			return err
		})
	}},
	{"who ordered does not approve it either where somebody else tries it again", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.moved(t, o.ID, provision.Failed)
		again, err := w.Retry(t.Context(), w.operator, o.ID)
		require.NoError(t, err)
		w.waiting(t, again.ID, digest, provision.RequiredApproval{Rule: "r", Required: 1})
		w.unchanged(t, provision.CodeForbidden, "rita is behind", func() error {
			_, err := w.decide(t, w.requester, again.ID, provision.Approve, digest)
			return err
		})
	}},
	{"each person counts once for a rule, although they approve at once", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.waiting(t, o.ID, digest, provision.RequiredApproval{Rule: "two", Required: 2})
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.decide(t, w.approver, o.ID, provision.Approve, digest) })
		}
		wg.Wait()
		counted := 0
		for _, err := range errs {
			if err == nil {
				counted++
				continue
			}
			fails(t, err, provision.CodeConflict, "anna has approved this plan already")
		}
		require.Equal(t, 1, counted)
		require.Equal(t, provision.AwaitingApproval, w.kept(t, o.ID).State)
		require.Equal(t, 1, w.kept(t, o.ID).Required[0].Granted)
	}},
	{"every rule wants its people, and one person may be wanted by two", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.waiting(t, o.ID, digest,
			provision.RequiredApproval{Rule: "anybody", Required: 2},
			provision.RequiredApproval{Rule: "security", Required: 1, Groups: []string{"security"}})
		o, err := w.decide(t, ofGroups(w.approver, "security"), o.ID, provision.Approve, digest)
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, []int{o.Required[0].Granted, o.Required[1].Granted})
		require.Equal(t, provision.AwaitingApproval, o.State)
		o, err = w.decide(t, w.second, o.ID, provision.Approve, digest)
		require.NoError(t, err)
		require.Equal(t, provision.Approved, o.State)
	}},
	{"approvals of an older plan do not count", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.waiting(t, o.ID, "sha256:old", provision.RequiredApproval{Rule: "one", Required: 1})
		_, err := w.decide(t, w.approver, o.ID, provision.Approve, "sha256:old")
		require.NoError(t, err)
		w.update(t, func(tx provision.Tx) error {
			o, err := tx.LockOperation(o.ID)
			if err != nil {
				return err
			}
			o.Plan.Digest, o.Required = digest, []provision.RequiredApproval{{Rule: "one", Required: 2}}
			return provision.Move(tx, &o, provision.AwaitingApproval, provision.Actor{Name: "redoubt"}, "plan_stale")
		})
		o, err = w.decide(t, w.approver, o.ID, provision.Approve, digest)
		require.NoError(t, err, "the same person looks at the new one")
		require.Equal(t, provision.AwaitingApproval, o.State)
		require.Equal(t, 1, o.Required[0].Granted)
	}},
	{"it is too late for approval", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		w.waiting(t, o.ID, digest, provision.RequiredApproval{Rule: "one", Required: 1})
		w.pass(25 * time.Hour)
		w.unchanged(t, provision.CodeConflict, "waited too long", func() error {
			_, err := w.decide(t, w.approver, o.ID, provision.Approve, digest)
			return err
		})
	}},
}

func TestRequiredApprovals(t *testing.T) {
	t.Parallel()
	s := provision.New(nil, nil, nil, nil, nil, provision.Options{})
	plan := func(ops ...string) provision.Plan {
		var p provision.Plan
		for i, op := range ops {
			p.Changes = append(p.Changes, provision.Change{URN: fmt.Sprint(i), Op: op})
		}
		return p
	}
	advisory := provision.Plan{Result: provision.Result{Findings: []provision.Finding{{Level: "advisory"}}}}
	waived := provision.Plan{Result: provision.Result{Findings: []provision.Finding{{Level: "mandatory", Exemption: &provision.Exemption{Owner: "paul"}}}}}
	counted := provision.Plan{Result: provision.Result{Counts: map[string]int{"delete": 1}}}
	none := provision.Plan{Result: provision.Result{Counts: map[string]int{"delete": 0, "create": 2}}}
	for name, c := range map[string]struct {
		rules    []provision.ApprovalRule
		kind     provision.OperationKind
		stack    string
		plan     provision.Plan
		required []string
		deadline time.Duration
	}{
		"no rules, nothing deleted": {nil, provision.KindUp, "dev", plan("create", "update"), nil, 0},
		"no rules, one deleted":     {nil, provision.KindUp, "dev", plan("create", "delete"), []string{"default"}, 24 * time.Hour},
		"no rules, one replaced":    {nil, provision.KindUp, "dev", plan("replace"), []string{"default"}, 24 * time.Hour},
		"no rules, created in its place": {
			nil, provision.KindUp, "dev", plan("create-replacement"), []string{"default"}, 24 * time.Hour,
		},
		"no rules, counted alone": {nil, provision.KindUp, "dev", counted, []string{"default"}, 24 * time.Hour},
		"no rules, none counted":  {nil, provision.KindUp, "dev", none, nil, 0},
		"no rules, a destroy":     {nil, provision.KindDestroy, "dev", plan(), []string{"default"}, 24 * time.Hour},
		"no rules, a refresh that drops": {
			nil, provision.KindRefresh, "dev", plan("delete"), []string{"default"}, 24 * time.Hour,
		},
		"a preview takes nobody":        {nil, provision.KindPreview, "dev", plan("delete"), nil, 0},
		"drift takes nobody":            {nil, provision.KindDrift, "dev", plan("delete"), nil, 0},
		"a rule for all":                {[]provision.ApprovalRule{{Name: "all", Required: 2}}, provision.KindUp, "dev", plan(), []string{"all"}, 24 * time.Hour},
		"a rule for prod, on dev":       {[]provision.ApprovalRule{{Name: "prod", Stacks: "prod-*", Required: 1}}, provision.KindUp, "dev", plan("delete"), nil, 0},
		"a rule for prod, on Prod-1":    {[]provision.ApprovalRule{{Name: "prod", Stacks: "prod-*", Required: 1}}, provision.KindUp, "Prod-1", plan(), []string{"prod"}, 24 * time.Hour},
		"a rule for kinds, another":     {[]provision.ApprovalRule{{Name: "k", Kinds: []provision.OperationKind{provision.KindRefresh}, Required: 1}}, provision.KindUp, "dev", plan(), nil, 0},
		"a rule for kinds":              {[]provision.ApprovalRule{{Name: "k", Kinds: []provision.OperationKind{provision.KindUp}, Required: 1}}, provision.KindUp, "dev", plan(), []string{"k"}, 24 * time.Hour},
		"destructive, and it is not":    {[]provision.ApprovalRule{{Name: "d", Destructive: true, Required: 1}}, provision.KindUp, "dev", plan("update"), nil, 0},
		"advisory findings":             {[]provision.ApprovalRule{{Name: "a", Advisory: true, Required: 1}}, provision.KindUp, "dev", advisory, []string{"a"}, 24 * time.Hour},
		"findings that were waived":     {[]provision.ApprovalRule{{Name: "a", Advisory: true, Required: 1}}, provision.KindUp, "dev", waived, []string{"a"}, 24 * time.Hour},
		"no findings":                   {[]provision.ApprovalRule{{Name: "a", Advisory: true, Required: 1}}, provision.KindUp, "dev", plan("create"), nil, 0},
		"nobody instead of the default": {[]provision.ApprovalRule{{Name: "free", Required: 0}}, provision.KindDestroy, "dev", plan("delete"), nil, 0},
		"all that match, and the soonest end": {
			[]provision.ApprovalRule{{Name: "a", Required: 1, Expiry: 2 * time.Hour}, {Name: "b", Required: 1, Expiry: time.Hour}, {Name: "c", Stacks: "x", Required: 1, Expiry: time.Minute}},
			provision.KindUp, "dev", plan(),
			[]string{"a", "b"},
			time.Hour,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := provision.Operation{Kind: c.kind}
			o.Stack.Stack = c.stack
			required, deadline := s.RequiredApprovals(provision.Project{Settings: provision.ProjectSettings{ApprovalRules: c.rules}}, o, c.plan)
			var names []string
			for _, r := range required {
				names = append(names, r.Rule)
			}
			require.Equal(t, c.required, names)
			require.Equal(t, c.deadline, deadline)
		})
	}
}
