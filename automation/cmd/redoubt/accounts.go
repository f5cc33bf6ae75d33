package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"redoubt/automation/client"
)

type accountCommands struct {
	Token  accountToken  `cmd:"" help:"Make a token of a service account that you answer for; it is shown this once."`
	List   listAccounts  `cmd:"" help:"List the service accounts whose tokens you may end."`
	Tokens accountTokens `cmd:"" help:"List the access tokens that you may end."`
	Revoke revokeAccount `cmd:"" help:"End an access token, or all of a service account, at once."`
}

type accountToken struct {
	remote
	Account  string   `arg:"" help:"The service account's name; it is made where there is none."`
	Name     string   `help:"What the token is for." required:"" placeholder:"TEXT"`
	Grant    []string `help:"What it may do by the stock CLI's protocol, and no more than you may: STACKS:VERBS; may be given more than once." required:"" sep:"none" placeholder:"GRANT"`
	Lifetime string   `help:"How long it is good; 90 days where nothing is said, 366 at most." placeholder:"30d"`
}

// Help is the long text of redoubt service-accounts token --help.
func (accountToken) Help() string {
	return `The token goes to standard output alone, for $(…). You answer for the service account: you do not approve what it orders.
What it may do in self-service its role bindings say: redoubt bindings create service_account:NAME …

Examples:
  redoubt service-accounts token deploy --name pipeline --grant 'acme/shop/*:read'
  redoubt service-accounts token ci --name previews --grant 'acme/shop/*:read,preview' --lifetime 30d`
}

// Run carries the command out.
func (c *accountToken) Run(ctx context.Context, s *streams) error {
	grants, err := parseGrants(c.Grant)
	if err != nil {
		return err
	}
	order := client.NewToken{ServiceAccount: c.Account, Name: c.Name, Lifetime: c.Lifetime}
	for _, g := range grants {
		grant := client.TokenGrant{Stacks: g.Stacks}
		for _, v := range g.Verbs {
			grant.Verbs = append(grant.Verbs, string(v))
		}
		order.Grants = append(order.Grants, grant)
	}
	service, err := c.service()
	if err != nil {
		return err
	}
	made, err := service.CreateToken(ctx, order)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.err, "Token %s of service account %s is good until %s. It is shown this once:\n", made.Token.ID, c.Account, dateText(made.Token.ExpiresAt, "for ever"))
	}
	return c.print(s, made, func(w io.Writer) { fmt.Fprintln(w, made.Credential) })
}

type listAccounts struct{ remote }

// Help is the long text of redoubt service-accounts list --help.
func (listAccounts) Help() string {
	return `Examples:
  redoubt service-accounts list`
}

// Run carries the command out.
func (c *listAccounts) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	page, err := service.ListServiceAccounts(ctx)
	if err != nil {
		return err
	}
	return c.print(s, page.Items, func(w io.Writer) {
		fmt.Fprintln(w, "SERVICE ACCOUNT\tANSWERED FOR BY\tGOOD TOKENS\tLAST USED")
		for _, a := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", a.Name, orText(clean(a.Human), "nobody"), a.Tokens, dateText(a.LastUsedAt, "never"))
		}
	})
}

type accountTokens struct {
	remote
	Account string `arg:"" optional:"" help:"Those of a service account."`
}

// Help is the long text of redoubt service-accounts tokens --help.
func (accountTokens) Help() string {
	return `Examples:
  redoubt service-accounts tokens
  redoubt service-accounts tokens deploy`
}

// Run carries the command out.
func (c *accountTokens) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	tokens, err := all(func(cursor string) ([]client.Token, string, error) {
		page, err := service.ListTokens(ctx, client.ListTokensParams{ServiceAccount: c.Account, Cursor: cursor, Limit: pageSize})
		return page.Items, page.NextCursor, err
	})
	if err != nil {
		return err
	}
	return c.print(s, tokens, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tPRINCIPAL\tNAME\tMAY\tLAST USED\tEXPIRES")
		for _, t := range tokens {
			grants := make([]string, len(t.Grants))
			for i, g := range t.Grants {
				grants[i] = g.Stacks + ":" + strings.Join(g.Verbs, ",")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, clean(t.Principal), clean(t.Name), strings.Join(grants, " "), dateText(t.LastUsedAt, "never"), endText(t.ExpiresAt, t.RevokedAt))
		}
	})
}

type revokeAccount struct {
	remote
	What string `arg:"" help:"A token's id, tok_…, or a service account's name, of which all tokens end."`
}

// Help is the long text of redoubt service-accounts revoke --help.
func (revokeAccount) Help() string {
	return `Operations that were ordered with a token go on.

Examples:
  redoubt service-accounts revoke tok_01jd…
  redoubt service-accounts revoke deploy`
}

// Run carries the command out.
func (c *revokeAccount) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	if strings.HasPrefix(c.What, "tok_") {
		err = service.RevokeToken(ctx, c.What)
	} else {
		err = service.RevokeServiceAccount(ctx, c.What)
	}
	if err != nil {
		return err
	}
	return c.print(s, map[string]string{"revoked": c.What}, func(w io.Writer) { fmt.Fprintf(w, "%s is revoked.\n", c.What) })
}

// endText is when a token ends, or ended.
func endText(expires, revoked time.Time) string {
	if !revoked.IsZero() {
		return "revoked " + dateText(revoked, "")
	}
	return dateText(expires, "never")
}
