package story

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/keyfile"
	"redoubt/automation/provision"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
	"redoubt/internal/rehearsal"
)

// twoPeople wants a second person for what changes a stack.
var twoPeople = client.ApprovalRule{Name: "two people", Kinds: []string{"up", "destroy"}, Required: 1}

// A team orders a bucket, somebody else approves it, it lives, and it is destroyed.
// Then the audit log is verified without the server.
func TestStory(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		o := open(t)
		tell(t, o, o.data)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := postgrestest.Start(t).URL(t, "postgres")
		tell(t, open(t, "--database", url), url)
	})
}

func tell(t *testing.T, o *office, database string) {
	p := o.project(t, "shop", client.ProjectSettings{Rehearse: true, ApprovalRules: []client.ApprovalRule{twoPeople}})

	// The order, as curl would send it.
	body := `{"project_id":"` + p.ID + `","name":"logs","blueprint":"secure-bucket","inputs":` + string(bucket(400)) + `}`
	status, header, answer := o.raw(t, rita, http.MethodPost, "/v1/stacks?wait=1s", http.Header{"Idempotency-Key": {"first"}}, body)
	require.Equal(t, http.StatusAccepted, status, answer)
	var ordered client.Ordered
	require.NoError(t, json.Unmarshal([]byte(answer), &ordered))
	require.Equal(t, "/v1/operations/"+ordered.Operation.ID, header.Get("Location"))
	stack := ordered.Stack.ID
	require.True(t, ordered.Stack.Protected, "what lives for ever is protected")

	op := o.reaches(t, ordered.Operation.ID, provision.AwaitingApproval)
	require.NotNil(t, op.Rehearsal, "it was rehearsed before")
	plan, err := o.as(anna).GetPlan(t.Context(), op.ID)
	require.NoError(t, err)
	require.Equal(t, op.PlanDigest, plan.Digest)
	require.Greater(t, plan.ChangeSummary["create"], int64(10))
	_, err = o.decides(t, rita, op, provision.Approve)
	require.Equal(t, string(provision.CodeForbidden), client.CodeOf(err), "who orders does not approve: %v", err)
	_, err = o.decides(t, omar, op, provision.Approve)
	require.Equal(t, string(provision.CodeForbidden), client.CodeOf(err), "nor who has no such role: %v", err)
	require.Equal(t, string(provision.AwaitingApproval), o.reads(t, op.ID).State)
	o.approves(t, op)
	op = o.reaches(t, op.ID, provision.Succeeded)
	require.Equal(t, plan.ChangeSummary["create"], op.ChangeSummary["create"], "what was approved was done")
	require.Equal(t, []string{"queued", "preparing", "previewing", "awaiting_approval", "approved", "applying", "verifying", "succeeded"}, o.way(t, op.ID))

	outputs, err := o.as(rita).GetOutputs(t.Context(), stack)
	require.NoError(t, err)
	require.Contains(t, outputs.Outputs["bucketName"], "logs")
	resources, err := o.as(rita).ListResources(t.Context(), stack)
	require.NoError(t, err)
	require.Len(t, resources.Items, int(op.ChangeSummary["create"]))

	check := o.again(t, omar, stack, client.NewOperation{Kind: "drift"})
	o.reaches(t, check.ID, provision.Succeeded)
	seen, err := o.as(rita).GetStack(t.Context(), stack)
	require.NoError(t, err)
	require.Equal(t, "clean", seen.Drift.Status)

	change := o.again(t, rita, stack, client.NewOperation{Kind: "up", Inputs: bucket(500)})
	change = o.reaches(t, change.ID, provision.AwaitingApproval)
	require.Equal(t, int64(1), change.ChangeSummary["update"], "the life cycle alone")
	require.Zero(t, change.ChangeSummary["create"])
	o.approves(t, change)
	o.reaches(t, change.ID, provision.Succeeded)
	seen, err = o.as(rita).GetStack(t.Context(), stack)
	require.NoError(t, err)
	require.Contains(t, string(seen.Inputs), "500")

	o.destroys(t, stack)
	require.Empty(t, o.account(t), "nothing is left in the account")
	o.start(t)
	op = o.reads(t, op.ID)
	require.Equal(t, "main/shop/logs", op.Stack, "what was done is still known")
	o.verifies(t, database)
}

// destroys ends a protected stack, as somebody who may, over what keeps others from it.
func (o *office) destroys(t *testing.T, stack string) {
	t.Helper()
	_, err := o.as(rita).DeleteStack(t.Context(), stack, client.DeleteStackParams{Confirm: "logs"})
	require.Equal(t, string(provision.CodeForbidden), client.CodeOf(err), "%v", err)
	_, err = o.as(omar).DeleteStack(t.Context(), stack, client.DeleteStackParams{Confirm: "logs"})
	require.ErrorContains(t, err, "protected")
	seen, err := o.as(omar).GetStack(t.Context(), stack)
	require.NoError(t, err)
	no := false
	_, err = o.as(omar).UpdateStack(t.Context(), stack, seen.Version, client.StackPatch{Protected: &no})
	require.NoError(t, err)
	_, err = o.as(omar).DeleteStack(t.Context(), stack, client.DeleteStackParams{Confirm: "lgos"})
	require.ErrorContains(t, err, "logs", "the name is typed")
	end := o.again(t, omar, stack, client.NewOperation{Kind: "destroy", Confirm: "logs", Options: &client.OrderOptions{RemoveStack: true}})
	end = o.reaches(t, end.ID, provision.AwaitingApproval)
	require.Greater(t, end.ChangeSummary["delete"], int64(10))
	o.approves(t, end)
	o.reaches(t, end.ID, provision.Succeeded)
	list, err := o.as(rita).ListStacks(t.Context(), client.ListStacksParams{})
	require.NoError(t, err)
	require.Empty(t, list.Items)
	status, _, _ := o.raw(t, admin, http.MethodGet, "/api/stacks/main/shop/logs", nil, "")
	require.Equal(t, http.StatusNotFound, status, "the backend has it no more")
}

// account is what lives in the rehearsal account. The server ends for that: the
// account is of one process.
func (o *office) account(t *testing.T) []rehearsal.Resource {
	t.Helper()
	o.end(t, syscall.SIGTERM)
	a, err := rehearsal.Open(filepath.Join(o.data, "rehearsal", org+".jsonl"))
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	return a.Resources()
}

// verifies takes the audit log and its checkpoints, and verifies them with nothing
// but what was exported, and the public key.
func (o *office) verifies(t *testing.T, database string) {
	t.Helper()
	var checkpoints client.AuditCheckpointPage
	require.Eventually(t, func() bool {
		var err error
		checkpoints, err = o.as(admin).ListAuditCheckpoints(t.Context(), client.ListAuditCheckpointsParams{})
		return err == nil && len(checkpoints.Items) > 0
	}, patience, often, "the server signs a checkpoint within two minutes")
	var entries []backend.AuditEntry
	c := adminapi.Client{URL: o.url, Token: o.tokens[admin]}
	require.NoError(t, c.Audit(t.Context(), 0, func(e adminapi.AuditEntry) error {
		entries = append(entries, e.Entry())
		return nil
	}))
	o.end(t, syscall.SIGTERM)

	last, err := backend.VerifyAudit(backend.AuditEntry{}, entries)
	require.NoError(t, err)
	require.Equal(t, entries[len(entries)-1].Sequence, last.Sequence)
	done, denied := map[string]bool{}, 0
	for _, e := range entries {
		done[e.Action] = true
		if e.Denied {
			denied++
		}
	}
	require.GreaterOrEqual(t, denied, 3, "what people tried and may not")
	require.Contains(t, done, "stack.delete")

	key := o.auditKey(t, database)
	for _, item := range checkpoints.Items {
		hash, err := hex.DecodeString(item.Hash)
		require.NoError(t, err)
		signature, err := base64.StdEncoding.DecodeString(item.Signature)
		require.NoError(t, err)
		signed := provision.AuditCheckpoint{Sequence: item.Sequence, Hash: hash, At: item.At, KeyID: item.KeyID, Signature: signature}
		require.NoError(t, provision.VerifyCheckpoint(signed, entries[item.Sequence-1], key))
		signed.Hash = bytes.Repeat([]byte{1}, len(hash))
		require.Error(t, provision.VerifyCheckpoint(signed, entries[item.Sequence-1], key))
	}

	entries[len(entries)/2].Target = "something else"
	_, err = backend.VerifyAudit(backend.AuditEntry{}, entries)
	require.Error(t, err, "a change shows")
}

// auditKey is the public key of checkpoints, of the installation's own.
func (o *office) auditKey(t *testing.T, database string) ed25519.PublicKey {
	t.Helper()
	store, err := sql.Open(t.Context(), database)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	ring, err := keyfile.Open(filepath.Join(o.data, "keys.json"))
	require.NoError(t, err)
	stacks := backend.New(store, ring, backend.Options{})
	signing, err := stacks.SigningKey(t.Context())
	require.NoError(t, err)
	key, _ := provision.New(nil, stacks, nil, nil, nil, provision.Options{Key: signing}).AuditKey()
	return key
}
