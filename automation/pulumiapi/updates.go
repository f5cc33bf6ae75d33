package pulumiapi

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

// newUpdate is what is read of apitype.UpdateProgramRequest. Only
// options.dryRun says whether the update is a dry run: `pulumi up` sends its
// preview to the same address.
type newUpdate struct {
	Options struct {
		DryRun bool `json:"dryRun"`
	} `json:"options"`
	Config   json.RawMessage        `json:"config"`
	Metadata apitype.UpdateMetadata `json:"metadata"`
}

// createUpdate is for all kinds; the last segment of the path names it.
func createUpdate(c *call) (any, error) {
	var n newUpdate
	if err := c.decode(&n); err != nil {
		return nil, err
	}
	config := present(n.Config)
	if config != nil && !bytes.HasPrefix(bytes.TrimSpace(config), []byte("{")) {
		return nil, backend.Fail(backend.CodeInvalid, "config is no JSON object")
	}
	kind := backend.UpdateKind(path.Base(c.r.URL.Path))
	update, packs, err := c.service.CreateUpdate(c.ctx(), c.caller, c.stack(), backend.NewUpdate{
		Kind: kind, DryRun: n.Options.DryRun || kind == backend.KindPreview, Config: config,
		Message: n.Metadata.Message, Environment: n.Metadata.Environment,
	})
	if err != nil {
		return nil, err
	}
	required, err := c.required(packs)
	return apitype.UpdateProgramResponse{UpdateID: update.ID, RequiredPolicies: required}, err
}

// journalVersion is the only one that the CLI accepts
// (pkg/backend/httpstate/backend.go, runEngineAction).
const journalVersion = 1

func startUpdate(c *call) (any, error) {
	var q apitype.StartUpdateRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	lease, err := c.service.StartUpdate(c.ctx(), c.caller, c.stack(), c.r.PathValue("update"), q.Tags, q.JournalVersion >= journalVersion)
	if err != nil {
		return nil, err
	}
	answer := apitype.StartUpdateResponse{Version: int(lease.Update.Version), Token: lease.Token, TokenExpiration: lease.ExpiresAt.Unix()}
	if lease.Update.Journaled {
		answer.JournalVersion = journalVersion
	}
	return answer, nil
}

func renewLease(c *call) (any, error) {
	// The token is in the header since API version 5, and the server says how
	// long a lease is: nothing in the body matters.
	if _, err := c.body(); err != nil {
		return nil, err
	}
	lease, err := c.service.RenewLease(c.ctx(), c.update())
	return apitype.RenewUpdateLeaseResponse{Token: lease.Token, TokenExpiration: lease.ExpiresAt.Unix()}, err
}

// appendJournal answers when the entries are durable: the CLI acts only then.
func appendJournal(c *call) (any, error) {
	entries, err := c.list("entries")
	if err != nil {
		return nil, err
	}
	return nil, c.service.AppendJournal(c.ctx(), c.update(), entries)
}

func putEvents(c *call) (any, error) {
	events, err := c.list("events")
	if err != nil {
		return nil, err
	}
	return nil, c.service.PutEvents(c.ctx(), c.update(), events)
}

func completeUpdate(c *call) (any, error) {
	var q apitype.CompleteUpdateRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	return nil, c.service.CompleteUpdate(c.ctx(), c.update(), backend.UpdateStatus(q.Status))
}

func cancelUpdate(c *call) (any, error) {
	return nil, c.service.CancelUpdate(c.ctx(), c.caller, c.stack(), c.r.PathValue("update"))
}

// command is what the CLI says that it was called with, from its User-Agent:
// "pulumi-cli/1 (3.259.0; linux; cmd=stack-output)".
func (c *call) command() string {
	_, after, ok := strings.Cut(c.r.UserAgent(), "cmd=")
	if !ok {
		return ""
	}
	end := strings.IndexAny(after, ";)")
	if end < 0 {
		return ""
	}
	return clip(after[:end])
}
