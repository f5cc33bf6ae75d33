package story

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/internal/postgrestest"
)

// The database crashes while one order is previewed and another applied, and is back
// after a while: both come to their end, and nothing is lost.
func TestDatabaseRestarts(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	server := postgrestest.Start(t, "fsync = on", "log_statement = none")
	o := open(t, join(c.flags(), []string{"--database", databaseOf(t, server)})...)
	p := o.project(t, "shop", client.ProjectSettings{})
	gates := []*gate{c.gate("previewing", previewed, 0), c.gate("applying", changed, some)}
	previewing, applying := o.orders(t, p, "previewing", nil), o.orders(t, p, "applying", nil)
	for _, g := range gates {
		g.await(t)
	}
	server.Stop(t)
	for _, g := range gates {
		g.open() // what happens now cannot be written
	}
	status, _, answer := o.raw(t, rita, http.MethodPost, "/v1/stacks", http.Header{"Idempotency-Key": {"one"}},
		`{"project_id":"`+p.ID+`","name":"late","blueprint":"secure-bucket","inputs":`+string(bucket(400))+`}`)
	require.Equal(t, http.StatusServiceUnavailable, status, answer)
	status, _, answer = o.raw(t, rita, http.MethodGet, "/readyz", nil, "")
	require.Equal(t, http.StatusServiceUnavailable, status, answer)
	server.StartAgain(t)

	ends := []provision.State{provision.Succeeded, provision.Failed, provision.NeedsRecovery}
	for _, op := range []client.Operation{previewing.Operation, applying.Operation} {
		o.mended(t, o.reaches(t, op.ID, ends...))
	}
	list, err := o.as(rita).ListStacks(t.Context(), client.ListStacksParams{})
	require.NoError(t, err)
	require.Len(t, list.Items, 2, "what was refused was not done")
	c.sound(t, o, previewing.Stack.ID, applying.Stack.ID)
}
