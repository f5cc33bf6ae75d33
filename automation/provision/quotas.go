package provision

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ProjectQuota is a project's quota, and how much of it is used.
type ProjectQuota struct {
	// Set is what the project says, Effective what holds: where it says nothing, the
	// organization's, or the service's.
	Set, Effective Quota
	Usage          QuotaUsage
	// Version is the project's.
	Version int64
}

// QuotaUsage is how much of a quota is used.
type QuotaUsage struct {
	Stacks int
	// Concurrent are operations with a worker, Queued those without, PerHour those
	// that were ordered in the last hour.
	Concurrent, Queued, PerHour int
}

// ProjectQuota returns a project's quota.
func (s *Service) ProjectQuota(ctx context.Context, p Principal, id string) (q ProjectQuota, err error) {
	project, err := s.projectFor(ctx, p, id, ActionRead)
	if err != nil {
		return q, err
	}
	err = s.read(ctx, func(tx Tx) error {
		if project, err = tx.Project(project.ID); err != nil {
			return absent(err, named("project", id))
		}
		q = ProjectQuota{Set: project.Settings.Quota, Version: project.Version}
		if q.Effective, err = s.quota(tx, project); err != nil {
			return err
		}
		q.Usage, err = usage(tx, project.ID)
		return err
	})
	return q, err
}

// usage counts what a project has.
func usage(tx Tx, projectID string) (u QuotaUsage, err error) {
	if u.Stacks, err = tx.CountEnvironments(projectID); err != nil {
		return u, err
	}
	if u.Concurrent, err = busy(tx, projectID); err != nil {
		return u, err
	}
	if u.Queued, err = tx.CountOperations(projectID, Queued, Approved); err != nil {
		return u, err
	}
	u.PerHour, err = tx.CountOperationsSince(projectID, tx.Now().Add(-time.Hour))
	return u, err
}

// SetProjectQuota replaces a project's quota, of the version of the project that the
// caller has seen.
func (s *Service) SetProjectQuota(ctx context.Context, p Principal, id string, version int64, quota Quota) (ProjectQuota, error) {
	project, err := s.projectFor(ctx, p, id, ActionManageProject)
	if err != nil {
		return ProjectQuota{}, err
	}
	var f findings
	quota.check(&f, "")
	if err := f.err(); err != nil {
		return ProjectQuota{}, err
	}
	if _, err := s.changeProject(ctx, p, project, version, map[string]string{"quota": quota.String()}, func(project *Project) {
		project.Settings.Quota = quota
	}); err != nil {
		return ProjectQuota{}, err
	}
	return s.ProjectQuota(ctx, p, project.ID)
}

// FreezeWindows are a project's, and which of them holds.
type FreezeWindows struct {
	Windows []FreezeWindow
	// Frozen is the name of the window that is open, Until its end; empty for none.
	Frozen string
	Until  time.Time
	// Version is the project's.
	Version int64
}

// FreezeWindows returns when nothing is applied in a project.
func (s *Service) FreezeWindows(ctx context.Context, p Principal, id string) (w FreezeWindows, err error) {
	project, err := s.projectFor(ctx, p, id, ActionRead)
	if err != nil {
		return w, err
	}
	err = s.read(ctx, func(tx Tx) error {
		if project, err = tx.Project(project.ID); err != nil {
			return absent(err, named("project", id))
		}
		w = FreezeWindows{Windows: project.Settings.FreezeWindows, Version: project.Version}
		if open, until, frozen := project.Settings.Frozen(tx.Now()); frozen {
			w.Frozen, w.Until = open.Name, until
		}
		return nil
	})
	return w, err
}

// SetFreezeWindows replaces a project's freeze windows, of the version of the project
// that the caller has seen.
func (s *Service) SetFreezeWindows(ctx context.Context, p Principal, id string, version int64, windows []FreezeWindow) (FreezeWindows, error) {
	project, err := s.projectFor(ctx, p, id, ActionManageProject)
	if err != nil {
		return FreezeWindows{}, err
	}
	var f findings
	ProjectSettings{FreezeWindows: windows}.check(&f, "", nil)
	if err := f.err(); err != nil {
		return FreezeWindows{}, err
	}
	names := make([]string, len(windows))
	for i, w := range windows {
		names[i] = w.Name
	}
	if _, err := s.changeProject(ctx, p, project, version, map[string]string{"freeze_windows": strings.Join(names, ", ")}, func(project *Project) {
		project.Settings.FreezeWindows = windows
	}); err != nil {
		return FreezeWindows{}, err
	}
	return s.FreezeWindows(ctx, p, project.ID)
}

// bound is one number of a quota.
type bound struct {
	name  string
	value int64
}

// bounds are a quota's numbers, always in the same order; 0 for one that says nothing.
func (q Quota) bounds() []bound {
	return []bound{
		{"stacks", int64(q.Stacks)},
		{"resources_per_stack", int64(q.ResourcesPerStack)},
		{"concurrent", int64(q.Concurrent)},
		{"queued", int64(q.Queued)},
		{"per_hour", int64(q.PerHour)},
		{"max_ttl", int64(q.MaxTTL)},
	}
}

// String is what a quota says, for the audit log.
func (q Quota) String() string {
	var said []string
	for _, b := range q.bounds() {
		switch {
		case b.value == 0:
		case b.name == "max_ttl":
			said = append(said, b.name+"="+q.MaxTTL.String())
		default:
			said = append(said, fmt.Sprintf("%s=%d", b.name, b.value))
		}
	}
	return strings.Join(said, " ")
}
