package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"redoubt/policy/analyzer"
	"redoubt/policy/audit"
	reports "redoubt/policy/report"
	"redoubt/policy/rules"
)

type auditState struct {
	File    string         `help:"A state, as pulumi stack export wrote it; - for standard input." placeholder:"FILE"`
	Stack   string         `help:"A stack of a server, organization/project/stack." placeholder:"STACK"`
	URL     string         `help:"Address of the server of --stack; by default where the Pulumi CLI is logged in." env:"REDOUBT_URL" placeholder:"URL" name:"url"`
	Config  string         `help:"The policy pack's configuration, JSON: levels, parameters, exemptions." type:"existingfile" placeholder:"FILE"`
	Profile string         `help:"Profile of the policy pack: guide, fsbp, cis-5, nist-800-53, pci-4 or audit. By default the configuration's, or guide." placeholder:"NAME"`
	FailOn  reports.FailOn `help:"Which findings make the exit code 1: ${enum}." enum:"mandatory,advisory,never" default:"mandatory"`
	reportFlags
}

// Help is the long text of redoubt audit state --help.
func (auditState) Help() string {
	return `Judges the resources that a state has, without the program and without AWS. Secrets that are encrypted stay so: that a
value is one is judged, and what it is is not. No secret is in a report.

Examples:
  redoubt audit --stack acme/shop/prod
  redoubt audit --file state.json --config policy/profiles/prod.json
  redoubt audit --file state.json --profile cis-5
  redoubt audit --file state.json --output audit.sarif --output audit.html --history history
  redoubt audit --file state.json --format json | jq .summary
  pulumi stack export | redoubt audit --file - --fail-on advisory

Exit code: 0 if no finding counts, 1 if one does, 2 if nothing could be judged.`
}

// Run carries the command out.
func (c *auditState) Run(ctx context.Context, s *streams) error {
	targets, err := c.targets()
	if err != nil {
		return err
	}
	var config []byte
	if c.Config != "" {
		if config, err = os.ReadFile(c.Config); err != nil {
			return err
		}
	}
	progress := newSlowProgress(s.err)
	defer progress.end()
	progress.say("reading the state")
	text, err := c.read(ctx, s)
	if err != nil {
		return err
	}
	r, err := c.judge(ctx, text, config, progress)
	if err != nil {
		return err
	}
	progress.end()
	r.FailOn = c.FailOn
	if err := c.write(s, r, targets); err != nil {
		return err
	}
	if len(r.Failing()) > 0 {
		return errNotOK
	}
	return nil
}

func (c *auditState) judge(ctx context.Context, text, config []byte, progress *slowProgress) (reports.Report, error) {
	state, err := audit.Read(text)
	if err != nil {
		return reports.Report{}, fmt.Errorf("%s: %w", c.source(), err)
	}
	opts := audit.Options{
		Pack:  analyzer.Options{Name: "redoubt", Version: packVersion(), Rules: rules.All(), Profile: c.Profile},
		Stack: c.Stack, File: c.pointedAt(),
		Progress: func(done, total int) {
			progress.say(fmt.Sprintf("%d of %d resources judged", done, total))
			if done == total {
				progress.say(fmt.Sprintf("judging the %d resources together", total))
			}
		},
	}
	if config != nil {
		if opts.Config, err = analyzer.ParseConfig(config); err != nil {
			return reports.Report{}, fmt.Errorf("%s: %w", c.Config, err)
		}
	}
	return audit.Run(ctx, state, opts)
}

// packVersion is that of the rules in this binary: a development build has none of
// its own, and the pack's is a semantic version.
func packVersion() string {
	if version == "dev" {
		return "0.1.0"
	}
	return version
}

func (c *auditState) source() string {
	switch {
	case c.File == "-":
		return "standard input"
	case c.File != "":
		return c.File
	default:
		return c.Stack
	}
}

// pointedAt is the file that findings are pointed at, by its place below here where it
// has one: a report is no place for the folders of a machine.
func (c *auditState) pointedAt() string {
	if c.File == "" || c.File == "-" {
		return ""
	}
	here, err := os.Getwd()
	if err != nil {
		return filepath.Base(c.File)
	}
	path, err := filepath.Abs(c.File)
	if err == nil {
		path, err = filepath.Rel(here, path)
	}
	if err != nil || !filepath.IsLocal(path) {
		return filepath.Base(c.File)
	}
	return path
}

// read is the state's text, from where the flags say.
func (c *auditState) read(ctx context.Context, s *streams) ([]byte, error) {
	switch {
	case c.File != "" && c.Stack != "":
		return nil, errors.New("either --file or --stack: one audit judges one state")
	case c.File == "-":
		return io.ReadAll(s.in)
	case c.File != "":
		text, err := os.ReadFile(c.File)
		if err != nil {
			return nil, fmt.Errorf("the state cannot be read: %w", err)
		}
		return text, nil
	case c.Stack != "":
		name, err := stackName(c.Stack)
		if err != nil {
			return nil, err
		}
		return exportStack(ctx, c.URL, name)
	default:
		return nil, errors.New("which state? Give --file FILE, as `pulumi stack export` writes it, or --stack organization/project/stack")
	}
}
