package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"redoubt/automation/backend"
)

// NewProject describes a project to be made.
type NewProject struct {
	// Org is an organization that there is, Name is in the backend's grammar for
	// projects.
	Org, Name, Description string
	// Settings are nil for the service's defaults.
	Settings *ProjectSettings
}

// ProjectPatch changes a project; nil leaves what is there.
type ProjectPatch struct {
	Description *string
	// Settings replace all of them.
	Settings *ProjectSettings
}

// CreateProject makes a project in an organization.
func (s *Service) CreateProject(ctx context.Context, p Principal, n NewProject) (Project, error) {
	if err := s.allow(ctx, p, ActionCreateProject, Resource{Org: n.Org}, named("organization", n.Org)); err != nil {
		return Project{}, err
	}
	project := Project{
		ID: newID("prj"), Org: n.Org, Name: n.Name, Description: n.Description, CreatedBy: p.Name, Version: 1,
		Settings: ProjectSettings{Rehearse: s.opts.Rehearse},
	}
	if n.Settings != nil {
		project.Settings = *n.Settings
	}
	var f findings
	nameFindings(&f, backend.StackName{Org: n.Org, Project: n.Name, Stack: "x"})
	project.check(&f, s.catalog.Blueprints())
	if err := f.err(); err != nil {
		return Project{}, err
	}
	if err := s.withinOrganization(ctx, p, project, Quota{}, project.Settings.Quota); err != nil {
		return Project{}, err
	}
	err := s.write(ctx, func(tx Tx) error {
		if _, err := tx.Organization(n.Org); err != nil {
			return absent(err, named("organization", n.Org))
		}
		project.CreatedAt = tx.Now()
		if err := tx.CreateProject(project); err != nil {
			if errors.Is(err, backend.ErrExists) {
				return Fail(CodeConflict, "project %s/%s already exists", n.Org, n.Name)
			}
			return err
		}
		return recordBy(tx, p, "project.create", n.Org+"/"+n.Name, map[string]string{"id": project.ID})
	})
	if err != nil {
		return Project{}, err
	}
	return project, nil
}

// check finds what is wrong with a project but its name.
func (p Project) check(f *findings, known []Blueprint) {
	f.text("/description", p.Description, 0, 1000)
	p.Settings.check(f, "/settings", known)
}

// nameFindings finds what is wrong with a name of the backend's, part by part.
func nameFindings(f *findings, n backend.StackName) {
	valid := backend.StackName{Org: "acme", Project: "x", Stack: "x"}
	org, project, stack := valid, valid, valid
	org.Org, project.Project, stack.Stack = n.Org, n.Project, n.Stack
	if err := backend.CheckStackName(org); err != nil {
		f.add("/org", "%s", err)
	}
	for _, one := range []backend.StackName{project, stack} {
		if err := backend.CheckStackName(one); err != nil {
			f.add("/name", "%s", err)
		}
	}
}

// Project returns a project by its id or as "org/name".
func (s *Service) Project(ctx context.Context, p Principal, id string) (Project, error) {
	project, err := s.projectFor(ctx, p, id, ActionRead)
	if err != nil {
		return Project{}, err
	}
	return project, nil
}

// Projects returns a page of the projects of an organization that somebody may
// read, or of all organizations where it is empty, and where the next one starts;
// empty for the last.
func (s *Service) Projects(ctx context.Context, p Principal, org, after string, limit int) ([]Project, string, error) {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return nil, "", err
	}
	return collect(page(limit), after, func(after string, n int) (found []Project, err error) {
		err = s.read(ctx, func(tx Tx) (err error) { found, err = tx.Projects(org, after, n); return err })
		return found, err
	}, func(project Project) (id string, readable bool, err error) {
		d, err := judge(ActionRead, project.resource())
		return project.ID, d.Allowed, err
	})
}

// collect fills a page with what somebody may read. It gives up after a while, and
// then returns a page that is not full and where to go on: who may read one thing
// of many shall not keep the database busy.
func collect[T any](limit int, after string, fetch func(after string, n int) ([]T, error), readable func(T) (id string, ok bool, err error)) (found []T, next string, err error) {
	const largest, most = 200, 2000
	found = []T{}
	batch := min(limit+1, largest) // most people may read most of what they list
	for seen := 0; seen < most; batch = largest {
		rows, err := fetch(after, batch)
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			if len(found) == limit {
				return found, after, nil
			}
			id, ok, err := readable(row)
			if err != nil {
				return nil, "", err
			}
			if ok {
				found = append(found, row)
			}
			after = id
		}
		if len(rows) < batch {
			return found, "", nil
		}
		seen += len(rows)
	}
	return found, after, nil
}

// UpdateProject changes a project of the version that the caller has seen; 0 for
// whatever there is.
func (s *Service) UpdateProject(ctx context.Context, p Principal, id string, version int64, patch ProjectPatch) (Project, error) {
	project, err := s.projectFor(ctx, p, id, ActionManageProject)
	if err != nil {
		return Project{}, err
	}
	change := func(project *Project) {
		if patch.Description != nil {
			project.Description = *patch.Description
		}
		if patch.Settings != nil {
			project.Settings = *patch.Settings
		}
	}
	changed := project
	change(&changed)
	var f findings
	changed.check(&f, s.catalog.Blueprints())
	if err := f.err(); err != nil {
		return Project{}, err
	}
	return s.changeProject(ctx, p, project, version, map[string]string{"settings": fmt.Sprint(patch.Settings != nil)}, change)
}

// changeProject changes a project that somebody may manage, of the version that they
// have seen, with details for the audit log. What change writes was checked, but for
// what the organization bounds.
func (s *Service) changeProject(ctx context.Context, p Principal, project Project, version int64, detail map[string]string, change func(*Project)) (Project, error) {
	wanted := project
	change(&wanted)
	if err := s.withinOrganization(ctx, p, project, project.Settings.Quota, wanted.Settings.Quota); err != nil {
		return Project{}, err
	}
	err := s.write(ctx, func(tx Tx) error {
		fresh, err := tx.Project(project.ID)
		if err != nil {
			return absent(err, named("project", project.ID))
		}
		if err := sameVersion(version, fresh.Version); err != nil {
			return err
		}
		change(&fresh)
		if err := tx.SaveProject(&fresh); err != nil {
			return err
		}
		project = fresh
		said := maps.Clone(detail)
		said["id"], said["version"] = fresh.ID, fmt.Sprint(fresh.Version)
		return recordBy(tx, p, "project.update", fresh.Org+"/"+fresh.Name, said)
	})
	if err != nil {
		return Project{}, err
	}
	return project, nil
}

// sameVersion says whether what is kept is what the caller has seen; 0 is
// whatever.
func sameVersion(seen, kept int64) error {
	if seen == 0 || seen == kept {
		return nil
	}
	return Fail(CodePreconditionFailed, "you have seen version %d, and it is at version %d by now: read it again, and make your change to that", seen, kept)
}
