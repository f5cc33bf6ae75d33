package story

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// An update is canceled in the middle of it: what has begun is finished, the rest is
// not begun, and the next update does that. One that is ended by force leaves what
// nobody knows of.
func TestCancel(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	o := open(t, join(soon, c.flags())...)
	p := o.project(t, "shop", client.ProjectSettings{})

	g := c.gate("logs", changed, some)
	op := o.orders(t, p, "logs", nil).Operation
	begun := o.begun(t, op.ID, g)
	_, err := o.as(omar).CancelOperation(t.Context(), op.ID, client.CancelOperationParams{})
	require.NoError(t, err)
	o.becomes(t, op.ID, provision.Canceling)
	require.Subset(t, o.inFlight(t, op.ID), begun, "people see what it waits for")
	require.Subset(t, g.urns(), o.inFlight(t, op.ID))
	g.open()
	op = o.reaches(t, op.ID, provision.Canceled)
	require.Contains(t, op.Failure.Message, "canceled by "+omar+": what had begun was finished")
	require.Empty(t, op.Failure.Pending)
	require.Equal(t, []string{"applying", "canceling", "canceled"}, o.way(t, op.ID)[4:])
	c.sound(t, o, op.StackID)
	resources := c.Resources()
	require.Greater(t, len(resources), some, "what had begun is there")
	o.mended(t, op)
	c.sound(t, o, op.StackID)
	require.Greater(t, len(c.Resources()), len(resources))
	first := op.StackID

	g = c.gate("data", changed, some)
	op = o.orders(t, p, "data", nil).Operation
	begun = o.begun(t, op.ID, g)
	_, err = o.as(rita).ForceCancelOperation(t.Context(), op.ID, client.ForceCancelOperationParams{})
	require.Equal(t, string(provision.CodeForbidden), client.CodeOf(err), "%v", err)
	_, err = o.as(admin).ForceCancelOperation(t.Context(), op.ID, client.ForceCancelOperationParams{})
	require.NoError(t, err)
	died := o.reaches(t, op.ID, provision.NeedsRecovery)
	g.drop()
	require.Contains(t, died.Failure.Message, "by force, by "+admin)
	require.Subset(t, died.Failure.Pending, begun)
	require.Subset(t, g.urns(), died.Failure.Pending)
	o.mended(t, died)
	c.sound(t, o, op.StackID, first)
}

// inFlight is what an operation says that its cancellation waits for.
func (o *office) inFlight(t *testing.T, id string) []string {
	t.Helper()
	for _, e := range o.events(t, id) {
		var data struct {
			InFlight []string `json:"in_flight"`
		}
		require.NoError(t, json.Unmarshal(e.Data, &data))
		if len(data.InFlight) > 0 {
			return data.InFlight
		}
	}
	return nil
}

// begun waits until an update has come to a gate, and its events say so; it returns the
// URNs of what waits there.
func (o *office) begun(t *testing.T, id string, g *gate) (urns []string) {
	t.Helper()
	g.await(t)
	require.Eventually(t, func() bool {
		begun, done := map[string]bool{}, 0
		for _, e := range o.events(t, id) {
			var data struct{ Phase, Status, URN, Type string }
			require.NoError(t, json.Unmarshal(e.Data, &data))
			if e.Type == string(provision.EventResource) && data.Phase == string(provision.PhaseUp) && strings.HasPrefix(data.Type, "aws:") {
				begun[data.URN] = true
				if data.Status == "done" {
					done++
				}
			}
		}
		urns = g.urns()
		return done == some && !slices.ContainsFunc(urns, func(urn string) bool { return !begun[urn] })
	}, patience, often, "its events tell what has begun")
	return urns
}
