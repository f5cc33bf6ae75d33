package api

import (
	"encoding/json"
	"time"

	"redoubt/automation/provision"
)

// StateVersion is a state of a stack that is kept, without what is in it.
type StateVersion struct {
	Version   int64     `json:"version" doc:"Counts from 1; that of the update that left it, in the history."`
	Resources int64     `json:"resources"`
	Digest    string    `json:"digest" doc:"sha256: and the SHA-256 of the state as it was written."`
	CreatedAt time.Time `json:"created_at"`
}

// StateExport asks for a state.
type StateExport struct {
	Reason  string `json:"reason" minLength:"1" maxLength:"500"`
	Secrets string `json:"secrets,omitempty" enum:"masked,sealed" doc:"masked where nothing is said; sealed with the stack's key, so that it can be imported again and not be read."`
}

// ExportedState is a state as pulumi stack export has it.
type ExportedState struct {
	Version int64           `json:"version"`
	State   json.RawMessage `json:"state" doc:"Never with secrets that can be read."`
}

func stateVersionOf(v provision.StateVersion) StateVersion { return StateVersion(v) }

func (h *handlers) listStateVersions(c *call, in *pageOfOne) (*answer[page[StateVersion]], error) {
	before, err := in.Cursor.number()
	if err != nil {
		return nil, err
	}
	versions, next, err := h.service.StateVersions(c, c.principal, in.ID, before, in.Limit)
	return pageOf(versions, cursorNumber(next), stateVersionOf), err
}

// StateVersionID is the input of endpoints on one state.
type StateVersionID struct {
	WithID
	Version int64 `path:"version" minimum:"1" doc:"The state's version."`
}

func (h *handlers) getStateVersion(c *call, in *StateVersionID) (*answer[StateVersion], error) {
	v, err := h.service.StateVersion(c, c.principal, in.ID, in.Version)
	return &answer[StateVersion]{stateVersionOf(v)}, err
}

type stateExportInput struct {
	StateVersionID
	Body StateExport
}

func (h *handlers) exportState(c *call, in *stateExportInput) (*answer[ExportedState], error) {
	state, err := h.service.ExportState(c, c.principal, in.ID, in.Version, in.Body.Secrets == "sealed", in.Body.Reason)
	return &answer[ExportedState]{ExportedState{in.Version, state}}, err
}
