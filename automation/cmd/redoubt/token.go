package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
)

type tokenCommands struct {
	Create  createToken  `cmd:"" help:"Make an access token; it is shown this once."`
	List    listTokens   `cmd:"" help:"List the access tokens."`
	Revoke  revokeToken  `cmd:"" help:"End an access token at once."`
	Recover recoverToken `cmd:"" help:"On the server's machine, make an administrator's token where the last one is lost."`
}

type createToken struct {
	remote
	Name      string        `help:"What it is for." required:"" placeholder:"TEXT"`
	Principal string        `help:"Whom it speaks for." required:"" placeholder:"WHO"`
	Human     string        `help:"The person behind it, as the identity provider knows them; the principal itself makes it that person's own." placeholder:"WHO"`
	Group     []string      `help:"A group that role bindings know it by; may be given more than once." sep:"none" placeholder:"GROUP"`
	Grant     []string      `help:"What it may do: STACKS:VERBS; may be given more than once." required:"" sep:"none" placeholder:"GRANT"`
	Lifetime  time.Duration `help:"How long it is good; for ever where nothing is said." placeholder:"720h"`
}

// Help is the long text of redoubt token create --help.
func (createToken) Help() string {
	verbs := make([]string, len(backend.Verbs))
	for i, v := range backend.Verbs {
		verbs[i] = string(v)
	}
	return `The token goes to standard output alone, for $(…).

Stacks are a pattern of organization/project/stack. Verbs are some of
` + strings.Join(verbs, ", ") + `; docs/serve.md says what each may do.

Examples:
  redoubt token create --name laptop --principal alice --grant 'acme/*/*:read,write,decrypt,preview,apply'
  redoubt token create --name ci --principal ci --lifetime 720h --grant 'acme/shop/*:read,decrypt,preview'
  redoubt token create --name deploy --principal sa:deploy --human alice --group builders --grant 'acme/shop/*:read'
  redoubt token create --name root --principal bob --grant '*/*/*:admin'`
}

// Run carries the command out.
func (c *createToken) Run(ctx context.Context, s *streams) error {
	grants, err := parseGrants(c.Grant)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	made, err := client.CreateToken(ctx, adminapi.NewToken{
		Name: c.Name, Principal: c.Principal, Human: c.Human, Groups: c.Group, Grants: grants, LifetimeSeconds: int64(c.Lifetime / time.Second),
	})
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.err, "Token %s of %s is made. It is shown this once:\n", made.ID, made.Principal)
	}
	return c.print(s, made, func(w io.Writer) { fmt.Fprintln(w, made.Credential) })
}

// parseGrants reads STACKS:VERBS.
func parseGrants(texts []string) ([]backend.Grant, error) {
	grants := make([]backend.Grant, 0, len(texts))
	for _, text := range texts {
		stacks, verbs, ok := strings.Cut(text, ":")
		if !ok {
			return nil, fmt.Errorf("%q is no grant: STACKS:VERBS, for example acme/shop/*:read,preview", text)
		}
		grant := backend.Grant{Stacks: stacks}
		for verb := range strings.SplitSeq(verbs, ",") {
			grant.Verbs = append(grant.Verbs, backend.Verb(strings.TrimSpace(verb)))
		}
		grants = append(grants, grant)
	}
	return grants, nil
}

type listTokens struct{ remote }

// Run carries the command out.
func (c *listTokens) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	tokens, err := client.Tokens(ctx)
	if err != nil {
		return err
	}
	return c.print(s, tokens, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tPRINCIPAL\tNAME\tMAY\tLAST USED\tEXPIRES")
		for _, t := range tokens {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Principal, t.Name, backend.GrantsText(t.Grants), dateText(t.LastUsedAt, "never"), endText(t.ExpiresAt, t.RevokedAt))
		}
	})
}

func dateText(t time.Time, zero string) string {
	if t.IsZero() {
		return zero
	}
	return t.UTC().Format("2006-01-02 15:04 MST")
}

type revokeToken struct {
	remote
	ID string `arg:"" help:"The token's id, tok_…; redoubt token list has it."`
}

// Run carries the command out.
func (c *revokeToken) Run(ctx context.Context, s *streams) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if strings.HasPrefix(c.ID, backend.TokenPrefix) {
		return fmt.Errorf("that is a token itself: give its id, tok_%s", strings.Split(c.ID+"__", "_")[1])
	}
	if err := client.RevokeToken(ctx, c.ID); err != nil {
		return err
	}
	return c.print(s, map[string]string{"revoked": c.ID}, func(w io.Writer) { fmt.Fprintf(w, "Token %s is revoked.\n", c.ID) })
}
