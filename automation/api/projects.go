package api

import (
	"time"

	"redoubt/automation/provision"
)

// Project is a team's share of an organization.
type Project struct {
	ID          string          `json:"id"`
	Org         string          `json:"org"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Settings    ProjectSettings `json:"settings"`
	CreatedAt   time.Time       `json:"created_at"`
	CreatedBy   string          `json:"created_by"`
	Version     int64           `json:"version"`
}

// ProjectSettings are what a project's admin says.
type ProjectSettings struct {
	Rehearse      bool           `json:"rehearse" required:"false" doc:"Run each order in the rehearsal account before its real preview."`
	Blueprints    []string       `json:"blueprints,omitempty" maxItems:"100" doc:"What may be ordered; empty for all."`
	Quota         Quota          `json:"quota,omitzero"`
	ApprovalRules []ApprovalRule `json:"approval_rules,omitempty" maxItems:"50" doc:"When people must approve: all rules that match."`
	FreezeWindows []FreezeWindow `json:"freeze_windows,omitempty" maxItems:"50" doc:"When nothing is applied."`
}

// Quota bounds what a project has; what is missing is the service's default.
type Quota struct {
	Stacks            int      `json:"stacks,omitempty" minimum:"0" maximum:"1000000"`
	ResourcesPerStack int      `json:"resources_per_stack,omitempty" minimum:"0" maximum:"1000000"`
	Concurrent        int      `json:"concurrent,omitempty" minimum:"0" maximum:"1000000" doc:"Operations that run at once."`
	Queued            int      `json:"queued,omitempty" minimum:"0" maximum:"1000000" doc:"Operations that wait for a worker."`
	PerHour           int      `json:"per_hour,omitempty" minimum:"0" maximum:"1000000" doc:"Operations ordered in an hour."`
	MaxTTL            Duration `json:"max_ttl,omitzero" doc:"The longest life of a stack."`
}

// ApprovalRule says when people must approve, who, and how many.
type ApprovalRule struct {
	Name               string   `json:"name" minLength:"1" maxLength:"100"`
	Stacks             string   `json:"stacks,omitempty" maxLength:"200" doc:"Pattern of stacks' names; empty for all." example:"prod-*"`
	Kinds              []string `json:"kinds,omitempty" enum:"preview,up,refresh,drift,destroy,recover" maxItems:"10"`
	Destructive        bool     `json:"destructive,omitempty" doc:"Only plans that delete or replace."`
	Advisory           bool     `json:"advisory,omitempty" doc:"Only plans with advisory findings."`
	Required           int      `json:"required" minimum:"0" maximum:"20" doc:"How many people; 0 for nobody, where the default would want somebody."`
	Groups             []string `json:"groups,omitempty" maxItems:"50" doc:"Whose approval counts; empty for all approvers."`
	Expiry             Duration `json:"expiry,omitzero" doc:"How long it may take; 24 hours where nothing is said."`
	ReapproveIdentical bool     `json:"reapprove_identical,omitempty" doc:"Keep approvals where the state moved and the plan is the same nevertheless."`
}

// FreezeWindow is a time in which nothing is applied, once or again and again.
type FreezeWindow struct {
	Name     string    `json:"name" minLength:"1" maxLength:"100"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Cron     string    `json:"cron,omitempty" maxLength:"100" doc:"When it begins again and again: five fields, UTC." example:"0 16 * * 5"`
	Duration Duration  `json:"duration,omitzero"`
}

// NewProject asks for a project.
type NewProject struct {
	Org         string           `json:"org" minLength:"1" maxLength:"100"`
	Name        string           `json:"name" minLength:"1" maxLength:"100"`
	Description string           `json:"description,omitempty" maxLength:"1000"`
	Settings    *ProjectSettings `json:"settings,omitempty"`
}

// ProjectPatch changes a project: what is missing stays.
type ProjectPatch struct {
	Description *string          `json:"description,omitempty" maxLength:"1000"`
	Settings    *ProjectSettings `json:"settings,omitempty" doc:"All of them: they replace those that there are."`
}

func projectOf(p provision.Project) Project {
	return Project{
		ID: p.ID, Org: p.Org, Name: p.Name, Description: p.Description, Settings: settingsOf(p.Settings),
		CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy, Version: p.Version,
	}
}

func settingsOf(s provision.ProjectSettings) ProjectSettings {
	return ProjectSettings{
		Rehearse: s.Rehearse, Blueprints: s.Blueprints,
		Quota: quotaOf(s.Quota),
		ApprovalRules: convertAll(s.ApprovalRules, func(r provision.ApprovalRule) ApprovalRule {
			return ApprovalRule{
				Name: r.Name, Stacks: r.Stacks, Kinds: convertAll(r.Kinds, func(k provision.OperationKind) string { return string(k) }),
				Destructive: r.Destructive, Advisory: r.Advisory, Required: r.Required, Groups: r.Groups, Expiry: Duration(r.Expiry),
				ReapproveIdentical: r.ReapproveIdentical,
			}
		}),
		FreezeWindows: convertAll(s.FreezeWindows, windowOf),
	}
}

// domain is what the domain calls it; nil for nothing.
func (s *ProjectSettings) domain() *provision.ProjectSettings {
	if s == nil {
		return nil
	}
	return &provision.ProjectSettings{
		Rehearse: s.Rehearse, Blueprints: s.Blueprints,
		Quota: s.Quota.domain(),
		ApprovalRules: convertAll(s.ApprovalRules, func(r ApprovalRule) provision.ApprovalRule {
			return provision.ApprovalRule{
				Name: r.Name, Stacks: r.Stacks, Kinds: convertAll(r.Kinds, func(k string) provision.OperationKind { return provision.OperationKind(k) }),
				Destructive: r.Destructive, Advisory: r.Advisory, Required: r.Required, Groups: r.Groups, Expiry: time.Duration(r.Expiry),
				ReapproveIdentical: r.ReapproveIdentical,
			}
		}),
		FreezeWindows: convertAll(s.FreezeWindows, FreezeWindow.domain),
	}
}

type projectQuery struct {
	Paging
	Org  string `query:"org" maxLength:"100" doc:"Those of an organization."`
	Name string `query:"name" maxLength:"201" doc:"The one with this name: org/project." example:"acme/shop"`
}

func (h *handlers) listProjects(c *call, in *projectQuery) (*answer[page[Project]], error) {
	if in.Name != "" {
		p, err := h.service.Project(c, c.principal, in.Name)
		return one(p, err, projectOf)
	}
	projects, next, err := h.service.Projects(c, c.principal, in.Org, in.Cursor.after, in.Limit)
	return pageOf(projects, next, projectOf), err
}

// one is the page of something that is looked for by its name: a page without
// items where it is not there.
func one[From, To any](found From, err error, convert func(From) To) (*answer[page[To]], error) {
	if provision.CodeOf(err) == provision.CodeNotFound {
		return pageOf[From]([]From{}, "", convert), nil
	}
	return pageOf([]From{found}, "", convert), err
}

type newProjectInput struct{ Body NewProject }

func (h *handlers) createProject(c *call, in *newProjectInput) (*created[Project], error) {
	p, err := h.service.CreateProject(c, c.principal, provision.NewProject{
		Org: in.Body.Org, Name: in.Body.Name, Description: in.Body.Description, Settings: in.Body.Settings.domain(),
	})
	return &created[Project]{Prefix + "projects/" + p.ID, etag(p.Version), projectOf(p)}, err
}

func (h *handlers) getProject(c *call, in *WithID) (*versioned[Project], error) {
	p, err := h.service.Project(c, c.principal, in.ID)
	return &versioned[Project]{etag(p.Version), projectOf(p)}, err
}

type projectPatchInput struct {
	WithID
	Changing
	Body ProjectPatch
}

func (h *handlers) updateProject(c *call, in *projectPatchInput) (*versioned[Project], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	p, err := h.service.UpdateProject(c, c.principal, in.ID, version, provision.ProjectPatch{
		Description: in.Body.Description, Settings: in.Body.Settings.domain(),
	})
	return &versioned[Project]{etag(p.Version), projectOf(p)}, err
}
