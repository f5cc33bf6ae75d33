package speed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// waits are how long something took, again and again.
type waits []time.Duration

func (w waits) report(b *testing.B) {
	slices.Sort(w)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(millis(w[len(w)/2]), "p50-ms")
	b.ReportMetric(millis(w[len(w)*99/100]), "p99-ms")
}

// started is an engine that says when it is started, and does nothing.
type started chan time.Time

// Run implements provision.Engine.
func (s started) Run(context.Context, provision.Run, func(provision.Event), <-chan struct{}) (provision.Result, error) {
	s <- time.Now()
	return provision.Result{Counts: map[string]int{}}, nil
}

// Packs implements provision.Engine.
func (started) Packs() []provision.Pack { return nil }

// BenchmarkStart is the time from an order to the start of its engine, on a node
// that has nothing else to do.
func BenchmarkStart(b *testing.B) {
	const orders = 300
	for _, d := range databases {
		b.Run("database="+d.name, func(b *testing.B) {
			i, starts := install(b, d.open(b)), make(started, 1)
			i.work(b, starts)
			env := i.stack(b, "start")
			<-starts
			var took waits
			for range b.N {
				for range orders {
					began := time.Now()
					o, err := i.service.Order(b.Context(), admin, env.ID, provision.NewOperation{Kind: provision.KindPreview})
					require.NoError(b, err)
					took = append(took, (<-starts).Sub(began))
					i.wait(b, o)
				}
			}
			took.report(b)
		})
	}
}

// kept is how many operations there are.
const kept = 10_000

// BenchmarkAPI is how long the API takes to answer when many operations are kept.
func BenchmarkAPI(b *testing.B) {
	const requests = 500
	for _, d := range databases {
		i := install(b, d.open(b))
		i.keep(b, kept)
		var last []provision.Operation
		require.NoError(b, i.records.View(b.Context(), func(tx provision.Tx) (err error) {
			last, err = tx.Operations(provision.OperationQuery{Limit: requests})
			return err
		}))
		require.Len(b, last, requests)
		for _, endpoint := range []struct {
			name string
			path func(n int) string
		}{
			{"list", func(int) string { return "/v1/operations" }},
			{"list-of-a-stack", func(n int) string { return "/v1/stacks/" + last[n].StackID + "/operations" }},
			{"show", func(n int) string { return "/v1/operations/" + last[n].ID }},
		} {
			b.Run(fmt.Sprintf("endpoint=%s/database=%s", endpoint.name, d.name), func(b *testing.B) {
				i.get(b, endpoint.path(0)) // the connection is there then
				var took waits
				for range b.N {
					for n := range requests {
						began := time.Now()
						i.get(b, endpoint.path(n))
						took = append(took, time.Since(began))
					}
				}
				took.report(b)
			})
		}
	}
}

func (i *installation) get(b *testing.B, path string) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, i.orders+path, nil)
	require.NoError(b, err)
	request.Header.Set("Authorization", "Bearer "+i.token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(b, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
	require.Equal(b, http.StatusOK, response.StatusCode, "%s", text)
}

// keep puts operations that have ended into the database, over twenty stacks, each
// with a plan of ten changes.
func (i *installation) keep(b *testing.B, n int) {
	b.Helper()
	const stacks, atOnce = 20, 500
	ctx := context.WithoutCancel(b.Context())
	var plan provision.Plan
	for c := range 10 {
		plan.Changes = append(plan.Changes, provision.Change{
			URN:  fmt.Sprintf("urn:pulumi:dev::speed::aws:s3/bucketV2:BucketV2::bucket-%d", c),
			Type: "aws:s3/bucketV2:BucketV2", Op: "update", Properties: []string{"tags", "forceDestroy"},
		})
	}
	envs := make([]provision.Environment, stacks)
	for s := range envs {
		no := false
		env, o, err := i.service.CreateEnvironment(ctx, admin, provision.NewEnvironment{
			ProjectID: i.project.ID, Name: fmt.Sprintf("kept-%d", s), Blueprint: things, Inputs: json.RawMessage(`{}`), Protected: &no,
		})
		require.NoError(b, err)
		_, err = i.service.Cancel(ctx, admin, o.ID, false)
		require.NoError(b, err)
		envs[s] = env
	}
	for first := 0; first < n; first += atOnce {
		require.NoError(b, i.records.Update(ctx, func(tx provision.Tx) error {
			for k := first; k < first+atOnce; k++ {
				env := envs[k%stacks]
				err := tx.CreateOperation(provision.Operation{
					ID: fmt.Sprintf("op_%026d", k), StackID: env.ID, ProjectID: env.ProjectID, Stack: backend.StackName{Org: org, Project: "speed", Stack: env.Name.Stack},
					Kind: provision.KindUp, State: provision.Succeeded, Version: 5, Blueprint: env.Blueprint, Inputs: env.Inputs, Plan: &plan,
					RequestedBy: provision.Actor{Kind: provision.Human, Name: "admin", Human: "admin"},
					CreatedAt:   tx.Now(), UpdatedAt: tx.Now(), StartedAt: tx.Now(), EndedAt: tx.Now(),
				})
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
}
