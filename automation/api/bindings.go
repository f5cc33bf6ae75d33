package api

import (
	"time"

	"redoubt/automation/provision"
)

// Binding gives a role to a subject in a scope.
type Binding struct {
	ID        string    `json:"id"`
	Subject   string    `json:"subject"`
	Role      string    `json:"role"`
	Scope     string    `json:"scope"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

// NewBinding asks for a binding.
type NewBinding struct {
	Subject  string   `json:"subject" minLength:"1" maxLength:"300" pattern:"^(user|service_account|group):.+$" doc:"user:NAME, service_account:NAME or group:NAME." example:"group:platform"`
	Role     string   `json:"role" enum:"viewer,requester,operator,approver,policy_owner,project_admin,org_admin,auditor"`
	Scope    string   `json:"scope" minLength:"1" maxLength:"300" doc:"org, org/project, org/project/stack, or * for everything; a part may be a pattern." example:"acme/shop"`
	Lifetime Duration `json:"lifetime,omitzero" doc:"How long it holds; for ever where nothing is said."`
}

func bindingOf(b provision.Binding) Binding {
	return Binding{b.ID, b.Subject, string(b.Role), b.Scope, b.Expires, b.CreatedBy, b.CreatedAt, b.Version}
}

func (h *handlers) listBindings(c *call, _ *noInput) (*answer[page[Binding]], error) {
	bindings, err := h.service.Bindings(c, c.principal)
	return pageOf(bindings, "", bindingOf), err
}

type newBindingInput struct{ Body NewBinding }

func (h *handlers) createBinding(c *call, in *newBindingInput) (*answer[Binding], error) {
	b, err := h.service.CreateBinding(c, c.principal, provision.NewBinding{
		Subject: in.Body.Subject, Role: provision.Role(in.Body.Role), Scope: in.Body.Scope, Lifetime: time.Duration(in.Body.Lifetime),
	})
	return &answer[Binding]{bindingOf(b)}, err
}

func (h *handlers) deleteBinding(c *call, in *WithID) (*nothing, error) {
	return &nothing{}, h.service.DeleteBinding(c, c.principal, in.ID)
}
