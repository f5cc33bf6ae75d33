package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var checkpointTests = []test{
	{"the end of the audit log is signed when it is time to", func(t *testing.T, w *world) {
		c, err := w.CheckpointAudit(t.Context(), false)
		require.NoError(t, err)
		require.NotNil(t, c, "the first is made at once")
		w.environment(t, "dev")
		none, err := w.CheckpointAudit(t.Context(), false)
		require.NoError(t, err)
		require.Nil(t, none)
		w.pass(11 * time.Minute)
		second, err := w.CheckpointAudit(t.Context(), false)
		require.NoError(t, err)
		require.NotNil(t, second)
		w.pass(time.Hour)
		none, err = w.node().CheckpointAudit(t.Context(), true)
		require.NoError(t, err)
		require.Nil(t, none, "nothing has happened since")

		page, err := w.AuditCheckpoints(t.Context(), w.admin, 0, 0)
		require.NoError(t, err)
		require.Equal(t, []provision.AuditCheckpoint{*c, *second}, page)
		key, id := w.AuditKey()
		require.Equal(t, id, c.KeyID)
		entries := w.entries(t)
		for _, c := range page {
			require.NoError(t, provision.VerifyCheckpoint(c, entries[c.Sequence-1], key))
		}
	}},
	{"what does not fit a checkpoint is found", func(t *testing.T, w *world) {
		c, err := w.CheckpointAudit(t.Context(), true)
		require.NoError(t, err)
		key, _ := w.AuditKey()
		entry := w.entries(t)[c.Sequence-1]
		require.NoError(t, provision.VerifyCheckpoint(*c, entry, key))
		for name, change := range map[string]func(c *provision.AuditCheckpoint){
			"the sequence":  func(c *provision.AuditCheckpoint) { c.Sequence++ },
			"the time":      func(c *provision.AuditCheckpoint) { c.At = c.At.Add(time.Microsecond) },
			"the hash":      func(c *provision.AuditCheckpoint) { c.Hash = append([]byte{1}, c.Hash...) },
			"the key's id":  func(c *provision.AuditCheckpoint) { c.KeyID = "0011223344556677" },
			"the signature": func(c *provision.AuditCheckpoint) { c.Signature = append([]byte{1}, c.Signature[1:]...) },
		} {
			forged := *c
			change(&forged)
			require.Error(t, provision.VerifyCheckpoint(forged, entry, key), name)
		}
		entry.Hash = append([]byte{1}, entry.Hash...)
		require.ErrorContains(t, provision.VerifyCheckpoint(*c, entry, key), "written anew")
	}},
	{"checkpoints are for who reads the audit log", func(t *testing.T, w *world) {
		_, err := w.AuditCheckpoints(t.Context(), w.requester, 0, 0)
		require.Contains(t, []provision.Code{provision.CodeForbidden, provision.CodeNotFound}, provision.CodeOf(err))
	}},
}
