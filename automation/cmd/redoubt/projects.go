package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"redoubt/automation/client"
)

type projectCommands struct {
	Create createProject `cmd:"" help:"Make a project."`
	List   listProjects  `cmd:"" help:"List the projects that you may see."`
	Show   showProject   `cmd:"" help:"Show a project and its settings."`
	Set    setProject    `cmd:"" help:"Change a project."`
}

// projectSettings are the flags of what a project's admin says.
type projectSettings struct {
	Description string   `help:"What it is for." placeholder:"TEXT"`
	Settings    string   `help:"Settings as JSON, all of them: quota, approval rules, freeze windows; - for standard input." placeholder:"FILE"`
	Rehearse    string   `help:"Whether each order is rehearsed before its real preview: on or off." enum:"on,off," default:""`
	Blueprint   []string `help:"What may be ordered, and nothing else; may be given more than once." placeholder:"NAME"`
}

// apply puts what was said into settings; it is false where nothing was.
func (p projectSettings) apply(s *streams, to *client.ProjectSettings) (bool, error) {
	said := false
	if p.Settings != "" {
		*to, said = client.ProjectSettings{}, true
		if err := readJSON(s, p.Settings, to); err != nil {
			return false, err
		}
	}
	if p.Rehearse != "" {
		to.Rehearse, said = p.Rehearse == "on", true
	}
	if len(p.Blueprint) > 0 {
		to.Blueprints, said = p.Blueprint, true
	}
	return said, nil
}

type createProject struct {
	remote
	projectSettings
	Project string `arg:"" help:"organization/project."`
}

// Help is the long text of redoubt project create --help.
func (createProject) Help() string {
	return `Examples:
  redoubt project create acme/shop --description "The web shop"
  redoubt project create acme/shop --rehearse on --blueprint secure-bucket --blueprint static-site
  redoubt project create acme/bank --settings settings.json`
}

// Run carries the command out.
func (c *createProject) Run(ctx context.Context, s *streams) error {
	org, name, ok := strings.Cut(c.Project, "/")
	if !ok {
		return fmt.Errorf("%q is no project: organization/project", c.Project)
	}
	n := client.NewProject{Org: org, Name: name, Description: c.Description}
	var settings client.ProjectSettings
	said, err := c.apply(s, &settings)
	if err != nil {
		return err
	}
	if said {
		n.Settings = &settings
	}
	service, err := c.service()
	if err != nil {
		return err
	}
	made, err := service.CreateProject(ctx, n)
	if err != nil {
		return err
	}
	return c.print(s, made, func(w io.Writer) { fmt.Fprintf(w, "Project %s is made: %s\n", c.Project, made.ID) })
}

type listProjects struct {
	remote
	Org string `help:"Those of an organization." placeholder:"NAME"`
}

// Help is the long text of redoubt project list --help.
func (listProjects) Help() string {
	return `Examples:
  redoubt project list
  redoubt project list --org acme --json`
}

// Run carries the command out.
func (c *listProjects) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	projects, err := all(func(cursor string) ([]client.Project, string, error) {
		page, err := service.ListProjects(ctx, client.ListProjectsParams{Org: c.Org, Cursor: cursor, Limit: pageSize})
		return page.Items, page.NextCursor, err
	})
	if err != nil {
		return err
	}
	return c.print(s, projects, func(w io.Writer) {
		fmt.Fprintln(w, "PROJECT\tID\tREHEARSES\tAPPROVAL RULES\tDESCRIPTION")
		for _, p := range projects {
			fmt.Fprintf(w, "%s/%s\t%s\t%s\t%d\t%s\n", p.Org, p.Name, p.ID, yesOrNo(p.Settings.Rehearse), len(p.Settings.ApprovalRules), p.Description)
		}
	})
}

type showProject struct {
	remote
	Project string `arg:"" help:"organization/project, or its id."`
}

// Help is the long text of redoubt project show --help.
func (showProject) Help() string {
	return `Examples:
  redoubt project show acme/shop
  redoubt project show acme/shop --json | jq .settings > settings.json`
}

// Run carries the command out.
func (c *showProject) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	p, err := findProject(ctx, service, c.Project)
	if err != nil {
		return err
	}
	return c.print(s, p, func(w io.Writer) {
		fmt.Fprintf(w, "Project\t%s/%s\nID\t%s\n", p.Org, p.Name, p.ID)
		if p.Description != "" {
			fmt.Fprintf(w, "Description\t%s\n", p.Description)
		}
		fmt.Fprintf(w, "Made\t%s by %s\n", dateText(p.CreatedAt, "?"), p.CreatedBy)
		fmt.Fprintf(w, "Rehearses orders\t%s\n", yesOrNo(p.Settings.Rehearse))
		blueprints := strings.Join(p.Settings.Blueprints, ", ")
		if blueprints == "" {
			blueprints = "all"
		}
		fmt.Fprintf(w, "Blueprints\t%s\n", blueprints)
		if quota, err := json.Marshal(p.Settings.Quota); err == nil && p.Settings.Quota != nil {
			fmt.Fprintf(w, "Quota\t%s\n", quota)
		}
		for _, r := range p.Settings.ApprovalRules {
			if r.Required == 0 {
				fmt.Fprintf(w, "Approval\t%s: nobody\n", r.Name)
				continue
			}
			fmt.Fprintf(w, "Approval\t%s: %d of %s\n", r.Name, r.Required, orText(strings.Join(r.Groups, ", "), "all approvers"))
		}
		for _, f := range p.Settings.FreezeWindows {
			fmt.Fprintf(w, "Frozen\t%s: %s\n", f.Name, orText(f.Cron, dateText(f.From, "")+" to "+dateText(f.To, "")))
		}
	})
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

type setProject struct {
	remote
	projectSettings
	Project string `arg:"" help:"organization/project, or its id."`
}

// Help is the long text of redoubt project set --help.
func (setProject) Help() string {
	return `What is not said stays. Somebody else's change in the meantime is an error, and
nothing is lost.

Examples:
  redoubt project set acme/shop --rehearse off
  redoubt project set acme/shop --description "The web shop"
  redoubt project show acme/shop --json | jq .settings > settings.json
  redoubt project set acme/shop --settings settings.json`
}

// Run carries the command out.
func (c *setProject) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	p, err := findProject(ctx, service, c.Project)
	if err != nil {
		return err
	}
	var patch client.ProjectPatch
	if c.Description != "" {
		patch.Description = &c.Description
	}
	said, err := c.apply(s, &p.Settings)
	if err != nil {
		return err
	}
	if said {
		patch.Settings = &p.Settings
	}
	if patch == (client.ProjectPatch{}) {
		return fmt.Errorf("nothing to set: give --description, --settings, --rehearse or --blueprint")
	}
	p, err = service.UpdateProject(ctx, p.ID, p.Version, patch)
	if err != nil {
		return err
	}
	return c.print(s, p, func(w io.Writer) { fmt.Fprintf(w, "Project %s/%s is changed.\n", p.Org, p.Name) })
}
