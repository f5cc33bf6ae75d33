package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"golang.org/x/term"

	"redoubt/automation/transfer"
)

// stateCommand moves states in and out.
type stateCommand struct {
	Import stateImport `cmd:"" help:"Move stacks from another Pulumi backend into Redoubt, and verify it."`
	Export stateExport `cmd:"" help:"Move stacks from Redoubt into another Pulumi backend, and verify it."`
}

// stateFlags are what both directions take.
type stateFlags struct {
	Stack          []string `help:"Stack to move: NAME or PROJECT/NAME; may be given more than once." placeholder:"NAME"`
	All            bool     `help:"Move all stacks."`
	Project        string   `help:"Only stacks of this project." placeholder:"NAME"`
	Rename         []string `help:"Give a stack another name on the other side: OLD=NEW, each NAME or PROJECT/NAME." placeholder:"OLD=NEW"`
	DryRun         bool     `help:"Read and compare, and write nothing."`
	Force          bool     `help:"Overwrite another state on the other side."`
	PassphraseFile []string `help:"File with the passphrase of the other backend's secrets, for all stacks or for one. By default PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE, or a question." placeholder:"[STACK=]FILE"`
	ConfigDir      string   `help:"Encrypt the secrets of the Pulumi.<stack>.yaml files here again too; each is kept as a backup." type:"existingdir" placeholder:"DIR"`
	Parallel       int      `help:"Stacks to move at once." default:"3"`
	JSON           bool     `help:"Print the report as JSON." name:"json"`
}

type stateImport struct {
	From    string `help:"Where the stacks are: file://…, s3://…, gs://…, azblob://…, postgres://… or the https://… of a service." required:"" env:"REDOUBT_FROM" placeholder:"URL"`
	FromOrg string `help:"Of a service, only this organization's stacks." placeholder:"ORG"`
	To      string `help:"Redoubt's URL; by default the one that pulumi is logged in to." env:"REDOUBT_URL" placeholder:"URL"`
	Org     string `help:"Organization in Redoubt; by default the token's." placeholder:"ORG"`
	stateFlags
}

type stateExport struct {
	From            string `help:"Redoubt's URL; by default the one that pulumi is logged in to." env:"REDOUBT_URL" placeholder:"URL"`
	Org             string `help:"Only this organization's stacks." placeholder:"ORG"`
	To              string `help:"Where the stacks go: file://…, s3://…, gs://…, azblob://…, postgres://… or the https://… of a service." required:"" env:"REDOUBT_TO" placeholder:"URL"`
	ToOrg           string `help:"Organization in the other service." placeholder:"ORG"`
	SecretsProvider string `help:"What encrypts the secrets of new stacks there, as in pulumi stack init." default:"passphrase" placeholder:"PROVIDER"`
	DropPending     bool   `help:"Leave out pending operations: the Pulumi CLI cannot write them to such a backend."`
	stateFlags
}

const stateHelp = `

States, tags and secrets move; secrets are encrypted again by the other side's
provider. The history stays where it is. The other side is never changed, and
nothing is overwritten without --force.

Access tokens: REDOUBT_TOKEN, or the login of "pulumi login". PULUMI_ACCESS_TOKEN
is the other service's; Redoubt's where the other side is none.

Exit code: 0 if every stack is there and equal, 1 if not, 2 if nothing was begun.`

// Help is the long text of redoubt state import --help.
func (stateImport) Help() string {
	return `Examples:
  redoubt state import --from file://~ --all --dry-run         what would happen
  redoubt state import --from s3://my-states --stack shop/prod
  redoubt state import --from https://api.pulumi.com --from-org acme --all --config-dir .` + stateHelp
}

// Help is the long text of redoubt state export --help.
func (stateExport) Help() string {
	return `Examples:
  redoubt state export --to file:///backup/states --all
  redoubt state export --to s3://my-states --stack shop/prod --secrets-provider awskms://alias/states` + stateHelp
}

// Run carries the command out.
func (c *stateImport) Run(ctx context.Context, s *streams) error {
	from := transfer.Side{URL: c.From, Org: c.FromOrg}
	return c.run(ctx, s, transfer.Side{URL: c.To, Org: c.Org}, from, func(redoubt, other transfer.Side) transfer.Options {
		return transfer.Options{From: other, To: redoubt}
	})
}

// Run carries the command out.
func (c *stateExport) Run(ctx context.Context, s *streams) error {
	to := transfer.Side{URL: c.To, Org: c.ToOrg, SecretsProvider: c.SecretsProvider}
	return c.run(ctx, s, transfer.Side{URL: c.From, Org: c.Org}, to, func(redoubt, other transfer.Side) transfer.Options {
		return transfer.Options{From: redoubt, To: other, DropPending: c.DropPending}
	})
}

// run moves stacks between Redoubt and another backend.
func (f *stateFlags) run(ctx context.Context, s *streams, redoubt, other transfer.Side, directed func(redoubt, other transfer.Side) transfer.Options) error {
	if err := credentials(&redoubt, &other); err != nil {
		return err
	}
	opts := directed(redoubt, other)
	opts.Stacks, opts.All, opts.Project = f.Stack, f.All, f.Project
	opts.DryRun, opts.Force, opts.Parallel, opts.ConfigDir = f.DryRun, f.Force, f.Parallel, f.ConfigDir
	for _, text := range f.Rename {
		rename, err := transfer.ParseRename(text)
		if err != nil {
			return err
		}
		opts.Renames = append(opts.Renames, rename)
	}
	view := &transferView{out: s.out, err: s.err}
	opts.Passphrases = &transfer.Passphrases{Files: passphraseFiles(f.PassphraseFile), Ask: view.ask()}
	opts.Progress = view.progress
	report, err := transfer.Run(ctx, opts)
	if err != nil {
		return err
	}
	if f.JSON {
		encoder := json.NewEncoder(s.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(report)
	} else {
		err = view.summary(report)
	}
	if err == nil && !report.OK {
		err = errNotOK
	}
	return err
}

// credentials finds Redoubt's address and the access tokens.
func credentials(redoubt, other *transfer.Side) error {
	// Without any login that is an empty file.
	stored, err := workspace.GetStoredCredentials()
	if err != nil {
		return fmt.Errorf("the logins of `pulumi login` cannot be read: %w", err)
	}
	if redoubt.URL == "" {
		redoubt.URL = stored.Current
	}
	if !strings.HasPrefix(redoubt.URL, "http") {
		return errors.New("which Redoubt? Set REDOUBT_URL, give its URL, or run `pulumi login https://…`")
	}
	token := func(s *transfer.Side) string {
		return stored.Accounts[strings.TrimSuffix(s.URL, "/")].AccessToken
	}
	mine, theirs := os.Getenv("REDOUBT_TOKEN"), os.Getenv("PULUMI_ACCESS_TOKEN")
	redoubt.Token, other.Token = firstOf(mine, token(redoubt)), firstOf(theirs, token(other))
	if redoubt.Token == "" && !strings.HasPrefix(other.URL, "http") {
		redoubt.Token = theirs
	}
	return nil
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// passphraseFiles reads [STACK=]FILE.
func passphraseFiles(flags []string) map[string]string {
	out := map[string]string{}
	for _, text := range flags {
		if stack, file, found := strings.Cut(text, "="); found {
			out[stack] = file
		} else {
			out[""] = text
		}
	}
	return out
}

// terminal says whether somebody can be asked.
func terminal() bool { return term.IsTerminal(int(os.Stdin.Fd())) }
