package main

import (
	"context"
	"fmt"
	"io"

	"redoubt/automation/client"
)

type bindingCommands struct {
	List   listBindings  `cmd:"" help:"List who has which role."`
	Create createBinding `cmd:"" help:"Give a role."`
	Delete deleteBinding `cmd:"" help:"Take a role away."`
}

type listBindings struct{ remote }

// Help is the long text of redoubt bindings list --help.
func (listBindings) Help() string {
	return `Examples:
  redoubt bindings list`
}

// Run carries the command out.
func (c *listBindings) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	list, err := service.ListBindings(ctx)
	if err != nil {
		return err
	}
	return c.print(s, list.Items, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tWHO\tROLE\tWHERE\tEXPIRES\tGIVEN BY")
		for _, b := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", b.ID, b.Subject, b.Role, b.Scope, dateText(b.ExpiresAt, "never"), b.CreatedBy)
		}
	})
}

type createBinding struct {
	remote
	Subject string `arg:"" help:"user:NAME, service_account:NAME or group:NAME."`
	Role    string `arg:"" help:"viewer, requester, operator, approver, policy_owner, project_admin, org_admin or auditor." enum:"viewer,requester,operator,approver,policy_owner,project_admin,org_admin,auditor"`
	Scope   string `arg:"" help:"organization, organization/project, organization/project/name, or * for everything; a part may be a pattern."`
	For     string `help:"How long it holds; for ever where nothing is said." placeholder:"8h"`
}

// Help is the long text of redoubt bindings create --help.
func (createBinding) Help() string {
	return `Examples:
  redoubt bindings create group:web requester acme/shop
  redoubt bindings create user:bob approver acme
  redoubt bindings create user:carol org_admin acme --for 8h`
}

// Run carries the command out.
func (c *createBinding) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	b, err := service.CreateBinding(ctx, client.NewBinding{Subject: c.Subject, Role: c.Role, Scope: c.Scope, Lifetime: c.For})
	if err != nil {
		return err
	}
	return c.print(s, b, func(w io.Writer) { fmt.Fprintf(w, "%s is %s in %s: %s\n", b.Subject, b.Role, b.Scope, b.ID) })
}

type deleteBinding struct {
	remote
	ID string `arg:"" help:"The binding's id; redoubt bindings list has it."`
}

// Help is the long text of redoubt bindings delete --help.
func (deleteBinding) Help() string {
	return `Examples:
  redoubt bindings delete bnd_01jd…`
}

// Run carries the command out.
func (c *deleteBinding) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	if err := service.DeleteBinding(ctx, c.ID); err != nil {
		return err
	}
	return c.print(s, map[string]string{"deleted": c.ID}, func(w io.Writer) { fmt.Fprintf(w, "Binding %s is deleted.\n", c.ID) })
}
