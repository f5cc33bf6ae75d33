package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// crowd is how many do something at once.
const crowd = 20

// together runs a transaction in as many goroutines and returns their errors.
func together(t testing.TB, s provision.Store, do func(i int, tx provision.Tx) error) []error {
	t.Helper()
	ctx := deadline(t)
	errs := make([]error, crowd)
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() { errs[i] = s.Update(ctx, func(tx provision.Tx) error { return do(i, tx) }) })
	}
	all.Wait()
	return errs
}

// oneOf requires all but one to fail with an error.
func oneOf(t testing.TB, want error, errs []error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, want)
	}
	require.Equal(t, 1, won)
}

var concurrencyTests = []test{
	{"of many that take a claim one has it, again and again", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		for round := range int64(3) {
			oneOf(t, backend.ErrExists, together(t, s, func(i int, tx provision.Tx) error {
				return failing(tx.TakeClaim(provision.Claim{StackID: "stk", OperationID: "op", Node: fmt.Sprint(i), ExpiresAt: at(9)}, at(0)))
			}))
			c := got(t, s, func(tx provision.Tx) (provision.Claim, error) { return tx.Claim("stk") })
			require.Equal(t, round+1, c.Fence)
			update(t, s, func(tx provision.Tx) { must(tx.ReleaseClaim("stk", c.Fence)) })
		}
	}},
	{"of many that save one version one does", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		for name, save := range map[string]func(provision.Tx) error{
			"project": func(tx provision.Tx) error {
				p := project("prj", "Acme", "Shop")
				return tx.SaveProject(&p)
			},
			"environment": func(tx provision.Tx) error {
				e := environment("stk", "prj")
				return tx.SaveEnvironment(&e)
			},
			"operation": func(tx provision.Tx) error {
				o := operation("op", "stk", "prj")
				return tx.SaveOperation(&o)
			},
		} {
			t.Log(name)
			oneOf(t, provision.ErrVersion, together(t, s, func(_ int, tx provision.Tx) error { return save(tx) }))
		}
	}},
	{"two that read before the other saved: the second is told", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		first := got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation("op") })
		second := first
		update(t, s, func(tx provision.Tx) { must(tx.SaveOperation(&first)) })
		fails(t, s, provision.ErrVersion, func(tx provision.Tx) error { return tx.SaveOperation(&second) })
	}},
	{"who locks sees what the one before did", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		for _, err := range together(t, s, func(_ int, tx provision.Tx) error {
			e, err := tx.LockEnvironment("stk")
			if err != nil {
				return err
			}
			o, err := tx.LockOperation("op")
			if err != nil {
				return err
			}
			e.Warned++
			o.Fence++
			return errors.Join(tx.SaveEnvironment(&e), tx.SaveOperation(&o))
		}) {
			require.NoError(t, err)
		}
		want := environment("stk", "prj")
		require.Equal(t, want.Warned+crowd, theEnvironment(t, s).Warned)
		require.Equal(t, operation("op", "stk", "prj").Fence+crowd, got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation("op") }).Fence)
	}},
	{"many add events and the numbers have no gap, nor are their events mixed", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		const each = 3
		for _, err := range together(t, s, func(i int, tx provision.Tx) error {
			if err := tx.AddEvents("op", someEvents(fmt.Sprint(i), each)); err != nil {
				return err
			}
			if i == 0 {
				return nil
			}
			return tx.AddEvents("op", someEvents(fmt.Sprint(i), each))
		}) {
			require.NoError(t, err)
		}
		events := eventsAfter(t, s, "op", 0, 0)
		require.Len(t, events, each*(2*crowd-1))
		for i, e := range events {
			require.Equal(t, int64(i+1), e.Seq)
			require.JSONEq(t, fmt.Sprintf(`{"n": %d}`, i%each), string(onlyN(t, e)))
		}
	}},
	{"of many requests with one key one is answered", func(t *testing.T, s provision.Store) {
		oneOf(t, backend.ErrExists, together(t, s, func(i int, tx provision.Tx) error {
			return tx.BeginReply(provision.Reply{Principal: "alice", Key: "k", Route: "r", RequestHash: []byte{byte(i)}})
		}))
	}},
	{"of many projects with one name one is made", func(t *testing.T, s provision.Store) {
		oneOf(t, backend.ErrExists, together(t, s, func(i int, tx provision.Tx) error {
			return tx.CreateProject(project(fmt.Sprint(i), "acme", "shop"))
		}))
	}},
	{"a stack is not deleted while it is ordered", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("prj", "Acme", "Shop")), tx.CreateStack(backend.Stack{ID: "stk", Name: nameOf("stk")}))
		})
		deleted := make(chan error, 1)
		ctx := deadline(t)
		require.NoError(t, s.Update(ctx, func(tx provision.Tx) error {
			if err := tx.CreateEnvironment(environment("stk", "prj")); err != nil {
				return err
			}
			go func() { deleted <- s.Update(ctx, func(tx provision.Tx) error { return tx.DeleteStack("stk") }) }()
			_, err := tx.StackByID("stk")
			return err
		}))
		require.NoError(t, <-deleted)
		require.Equal(t, nameOf("stk"), theEnvironment(t, s).Name, "kept by the deletion")
	}},
}
