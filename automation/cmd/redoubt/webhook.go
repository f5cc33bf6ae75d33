package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"redoubt/automation/client"
)

type webhookCommands struct {
	Create     createWebhook     `cmd:"" help:"Have an address told of events; the signing secret is shown this once."`
	List       listWebhooks      `cmd:"" help:"List an organization's webhooks."`
	Delete     deleteWebhook     `cmd:"" help:"Remove a webhook."`
	Test       testWebhook       `cmd:"" help:"Send an address an event to test it, and say what it answered."`
	Deliveries webhookDeliveries `cmd:"" help:"List what an address was sent, newest first."`
	Redeliver  redeliver         `cmd:"" help:"Send an event again."`
	Rotate     rotateWebhook     `cmd:"" help:"Make a new signing secret; the one before is good for a while longer."`
}

type createWebhook struct {
	remote
	Address string   `arg:"" help:"Where events go: https, on the public internet unless the operator allows more."`
	For     string   `help:"Whose events: an organization's, or a project's." required:"" placeholder:"ORG[/PROJECT]"`
	Type    []string `help:"Types of events, or with a star at the end; may be given more than once." default:"*" placeholder:"TYPE"`
}

// Help is the long text of redoubt webhook create --help.
func (createWebhook) Help() string {
	return `The signing secret goes to standard output alone, for $(…). docs/service.md has the
types, and how a receiver verifies what it gets (Standard Webhooks).

Examples:
  redoubt webhook create https://hooks.example.com/redoubt --for acme
  redoubt webhook create https://hooks.example.com/shop --for acme/shop --type 'operation.*' --type stack.drifted`
}

// Run carries the command out.
func (c *createWebhook) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	org, project, _ := strings.Cut(c.For, "/")
	hook := client.NewWebhook{Org: org, URL: c.Address, Types: c.Type}
	if project != "" {
		p, err := findProject(ctx, service, c.For)
		if err != nil {
			return err
		}
		hook.ProjectID = p.ID
	}
	made, err := service.CreateWebhook(ctx, hook)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.err, "Webhook %s is made. This is the secret that it signs with; it is shown this once:\n", made.Webhook.ID)
	}
	return c.print(s, made, func(w io.Writer) { fmt.Fprintln(w, made.Secret) })
}

type listWebhooks struct {
	remote
	Org string `arg:"" help:"The organization."`
}

// Help is the long text of redoubt webhook list --help.
func (listWebhooks) Help() string {
	return `Examples:
  redoubt webhook list acme`
}

// Run carries the command out.
func (c *listWebhooks) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	list, err := service.ListWebhooks(ctx, client.ListWebhooksParams{Org: c.Org})
	if err != nil {
		return err
	}
	return c.print(s, list.Items, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tADDRESS\tTYPES\tOF\tSTATE\tMADE BY")
		for _, h := range list.Items {
			state := "good"
			switch {
			case h.Disabled:
				state = "off"
			case !h.FailingSince.IsZero():
				state = "fails since " + dateText(h.FailingSince, "")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, clean(h.URL), clean(strings.Join(h.Types, ",")), orText(h.ProjectID, h.Org), state, clean(h.CreatedBy))
		}
	})
}

// hook is the argument that most commands have.
type hook struct {
	remote
	ID string `arg:"" help:"The webhook's id; redoubt webhook list has it."`
}

type deleteWebhook struct{ hook }

// Help is the long text of redoubt webhook delete --help.
func (deleteWebhook) Help() string {
	return `Examples:
  redoubt webhook delete whk_01jd…`
}

// Run carries the command out.
func (c *deleteWebhook) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	if err := service.DeleteWebhook(ctx, c.ID); err != nil {
		return err
	}
	return c.print(s, map[string]string{"deleted": c.ID}, func(w io.Writer) { fmt.Fprintf(w, "Webhook %s is deleted.\n", c.ID) })
}

type rotateWebhook struct{ hook }

// Help is the long text of redoubt webhook rotate --help.
func (rotateWebhook) Help() string {
	return `Deliveries have a signature of each secret for a while, so that the receiver can be
told the new one in its own time. The secret goes to standard output alone.

Examples:
  redoubt webhook rotate whk_01jd…`
}

// Run carries the command out.
func (c *rotateWebhook) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	made, err := service.RotateWebhookSecret(ctx, c.ID)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.err, "Webhook %s has a new secret. It is shown this once:\n", c.ID)
	}
	return c.print(s, made, func(w io.Writer) { fmt.Fprintln(w, made.Secret) })
}

type testWebhook struct {
	hook
	Wait time.Duration `help:"How long to wait for the answer." default:"20s"`
}

// Help is the long text of redoubt webhook test --help.
func (testWebhook) Help() string {
	return `Sends an event of the type webhook.test, whatever types the webhook is for. Exit code:
0 if the address took it, 1 if not.

Examples:
  redoubt webhook test whk_01jd…`
}

// Run carries the command out.
func (c *testWebhook) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	sent, err := service.TestWebhook(ctx, c.ID)
	if err != nil {
		return err
	}
	return c.answered(ctx, s, service, sent)
}

// answered waits for the first attempt of a delivery, and says how it went.
func (c *testWebhook) answered(ctx context.Context, s *streams, service *client.Client, sent client.Delivery) error {
	const every = 250 * time.Millisecond
	for until := time.Now().Add(c.Wait); sent.Attempts == 0 && sent.DeliveredAt.IsZero() && time.Now().Before(until); {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
		list, err := service.ListDeliveries(ctx, c.ID, client.ListDeliveriesParams{Limit: pageSize})
		if err != nil {
			return err
		}
		for _, d := range list.Items {
			if d.ID == sent.ID {
				sent = d
			}
		}
	}
	if err := c.print(s, sent, func(w io.Writer) { fmt.Fprintf(w, "Delivery %s: %s\n", sent.ID, outcome(sent)) }); err != nil {
		return err
	}
	if sent.DeliveredAt.IsZero() {
		return errNotOK
	}
	return nil
}

// outcome is how a delivery went so far.
func outcome(d client.Delivery) string {
	answered := orText(clean(d.Error), "no answer")
	if d.Status != 0 {
		answered = fmt.Sprintf("answered %d", d.Status)
	}
	switch {
	case !d.DeliveredAt.IsZero():
		return fmt.Sprintf("delivered, %s", answered)
	case d.Attempts == 0:
		return "not sent yet"
	case d.DueAt.IsZero():
		return fmt.Sprintf("given up after %d attempt(s): %s", d.Attempts, answered)
	}
	return fmt.Sprintf("failed %d time(s): %s; the next attempt is at %s", d.Attempts, answered, dateText(d.DueAt, ""))
}

type webhookDeliveries struct {
	hook
	Limit int64 `help:"How many at most." default:"20"`
}

// Help is the long text of redoubt webhook deliveries --help.
func (webhookDeliveries) Help() string {
	return `Examples:
  redoubt webhook deliveries whk_01jd…
  redoubt webhook deliveries whk_01jd… --json | jq '.[0].payload'`
}

// Run carries the command out.
func (c *webhookDeliveries) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	list, err := service.ListDeliveries(ctx, c.ID, client.ListDeliveriesParams{Limit: min(max(c.Limit, 1), pageSize)})
	if err != nil {
		return err
	}
	return c.print(s, list.Items, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tTYPE\tMADE\tOUTCOME")
		for _, d := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.ID, d.Type, dateText(d.CreatedAt, "?"), outcome(d))
		}
	})
}

type redeliver struct {
	remote
	ID string `arg:"" help:"The delivery's id; redoubt webhook deliveries has it."`
}

// Help is the long text of redoubt webhook redeliver --help.
func (redeliver) Help() string {
	return `Examples:
  redoubt webhook redeliver dlv_01jd…`
}

// Run carries the command out.
func (c *redeliver) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	again, err := service.Redeliver(ctx, c.ID)
	if err != nil {
		return err
	}
	return c.print(s, again, func(w io.Writer) { fmt.Fprintf(w, "It is sent again, as delivery %s.\n", again.ID) })
}
