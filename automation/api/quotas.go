package api

import (
	"time"

	"redoubt/automation/provision"
)

// ProjectQuota is a project's quota, and how much of it is used.
type ProjectQuota struct {
	Quota     Quota      `json:"quota" doc:"What the project says."`
	Effective Quota      `json:"effective" doc:"What holds: where the project says nothing, its organization's, or the service's. What is missing is not bounded."`
	Usage     QuotaUsage `json:"usage"`
	Version   int64      `json:"version" doc:"The project's: what the ETag has."`
}

// QuotaUsage is how much of a quota is used.
type QuotaUsage struct {
	Stacks     int `json:"stacks"`
	Concurrent int `json:"concurrent" doc:"Operations that run."`
	Queued     int `json:"queued" doc:"Operations that wait for a worker."`
	PerHour    int `json:"per_hour" doc:"Operations that were ordered in the last hour."`
}

// OrganizationQuota is what holds for projects that say nothing, and what who manages
// a project alone does not go beyond.
type OrganizationQuota struct {
	Quota   Quota `json:"quota"`
	Version int64 `json:"version" doc:"What the ETag has."`
}

// FreezeWindows are a project's.
type FreezeWindows struct {
	Windows []FreezeWindow `json:"freeze_windows" maxItems:"50"`
	Frozen  string         `json:"frozen_by,omitempty" readOnly:"true" doc:"The window that is open now; missing for none."`
	Until   time.Time      `json:"frozen_until,omitzero" readOnly:"true"`
	Version int64          `json:"version,omitempty" readOnly:"true" doc:"The project's: what the ETag has."`
}

func quotaOf(q provision.Quota) Quota {
	return Quota{q.Stacks, q.ResourcesPerStack, q.Concurrent, q.Queued, q.PerHour, Duration(q.MaxTTL)}
}

func (q Quota) domain() provision.Quota {
	return provision.Quota{
		Stacks: q.Stacks, ResourcesPerStack: q.ResourcesPerStack, Concurrent: q.Concurrent, Queued: q.Queued, PerHour: q.PerHour,
		MaxTTL: time.Duration(q.MaxTTL),
	}
}

func windowOf(w provision.FreezeWindow) FreezeWindow {
	return FreezeWindow{w.Name, w.From, w.To, w.Cron, Duration(w.Duration)}
}

func (w FreezeWindow) domain() provision.FreezeWindow {
	return provision.FreezeWindow{Name: w.Name, From: w.From, To: w.To, Cron: w.Cron, Duration: time.Duration(w.Duration)}
}

func projectQuotaOf(q provision.ProjectQuota) *versioned[ProjectQuota] {
	return &versioned[ProjectQuota]{ETag: etag(q.Version), Body: ProjectQuota{quotaOf(q.Set), quotaOf(q.Effective), QuotaUsage(q.Usage), q.Version}}
}

func (h *handlers) getProjectQuota(c *call, in *WithID) (*versioned[ProjectQuota], error) {
	q, err := h.service.ProjectQuota(c, c.principal, in.ID)
	return projectQuotaOf(q), err
}

type quotaInput struct {
	WithID
	Changing
	Body Quota
}

func (h *handlers) putProjectQuota(c *call, in *quotaInput) (*versioned[ProjectQuota], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	q, err := h.service.SetProjectQuota(c, c.principal, in.ID, version, in.Body.domain())
	return projectQuotaOf(q), err
}

// WithOrg is the input of endpoints on an organization.
type WithOrg struct {
	Org string `path:"org" doc:"The organization."`
}

func (h *handlers) getOrganizationQuota(c *call, in *WithOrg) (*versioned[OrganizationQuota], error) {
	q, err := h.service.OrganizationQuota(c, c.principal, in.Org)
	return &versioned[OrganizationQuota]{etag(q.Version), OrganizationQuota{quotaOf(q.Quota), q.Version}}, err
}

type orgQuotaInput struct {
	WithOrg
	Changing
	Body Quota
}

func (h *handlers) putOrganizationQuota(c *call, in *orgQuotaInput) (*versioned[OrganizationQuota], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	q, err := h.service.SetOrganizationQuota(c, c.principal, in.Org, version, in.Body.domain())
	return &versioned[OrganizationQuota]{etag(q.Version), OrganizationQuota{quotaOf(q.Quota), q.Version}}, err
}

func freezeWindowsOf(w provision.FreezeWindows) *versioned[FreezeWindows] {
	return &versioned[FreezeWindows]{etag(w.Version), FreezeWindows{convertAll(w.Windows, windowOf), w.Frozen, w.Until, w.Version}}
}

func (h *handlers) getFreezeWindows(c *call, in *WithID) (*versioned[FreezeWindows], error) {
	w, err := h.service.FreezeWindows(c, c.principal, in.ID)
	return freezeWindowsOf(w), err
}

type freezeWindowsInput struct {
	WithID
	Changing
	Body FreezeWindows
}

func (h *handlers) putFreezeWindows(c *call, in *freezeWindowsInput) (*versioned[FreezeWindows], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	w, err := h.service.SetFreezeWindows(c, c.principal, in.ID, version, convertAll(in.Body.Windows, FreezeWindow.domain))
	return freezeWindowsOf(w), err
}
