package story

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// Two workers have an operation each when ten people order for one stack at the same
// time, and somebody for another project: that one is next. Of the ten each is carried
// out, one after the other, and the last one holds.
func TestTwoWorkers(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	shared := join(c.flags(), []string{"--database", database(t), "--slots", "1"})
	o := open(t, shared...)
	crowd, lone := o.project(t, "crowd", client.ProjectSettings{}), o.project(t, "lone", client.ProjectSettings{})
	first := o.orders(t, crowd, "logs", nil)
	o.reaches(t, first.Operation.ID, provision.Succeeded)
	other := o.beside(t, "other", shared...)
	var busy []string
	for i, node := range []*office{o, other} {
		name := fmt.Sprint("busy", i)
		g := c.gate(name, previewed, 0)
		busy = append(busy, node.orders(t, crowd, name, nil).Operation.ID)
		g.await(t) // it has one of the workers
	}
	ends := func(id string) {
		_, err := o.as(omar).CancelOperation(t.Context(), id, client.CancelOperationParams{})
		require.NoError(t, err)
	}

	const many = 10
	orders, failures := make([]client.Operation, many), make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			node := []*office{o, other}[i%2]
			orders[i], failures[i] = node.as(rita).CreateOperation(t.Context(), first.Stack.ID, client.NewOperation{Kind: "up", Inputs: bucket(500 + i)}, client.CreateOperationParams{})
		})
	}
	all.Wait()
	alone := o.orders(t, lone, "logs", nil)
	ends(busy[0])
	o.reaches(t, alone.Operation.ID, provision.Succeeded)
	ends(busy[1])
	days := map[string]int{}
	for i, order := range orders {
		require.NoError(t, failures[i])
		op := o.reaches(t, order.ID, provision.Succeeded)
		require.Equal(t, map[string]int64{"update": 1}, changes(op), "each does what it was ordered to")
		days[order.ID] = 500 + i
	}

	begun := o.begins(t)
	next := slices.Index(begun, alone.Operation.ID)
	require.Equal(t, 3, next, "after the first one and the two that kept the workers: %v", begun)
	seen, err := o.as(rita).GetStack(t.Context(), first.Stack.ID)
	require.NoError(t, err)
	require.Contains(t, string(seen.Inputs), fmt.Sprintf(`"expireAfterDays":%d`, days[begun[len(begun)-1]]))
	list, err := o.as(rita).ListStackOperations(t.Context(), first.Stack.ID, client.ListStackOperationsParams{})
	require.NoError(t, err)
	require.Len(t, list.Items, many+1, "none is lost, and none was made up")
}

// begins are the operations in the order in which they were begun, as the audit log has
// it, which has also that each stack had one at a time.
func (o *office) begins(t *testing.T) (ids []string) {
	t.Helper()
	holds := map[string]string{} // by stack
	c := adminapi.Client{URL: o.url, Token: o.tokens[admin]}
	require.NoError(t, c.Audit(t.Context(), 0, func(e adminapi.AuditEntry) error {
		state, is := strings.CutPrefix(e.Action, "operation.")
		id := e.Detail["operation"]
		switch {
		case !is || state == string(provision.Queued) || !slices.Contains(provision.States(), provision.State(state)):
		case state == string(provision.Preparing):
			require.Empty(t, holds[e.Target], "one at a time on %s", e.Target)
			holds[e.Target], ids = id, append(ids, id)
		default:
			require.Equal(t, holds[e.Target], id, "%s on %s", e.Action, e.Target)
			if provision.State(state).Final() {
				delete(holds, e.Target)
			}
		}
		return nil
	}))
	return ids
}

// changes are what an operation changed.
func changes(op client.Operation) map[string]int64 {
	out := map[string]int64{}
	for change, n := range op.ChangeSummary {
		if n > 0 && change != "same" && change != "read" {
			out[change] = n
		}
	}
	return out
}

// An order that is sent again is the same order, at the same time too.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	o := open(t)
	p := o.project(t, "shop", client.ProjectSettings{})
	body := `{"project_id":"` + p.ID + `","name":"logs","blueprint":"secure-bucket","inputs":` + string(bucket(400)) + `}`
	key := http.Header{"Idempotency-Key": {"one"}}
	status, header, answer := o.raw(t, rita, http.MethodPost, "/v1/stacks", key, body)
	require.Equal(t, http.StatusAccepted, status, answer)
	require.Empty(t, header.Get("Idempotency-Replayed"))
	status, header, again := o.raw(t, rita, http.MethodPost, "/v1/stacks", key, body)
	require.Equal(t, http.StatusAccepted, status, again)
	require.Equal(t, "true", header.Get("Idempotency-Replayed"))
	require.Equal(t, answer, again)
	status, _, other := o.raw(t, rita, http.MethodPost, "/v1/stacks", key, `{"project_id":"`+p.ID+`","name":"other","blueprint":"secure-bucket","inputs":`+string(bucket(400))+`}`)
	require.Equal(t, http.StatusUnprocessableEntity, status, other)
	status, _, keyless := o.raw(t, rita, http.MethodPost, "/v1/stacks", nil, body)
	require.Equal(t, http.StatusUnprocessableEntity, status, keyless)
	require.Contains(t, keyless, "Idempotency-Key")

	list, err := o.as(rita).ListStacks(t.Context(), client.ListStacksParams{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	stack := list.Items[0].ID
	const many = 10
	ids, failures := make([]string, many), make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			op, err := o.as(rita).CreateOperation(t.Context(), stack, client.NewOperation{Kind: "preview"}, client.CreateOperationParams{IdempotencyKey: "two"})
			ids[i], failures[i] = op.ID, err
		})
	}
	all.Wait()
	for i := range many {
		// One that is still being answered says so, and the client asks again.
		if failures[i] != nil {
			require.Equal(t, http.StatusConflict, failures[i].(*client.Problem).Status, "%v", failures[i])
			continue
		}
		require.Equal(t, ids[0], ids[i])
	}
	o.reaches(t, ids[0], provision.Succeeded)
	operations, err := o.as(rita).ListStackOperations(t.Context(), stack, client.ListStackOperationsParams{})
	require.NoError(t, err)
	require.Len(t, operations.Items, 2)
}
