package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

var replyTests = []test{
	{"a reply begins without an answer, ends with one, and may be dropped", func(t *testing.T, s provision.Store) {
		r := full[provision.Reply]()
		kept := func() provision.Reply {
			return got(t, s, func(tx provision.Tx) (provision.Reply, error) { return tx.Reply(r.Principal, r.Key, r.Route) })
		}
		update(t, s, func(tx provision.Tx) {
			must(tx.BeginReply(r))
			require.ErrorIs(t, tx.BeginReply(r), backend.ErrExists)
			for _, other := range []provision.Reply{{Principal: "x", Key: r.Key, Route: r.Route}, {Principal: r.Principal, Key: "x", Route: r.Route}, {Principal: r.Principal, Key: r.Key, Route: "x"}} {
				must(tx.BeginReply(other))
			}
		})
		require.Equal(t, provision.Reply{Principal: r.Principal, Key: r.Key, Route: r.Route, RequestHash: r.RequestHash, CreatedAt: r.CreatedAt}, kept())
		end := r
		end.RequestHash, end.CreatedAt = nil, at(59)
		update(t, s, func(tx provision.Tx) { must(tx.EndReply(end)) })
		require.Equal(t, r, kept(), "the request's part stays")
		update(t, s, func(tx provision.Tx) { must(tx.DropReply(r.Principal, r.Key, r.Route)) })
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"reply": func(tx provision.Tx) error { return failing(tx.Reply(r.Principal, r.Key, r.Route)) },
			"end":   func(tx provision.Tx) error { return tx.EndReply(r) },
			"drop":  func(tx provision.Tx) error { return tx.DropReply(r.Principal, r.Key, r.Route) },
		})
		update(t, s, func(tx provision.Tx) { must(tx.BeginReply(r)) })
	}},
	{"old replies are pruned", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			for i := range 4 {
				must(tx.BeginReply(provision.Reply{Key: string(rune('a' + i)), CreatedAt: at(i)}))
			}
			for _, want := range []int64{1, 1, 0} {
				n, err := tx.PruneReplies(at(2), 1)
				must(err)
				require.Equal(t, want, n)
			}
			_, err := tx.Reply("", "c", "")
			must(err)
			_, err = tx.Reply("", "b", "")
			require.ErrorIs(t, err, backend.ErrNotFound)
		})
	}},
}

var sessionTests = []test{
	{"sessions come back as they were, are replaced, deleted and pruned", func(t *testing.T, s provision.Store) {
		want := full[provision.Session]()
		kept := func(hash []byte) provision.Session {
			return got(t, s, func(tx provision.Tx) (provision.Session, error) { return tx.Session(hash) })
		}
		update(t, s, func(tx provision.Tx) { must(tx.PutSession(want)) })
		require.Equal(t, want, kept(want.Hash))
		want.ExpiresAt, want.Principal.Groups = at(40), nil
		update(t, s, func(tx provision.Tx) {
			must(tx.PutSession(want))
			for i := range 4 {
				must(tx.PutSession(provision.Session{Hash: []byte{byte(i)}, ExpiresAt: at(i)}))
			}
		})
		require.Equal(t, want, kept(want.Hash))
		require.Equal(t, provision.Session{Hash: []byte{1}, ExpiresAt: at(1)}, kept([]byte{1}))
		update(t, s, func(tx provision.Tx) {
			n, err := tx.PruneSessions(at(2), 0)
			must(err)
			require.Equal(t, int64(2), n)
			must(tx.DeleteSession([]byte{3}))
		})
		kept([]byte{2})
		for _, hash := range [][]byte{{1}, {3}, {9}, nil} {
			fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return failing(tx.Session(hash)) })
			fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return tx.DeleteSession(hash) })
		}
	}},
}

var checkpointTests = []test{
	{"places of the audit chain come back as they were, in order", func(t *testing.T, s provision.Store) {
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return failing(tx.LastAuditCheckpoint()) })
		checkpoint := func(n int64) provision.AuditCheckpoint {
			c := full[provision.AuditCheckpoint]()
			c.Sequence = n
			return c
		}
		update(t, s, func(tx provision.Tx) {
			must(tx.AddAuditCheckpoint(checkpoint(20)), tx.AddAuditCheckpoint(checkpoint(5)), tx.AddAuditCheckpoint(checkpoint(10)))
			require.ErrorIs(t, tx.AddAuditCheckpoint(checkpoint(5)), backend.ErrExists)
		})
		after := func(n int64, limit int) []provision.AuditCheckpoint {
			return got(t, s, func(tx provision.Tx) ([]provision.AuditCheckpoint, error) { return tx.AuditCheckpoints(n, limit) })
		}
		require.Equal(t, []provision.AuditCheckpoint{checkpoint(5), checkpoint(10), checkpoint(20)}, after(0, 0))
		require.Equal(t, []provision.AuditCheckpoint{checkpoint(10)}, after(5, 1))
		require.Empty(t, after(20, 0))
		require.Equal(t, checkpoint(20), got(t, s, provision.Tx.LastAuditCheckpoint))
	}},
}
