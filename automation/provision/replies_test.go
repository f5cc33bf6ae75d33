package provision_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

func request(key, hash string) provision.Reply {
	return provision.Reply{Key: key, Route: "POST /v1/stacks", RequestHash: []byte(hash)}
}

func answered(r provision.Reply, status int) provision.Reply {
	r.Status, r.Header, r.Body = status, map[string]string{"Location": "/v1/operations/op_1"}, []byte(`{"id":"op_1"}`)
	return r
}

var replyTests = []test{
	{"the same request is done once, and answered twice", func(t *testing.T, w *world) {
		r := request("k1", "h1")
		stored, err := w.BeginRequest(t.Context(), w.requester, r)
		require.NoError(t, err)
		require.Nil(t, stored)
		_, err = w.BeginRequest(t.Context(), w.requester, r)
		fails(t, err, provision.CodeConflict, "is being answered")
		var e *provision.Error
		require.ErrorAs(t, err, &e)
		require.Positive(t, e.RetryAfter)
		require.NoError(t, w.EndRequest(t.Context(), w.requester, answered(r, 202)))
		require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
			kept, err := tx.Reply("user:rita", "k1", r.Route)
			require.NotContains(t, string(kept.Body), "op_1", "an answer may have a secret")
			return err
		}))
		stored, err = w.BeginRequest(t.Context(), w.requester, r)
		require.NoError(t, err)
		require.Equal(t, 202, stored.Status)
		require.Equal(t, `{"id":"op_1"}`, string(stored.Body))
		require.Equal(t, "/v1/operations/op_1", stored.Header["Location"])

		_, err = w.BeginRequest(t.Context(), w.requester, request("k1", "h2"))
		fails(t, err, provision.CodeInvalid, "take a new key for each request")
		// Somebody else's key is another, and so is that of another route.
		stored, err = w.BeginRequest(t.Context(), w.operator, r)
		require.NoError(t, err)
		require.Nil(t, stored)
		robot := w.robot
		robot.Name = "rita"
		stored, err = w.BeginRequest(t.Context(), robot, r)
		require.NoError(t, err)
		require.Nil(t, stored)
	}},
	{"it is forgotten after a day, and when the service was at fault", func(t *testing.T, w *world) {
		r := request("k1", "h1")
		for range 2 {
			stored, err := w.BeginRequest(t.Context(), w.requester, r)
			require.NoError(t, err)
			require.Nil(t, stored)
			require.NoError(t, w.DropRequest(t.Context(), w.requester, r))
			require.NoError(t, w.DropRequest(t.Context(), w.requester, r), "it may be said again")
		}
		_, err := w.BeginRequest(t.Context(), w.requester, r)
		require.NoError(t, err)
		require.NoError(t, w.EndRequest(t.Context(), w.requester, answered(r, 202)))
		w.pass(23*time.Hour + 55*time.Minute)
		stored, err := w.BeginRequest(t.Context(), w.requester, r)
		require.NoError(t, err)
		require.NotNil(t, stored)
		w.pass(5 * time.Minute)
		stored, err = w.BeginRequest(t.Context(), w.requester, request("k1", "h2"))
		require.NoError(t, err)
		require.Nil(t, stored)
		w.pass(25 * time.Hour)
		require.NoError(t, w.Prune(t.Context()))
		require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
			_, err := tx.Reply("user:rita", "k1", r.Route)
			require.Error(t, err, "old ones are not kept")
			return nil
		}))
	}},
	{"a request that died with its process may be made again, by one", func(t *testing.T, w *world) {
		r := request("k1", "h1")
		_, err := w.BeginRequest(t.Context(), w.requester, r)
		require.NoError(t, err)
		w.pass(3 * time.Minute)
		_, err = w.BeginRequest(t.Context(), w.requester, request("k1", "h2"))
		fails(t, err, provision.CodeInvalid)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.BeginRequest(t.Context(), w.requester, r) })
		}
		wg.Wait()
		begun := 0
		for _, err := range errs {
			if err == nil {
				begun++
				continue
			}
			fails(t, err, provision.CodeConflict)
		}
		require.Equal(t, 1, begun)
	}},
	{"a key is some text, and not too long", func(t *testing.T, w *world) {
		for _, key := range []string{"", string(make([]byte, 300))} {
			_, err := w.BeginRequest(t.Context(), w.requester, request(key, "h"))
			fails(t, err, provision.CodeInvalid, "1 to 255")
		}
	}},
}
