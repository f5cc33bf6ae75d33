package sql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

const (
	manyProjects   = 20
	manyOperations = 12_000
)

// fillQueue makes a database as it is after a year: thousands of operations that
// have ended, some that wait, few that run.
func fillQueue(t testing.TB, s provision.Store) time.Time {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, s.Update(context.Background(), func(tx provision.Tx) error {
		for p := range manyProjects {
			project, stack := fmt.Sprintf("prj_%02d", p), fmt.Sprintf("stk_%02d", p)
			name := backend.StackName{Org: "acme", Project: project, Stack: "dev"}
			for _, err := range []error{
				tx.CreateProject(provision.Project{ID: project, Org: "acme", Name: project}),
				tx.CreateStack(backend.Stack{ID: stack, Name: name}),
				tx.CreateEnvironment(provision.Environment{ID: stack, ProjectID: project}),
				tx.CreateWebhook(provision.Webhook{ID: "hook_" + stack, Org: "acme"}),
			} {
				if err != nil {
					return err
				}
			}
		}
		for i := range manyOperations {
			p := i % manyProjects
			o := provision.Operation{
				ID: fmt.Sprintf("op_%06d", i), StackID: fmt.Sprintf("stk_%02d", p), ProjectID: fmt.Sprintf("prj_%02d", p),
				Kind: provision.KindUp, State: provision.Succeeded, CreatedAt: start.Add(time.Duration(i) * time.Minute),
				Options: provision.OperationOptions{Message: strings.Repeat("x", 500)},
			}
			switch {
			case i%100 == 0:
				o.State, o.DeadlineAt = provision.Queued, o.CreatedAt.Add(time.Hour)
			case i%1000 == 1:
				o.State = provision.Applying
			default:
				o.EndedAt = o.CreatedAt.Add(time.Minute)
			}
			if err := tx.CreateOperation(o); err != nil {
				return err
			}
			d := provision.Delivery{ID: "d" + o.ID, WebhookID: "hook_" + o.StackID, CreatedAt: o.CreatedAt, Payload: []byte(`{}`)}
			if i%1000 == 0 {
				d.DueAt = o.CreatedAt
			}
			if err := tx.AddDelivery(d); err != nil {
				return err
			}
		}
		return nil
	}))
	return start.Add(manyOperations * time.Minute)
}

// testPlans sees that what is asked all the time is found by an index, also among
// many operations.
func testPlans(t *testing.T, s provision.Store, explain string) {
	now := fillQueue(t, s)
	for _, c := range []struct {
		name string
		ask  func(provision.Tx) error
		want []string
	}{
		{"runnable", func(tx provision.Tx) error { _, err := tx.Runnable(now, 10); return err }, []string{"operations_runnable", "operations_claimed"}},
		{"overdue", func(tx provision.Tx) error { _, err := tx.OverdueOperations(now, 10); return err }, []string{"operations_deadline"}},
		{"a page of a project", func(tx provision.Tx) error {
			found, err := tx.Operations(provision.OperationQuery{ProjectIDs: []string{"prj_03"}, Before: "op_006003", Limit: 20})
			require.Len(t, found, 20)
			return err
		}, []string{"operations_project"}},
		{"a stack's", func(tx provision.Tx) error {
			_, err := tx.Operations(provision.OperationQuery{StackID: "stk_03", Limit: 20})
			return err
		}, []string{"operations_stack"}},
		{"a count by state", func(tx provision.Tx) error { _, err := tx.CountOperations("prj_03", provision.Queued); return err }, []string{"operations_state"}},
		{"a count since", func(tx provision.Tx) error {
			_, err := tx.CountOperationsSince("prj_03", now.Add(-time.Hour))
			return err
		}, []string{"operations_ordered"}},
		{"due deliveries", func(tx provision.Tx) error { _, err := tx.DueDeliveries(now, 10); return err }, []string{"deliveries_due"}},
		{"due environments", func(tx provision.Tx) error { _, err := tx.DueEnvironments(now, 10); return err }, []string{"environments_due"}},
		{"figures", func(tx provision.Tx) error { _, err := tx.Figures(now); return err }, []string{"operations_open", "operations_drift", "environments_live", "deliveries_due"}},
		{"ended with secrets", func(tx provision.Tx) error { _, err := tx.EndedWithSecrets(now, now, 10); return err }, []string{"operations_ended"}},
		{"ordered by somebody", func(tx provision.Tx) error {
			_, err := tx.Operations(provision.OperationQuery{RequestedBy: "user:alice", Limit: 20})
			return err
		}, []string{"operations_requested_by"}},
		{"depths of queues", func(tx provision.Tx) error { _, err := tx.QueueDepths(); return err }, []string{"operations_runnable"}},
		{"stacks by state", func(tx provision.Tx) error {
			_, err := tx.Environments(provision.EnvironmentQuery{States: []provision.State{provision.Failed}, Limit: 20})
			return err
		}, []string{"operations_stack"}},
		{"tokens of a principal", func(tx provision.Tx) error { _, err := tx.AccessTokens("sa:ci", "", 20); return err }, []string{"tokens_principal"}},
		{"tokens of people", func(tx provision.Tx) error { _, err := tx.AccessTokens("", "", 20); return err }, []string{"tokens_access"}},
		{"expired claims", func(tx provision.Tx) error { _, err := tx.ExpiredClaims(now, 10); return err }, []string{"claims_expiry"}},
	} {
		require.NoError(t, s.View(context.Background(), func(tx provision.Tx) error {
			var failed error
			plan, err := sql.Explain(tx, explain, func() { failed = c.ask(tx) })
			require.NoError(t, failed)
			require.NoError(t, err)
			for _, index := range c.want {
				require.Contains(t, strings.Join(plan, "\n"), index, c.name)
			}
			return nil
		}))
	}
}

func TestSQLiteFindsWorkByIndexes(t *testing.T) {
	t.Parallel()
	testPlans(t, provisioning(t, openFile(t)), "EXPLAIN QUERY PLAN")
}

func TestPostgresFindsWorkByIndexes(t *testing.T) {
	t.Parallel()
	// A table of a few rows is read as a whole where it may be: it is not to.
	store := open(t, postgrestest.Database(t)+"&enable_seqscan=off")
	testPlans(t, provisioning(t, store), "EXPLAIN")
}
