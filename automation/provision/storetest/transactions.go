package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

var transactionTests = []test{
	{"the backend's part and provisioning's are one transaction", func(t *testing.T, s provision.Store) {
		stop := errors.New("stop")
		fails(t, s, stop, func(tx provision.Tx) error {
			ordered(tx)
			must(backend.Record(tx, backend.AuditEntry{Action: "order"}), tx.PutSetting("went", []byte("on")))
			_, err := tx.Operation("op")
			must(err)
			return stop
		})
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"project":     func(tx provision.Tx) error { return failing(tx.Project("prj")) },
			"environment": func(tx provision.Tx) error { return failing(tx.Environment("stk")) },
			"stack":       func(tx provision.Tx) error { return failing(tx.StackByID("stk")) },
			"audit":       func(tx provision.Tx) error { return failing(tx.LastAudit()) },
			"setting":     func(tx provision.Tx) error { return failing(tx.Setting("went")) },
		})
	}},
	{"what exists already is said, and the transaction goes on", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			require.ErrorIs(t, tx.CreateProject(project("prj", "Acme", "Bank")), backend.ErrExists)
			require.ErrorIs(t, tx.CreateProject(project("prj_2", "aCME", "sHOP")), backend.ErrExists, "the name in another case")
			require.ErrorIs(t, tx.CreateEnvironment(environment("stk", "prj")), backend.ErrExists)
			require.ErrorIs(t, tx.CreateOperation(operation("op", "stk", "prj")), backend.ErrExists)
			must(tx.CreateOperation(operation("op_2", "stk", "prj")))
		})
		require.Equal(t, "op_2", got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation("op_2") }).ID)
	}},
	{"a view sees one picture and changes nothing", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		require.NoError(t, s.View(t.Context(), func(tx provision.Tx) error {
			before, err := tx.Operations(provision.OperationQuery{})
			must(err)
			update(t, s, func(tx provision.Tx) { must(tx.CreateOperation(operation("op_2", "stk", "prj"))) })
			after, err := tx.Operations(provision.OperationQuery{})
			must(err)
			require.Equal(t, before, after)
			return nil
		}))
		require.Error(t, s.View(t.Context(), func(tx provision.Tx) error { return tx.CreateProject(project("prj_2", "a", "b")) }))
	}},
	{"times come back in UTC and to the microsecond, wherever they are", func(t *testing.T, s provision.Store) {
		odd := at(0).In(time.FixedZone("", 3600)).Add(999)
		p, e, session := project("prj", "Acme", "Shop"), environment("stk", "prj"), full[provision.Session]()
		p.CreatedAt, p.Settings.FreezeWindows[0].From = odd, odd
		e.DueAt, e.Lock.At, e.Schedules[1].Next, e.Drift.Since = odd, odd, odd, odd
		session.Principal.Caller.Token.ExpiresAt = odd
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(p))
			order(tx, e)
			must(tx.PutSession(session))
		})
		p.CreatedAt, p.Settings.FreezeWindows[0].From = at(0), at(0)
		e.DueAt, e.Lock.At, e.Schedules[1].Next, e.Drift.Since = at(0), at(0), at(0), at(0)
		session.Principal.Caller.Token.ExpiresAt = at(0)
		require.Equal(t, p, got(t, s, func(tx provision.Tx) (provision.Project, error) { return tx.Project("prj") }))
		require.Equal(t, e, got(t, s, func(tx provision.Tx) (provision.Environment, error) { return tx.Environment("stk") }))
		require.Equal(t, session, got(t, s, func(tx provision.Tx) (provision.Session, error) { return tx.Session(session.Hash) }))
	}},
	{"what is no text is refused before the database sees it", func(t *testing.T, s provision.Store) {
		for _, bad := range []string{"a\x00b", "\xff\xfe"} {
			for name, do := range map[string]func(provision.Tx) error{
				"a lookup": func(tx provision.Tx) error { return failing(tx.Operation(bad)) },
				"a label": func(tx provision.Tx) error {
					return tx.CreateEnvironment(provision.Environment{ID: "stk", Labels: map[string]string{"a": bad}})
				},
				"a subject": func(tx provision.Tx) error { return failing(tx.Bindings("user:alice", bad)) },
			} {
				update(t, s, func(tx provision.Tx) {
					require.Equal(t, backend.CodeInvalid, backend.CodeOf(do(tx)), name)
					must(tx.PutSetting("went", []byte("on")))
				})
			}
		}
	}},
	{"bytes in a document that are no text are replaced, and zero bytes are kept", func(t *testing.T, s provision.Store) {
		e, o := environment("stk", "prj"), operation("op", "stk", "prj")
		o.Failure.Message, o.Options.Message = "said \xff", "said \x00"
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("prj", "Acme", "Shop")))
			order(tx, e)
			must(tx.CreateOperation(o))
		})
		o.Failure.Message = "said \ufffd"
		require.Equal(t, o, got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation("op") }))
	}},
}
