package story

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
)

// phases are operations that are kept in the middle of what they do, one in each phase.
type phases struct {
	cloud *cloud
	// rehearsed and shop are the projects; in the first orders are rehearsed.
	rehearsed, shop client.Project
	// of are the operations by where they are kept, and gates what keeps them there.
	of    map[provision.State]client.Operation
	gates map[provision.State]*gate
}

// newPhases makes the projects.
func newPhases(t *testing.T, o *office, c *cloud) *phases {
	t.Helper()
	rule := twoPeople
	rule.Stacks = "guarded"
	return &phases{
		cloud: c, of: map[provision.State]client.Operation{}, gates: map[provision.State]*gate{},
		rehearsed: o.project(t, "rehearsed", client.ProjectSettings{Rehearse: true}),
		shop:      o.project(t, "shop", client.ProjectSettings{ApprovalRules: []client.ApprovalRule{rule}}),
	}
}

// prepare keeps an operation in its rehearsal: its process sleeps. No other one may
// run on the node.
func (p *phases) prepare(t *testing.T, o, node *office) {
	t.Helper()
	for _, name := range []string{"rehearsal", "rehearsal2", "rehearsal3", "rehearsal4"} {
		op := o.orders(t, p.rehearsed, name, nil).Operation
		var pids []int
		require.Eventually(t, func() bool {
			pids = children(t, node.process.Process.Pid, runner.ChildCommand)
			return len(pids) == 1
		}, patience, often/10)
		require.NoError(t, syscall.Kill(pids[0], syscall.SIGSTOP))
		if o.reads(t, op.ID).State == string(provision.Preparing) {
			p.of[provision.Preparing] = op
			return
		}
		_ = syscall.Kill(pids[0], syscall.SIGCONT) // it was faster
		o.reaches(t, op.ID, provision.Succeeded)
	}
	require.Fail(t, "no rehearsal was caught")
}

// keep orders something that a gate keeps in a phase.
func (p *phases) keep(t *testing.T, o *office, phase provision.State, at moment, after int) {
	t.Helper()
	p.gates[phase] = p.cloud.gate(string(phase), at, after)
	p.of[phase] = o.orders(t, p.shop, string(phase), nil).Operation
}

// some is how many resources are made before an update is held.
const some = 3

// all keeps one in each phase but verifying, which begins and ends in one transaction.
func (p *phases) all(t *testing.T, o, node *office) {
	t.Helper()
	p.prepare(t, o, node)
	p.keep(t, o, provision.Previewing, previewed, 0)
	p.keep(t, o, provision.Applying, changed, some)
	p.keep(t, o, provision.Canceling, changed, some)
	p.of[provision.AwaitingApproval] = o.orders(t, p.shop, "guarded", nil).Operation
	for phase, g := range p.gates {
		g.await(t)
		if phase == provision.Canceling {
			_, err := o.as(omar).CancelOperation(t.Context(), p.of[phase].ID, client.CancelOperationParams{})
			require.NoError(t, err)
		}
	}
	for phase, op := range p.of {
		o.becomes(t, op.ID, phase)
	}
}

// open lets go what gates keep, when those that called them are dead.
func (p *phases) open() {
	for _, g := range p.gates {
		g.drop()
	}
}

// stacks are all.
func (p *phases) stacks() (ids []string) {
	for _, op := range p.of {
		ids = append(ids, op.StackID)
	}
	return ids
}

// goOn sees what becomes of them when whoever ran them is dead, and that all come to
// what was ordered in the end.
func (p *phases) goOn(t *testing.T, o *office) {
	t.Helper()
	waiting := o.reads(t, p.of[provision.AwaitingApproval].ID)
	require.Equal(t, string(provision.AwaitingApproval), waiting.State)
	o.approves(t, waiting)
	o.reaches(t, waiting.ID, provision.Succeeded)
	for _, phase := range []provision.State{provision.Preparing, provision.Previewing} {
		op := o.reaches(t, p.of[phase].ID, provision.Succeeded)
		way := strings.Join(o.way(t, op.ID), " ")
		require.Contains(t, way, string(phase)+" queued preparing previewing approved applying verifying succeeded", "it began anew")
	}
	for _, phase := range []provision.State{provision.Applying, provision.Canceling} {
		op := o.reaches(t, p.of[phase].ID, provision.NeedsRecovery)
		require.NotEmpty(t, op.Failure.Pending, "people know what may exist")
		o.recovers(t, op)
	}
	p.cloud.sound(t, o, p.stacks()...)
	o.mended(t, o.reads(t, p.of[provision.Applying].ID))
	p.cloud.sound(t, o, p.stacks()...)
}
