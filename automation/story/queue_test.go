package story

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// Ten people order for one stack at the same time: each order is carried out, one
// after the other, and the last one holds.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	o := open(t)
	p := o.project(t, "shop", client.ProjectSettings{})
	first := o.orders(t, p, "logs", nil)
	o.reaches(t, first.Operation.ID, provision.Succeeded)

	const many = 10
	orders, failures := make([]client.Operation, many), make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			orders[i], failures[i] = o.as(rita).CreateOperation(t.Context(), first.Stack.ID, client.NewOperation{Kind: "up", Inputs: bucket(500 + i)}, client.CreateOperationParams{})
		})
	}
	all.Wait()
	type span struct {
		from, to time.Time
		days     int
	}
	spans := make([]span, 0, many)
	for i, order := range orders {
		require.NoError(t, failures[i])
		op := o.reaches(t, order.ID, provision.Succeeded)
		require.Equal(t, map[string]int64{"update": 1}, changes(op), "each does what it was ordered to")
		spans = append(spans, span{op.StartedAt, op.EndedAt, 500 + i})
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	for i := range spans[1:] {
		require.False(t, spans[i+1].from.Before(spans[i].to), "one at a time: %v and %v", spans[i], spans[i+1])
	}
	seen, err := o.as(rita).GetStack(t.Context(), first.Stack.ID)
	require.NoError(t, err)
	require.Contains(t, string(seen.Inputs), fmt.Sprintf(`"expireAfterDays":%d`, spans[many-1].days))
	list, err := o.as(rita).ListStackOperations(t.Context(), first.Stack.ID, client.ListStackOperationsParams{})
	require.NoError(t, err)
	require.Len(t, list.Items, many+1, "none is lost, and none was made up")
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
