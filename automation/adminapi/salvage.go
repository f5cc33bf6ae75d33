package adminapi

import (
	"encoding/json"
	"time"

	"redoubt/automation/backend"
)

// SalvageOrder asks for a salvage, or with DryRun for what it would do.
type SalvageOrder struct {
	Reason string `json:"reason,omitempty"`
	DryRun bool   `json:"dryRun,omitempty"`
}

// Salvaged is what a salvage keeps of an update, and what not.
type Salvaged struct {
	// Update is the one that was stuck.
	Update    string               `json:"update"`
	Kind      backend.UpdateKind   `json:"kind"`
	Principal string               `json:"principal"`
	StartedAt time.Time            `json:"startedAt"`
	Status    backend.UpdateStatus `json:"status"`
	// Version is that of the state that it leaves.
	Version   int64                 `json:"version"`
	Resources int64                 `json:"resources"`
	Pending   []backend.PendingStep `json:"pendingOperations"`
	LeftOut   []backend.LeftOut     `json:"leftOut"`
	// Findings are what is wrong with the state.
	Findings []string `json:"findings"`
	// State is what a dry run would leave; after a salvage the stack has it.
	State json.RawMessage `json:"state,omitempty"`
}

func salvage(c *call) (any, error) {
	in, err := body[SalvageOrder](c)
	if err != nil {
		return nil, err
	}
	done, err := c.service.Salvage(c.ctx(), c.caller, c.stack(), backend.SalvageOrder(in))
	if err != nil {
		return nil, err
	}
	out := Salvaged{
		Update: done.Update.ID, Kind: done.Update.Kind, Principal: done.Update.Principal, StartedAt: done.Update.StartedAt, Status: done.Update.Status,
		Version: done.Update.Version, Resources: done.Resources,
		Pending: some(done.Pending), LeftOut: some(done.LeftOut), Findings: some(done.Findings),
	}
	if in.DryRun {
		out.State = done.State
	}
	return out, nil
}

func journal(c *call) (any, error) {
	entries, err := c.service.Journal(c.ctx(), c.caller, c.stack(), c.r.PathValue("update"))
	return list[backend.JournalEntry]{Items: some(entries)}, err
}

// some is a list that is [] where it is empty, and not null.
func some[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
