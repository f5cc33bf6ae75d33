package pulumiapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

// Clients that send no journal send the whole state after each step, in one of
// three ways (pkg/backend/httpstate/snapshot.go). The last two need a
// capability that is not announced; a client that uses them all the same is
// understood.

// deploymentOf is an apitype.UntypedDeployment whose deployment is as it came.
type deploymentOf struct {
	Version    int             `json:"version"`
	Features   []string        `json:"features,omitempty"`
	Deployment json.RawMessage `json:"deployment"`
}

func putCheckpoint(c *call) (any, error) {
	var q apitype.PatchUpdateCheckpointRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	if q.IsInvalid || present(q.Deployment) == nil {
		return nil, backend.Fail(backend.CodeInvalid, "a checkpoint without a deployment is not kept: the last one stays")
	}
	state, err := encode(deploymentOf{Version: q.Version, Features: q.Features, Deployment: q.Deployment})
	if err != nil {
		return nil, err
	}
	return nil, c.service.PutCheckpoint(c.ctx(), c.update(), 0, state)
}

// putCheckpointVerbatim keeps the bytes: the offsets and the hash of a delta
// that follows are over them.
func putCheckpointVerbatim(c *call) (any, error) {
	var q apitype.PatchUpdateVerbatimCheckpointRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	if present(q.UntypedDeployment) == nil {
		return nil, backend.Fail(backend.CodeInvalid, "a checkpoint without a deployment is not kept: the last one stays")
	}
	return nil, c.service.PutCheckpoint(c.ctx(), c.update(), int64(q.SequenceNumber), q.UntypedDeployment)
}

// putCheckpointDelta changes the last checkpoint. Where that does not work the
// client is refused, and sends the whole state under the same number.
func putCheckpointDelta(c *call) (any, error) {
	var q apitype.PatchUpdateCheckpointDeltaRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	want, err := hex.DecodeString(q.CheckpointHash)
	if err != nil || len(want) != sha256.Size {
		return nil, backend.Fail(backend.CodeInvalid, "checkpointHash is no SHA-256 in hexadecimal")
	}
	last, err := c.service.Checkpoint(c.ctx(), c.update())
	if err != nil {
		return nil, err
	}
	if is(last, want) {
		return nil, nil // its answer was lost
	}
	state, err := applyDelta(last, q.DeploymentDelta, c.endpoint.limit)
	if err != nil {
		return nil, err
	}
	if !is(state, want) {
		return nil, backend.Fail(backend.CodeConflict, "the delta does not fit to the last checkpoint that came: send the whole state")
	}
	return nil, c.service.PutCheckpoint(c.ctx(), c.update(), int64(q.SequenceNumber), state)
}

func is(text, hash []byte) bool {
	sum := sha256.Sum256(text)
	return bytes.Equal(sum[:], hash)
}
