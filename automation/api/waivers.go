package api

import (
	"time"

	"redoubt/automation/provision"
)

// Waiver lets a mandatory finding pass, for a while.
type Waiver struct {
	ID        string    `json:"id"`
	ProjectID string    `json:"project_id"`
	Policy    string    `json:"policy"`
	Stack     string    `json:"stack" doc:"Pattern of stacks' names."`
	Resource  string    `json:"resource" doc:"Pattern of URNs."`
	Reason    string    `json:"reason"`
	Owner     string    `json:"owner"`
	ExpiresAt time.Time `json:"expires_at"`
	CreatedAt time.Time `json:"created_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	Version   int64     `json:"version"`
}

// NewWaiver asks for a waiver.
type NewWaiver struct {
	ProjectID string   `json:"project_id" minLength:"1" maxLength:"100"`
	Policy    string   `json:"policy" minLength:"1" maxLength:"200" doc:"The policy's name, as the finding has it."`
	Stack     string   `json:"stack" minLength:"1" maxLength:"200" doc:"Pattern of stacks' names." example:"prod"`
	Resource  string   `json:"resource" minLength:"1" maxLength:"1000" doc:"Pattern of URNs."`
	Reason    string   `json:"reason" minLength:"1" maxLength:"1000"`
	Lifetime  Duration `json:"lifetime" doc:"How long it holds."`
}

func waiverOf(w provision.Waiver) Waiver { return Waiver(w) }

type waiverQuery struct {
	Project string `query:"project" required:"true" maxLength:"100" doc:"Whose, by the project's id."`
}

func (h *handlers) listWaivers(c *call, in *waiverQuery) (*answer[page[Waiver]], error) {
	waivers, err := h.service.Waivers(c, c.principal, in.Project)
	return pageOf(waivers, "", waiverOf), err
}

type newWaiverInput struct{ Body NewWaiver }

func (h *handlers) createWaiver(c *call, in *newWaiverInput) (*answer[Waiver], error) {
	w, err := h.service.CreateWaiver(c, c.principal, provision.NewWaiver{
		ProjectID: in.Body.ProjectID, Policy: in.Body.Policy, Stack: in.Body.Stack, Resource: in.Body.Resource, Reason: in.Body.Reason,
		Lifetime: time.Duration(in.Body.Lifetime),
	})
	return &answer[Waiver]{waiverOf(w)}, err
}

func (h *handlers) revokeWaiver(c *call, in *WithID) (*answer[Waiver], error) {
	w, err := h.service.RevokeWaiver(c, c.principal, in.ID)
	return &answer[Waiver]{waiverOf(w)}, err
}
