package api

import (
	"time"

	"redoubt/automation/provision"
)

// Approval is one person's decision on a plan.
type Approval struct {
	ID          string    `json:"id"`
	OperationID string    `json:"operation_id"`
	By          Actor     `json:"by"`
	Groups      []string  `json:"groups,omitempty" doc:"The approver's at the time."`
	Decision    string    `json:"decision"`
	Comment     string    `json:"comment,omitempty"`
	PlanDigest  string    `json:"plan_digest" doc:"What was shown; an approval of another plan does not count."`
	At          time.Time `json:"at"`
}

// NewDecision approves or rejects a plan.
type NewDecision struct {
	Decision   string `json:"decision" enum:"approve,reject"`
	Comment    string `json:"comment,omitempty" maxLength:"1000"`
	PlanDigest string `json:"plan_digest" minLength:"1" maxLength:"100" doc:"Of the plan that you looked at."`
}

func approvalOf(a provision.Approval) Approval {
	return Approval{a.ID, a.OperationID, actorOf(a.By), a.Groups, a.Decision, a.Comment, a.PlanDigest, a.At}
}

func (h *handlers) listApprovals(c *call, in *WithID) (*answer[page[Approval]], error) {
	approvals, err := h.service.Approvals(c, c.principal, in.ID)
	return pageOf(approvals, "", approvalOf), err
}

type decisionInput struct {
	WithID
	Body NewDecision
}

func (h *handlers) createApproval(c *call, in *decisionInput) (*versioned[Operation], error) {
	o, err := h.service.Decide(c, c.principal, in.ID, provision.NewDecision(in.Body))
	if err != nil {
		return nil, err
	}
	return &versioned[Operation]{etag(o.Version), h.operation(c, o)}, nil
}
