package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/automation/rehearse"
)

type rehearseCommand struct {
	Stack        []string `help:"Stack to rehearse; may be given more than once. By default dev, and prod with --break: it has most that can be broken." placeholder:"NAME"`
	Blueprint    string   `help:"Rehearse an order of this blueprint instead of the project's stacks." placeholder:"NAME"`
	Inputs       string   `help:"With --blueprint: the order's inputs, JSON. By default the blueprint's example." type:"existingfile" placeholder:"FILE"`
	Break        string   `help:"Plant a known mistake and see it refused: its name, or all. list shows them." placeholder:"NAME"`
	Project      string   `help:"Folder with Pulumi.yaml." default:"." type:"existingdir"`
	PolicyPack   string   `help:"Policy pack, an executable; the built one by default." placeholder:"PATH"`
	PolicyConfig string   `help:"Configuration of the policy pack, JSON: levels, parameters, exemptions." type:"existingfile" placeholder:"FILE"`
	Profile      string   `help:"Profile of the policy pack: guide, fsbp, cis-5, nist-800-53, pci-4 or audit. By default the configuration's, or guide." name:"policy-profile" placeholder:"NAME"`
	Floor        bool     `help:"Measure the engine alone too, and show what the rest costs." default:"true" negatable:""`
	JSON         bool     `help:"Print the report as JSON." name:"json"`
	Report       []string `help:"File for what the policy pack found, in the form that its name ends with: .sarif, .json, .xml (JUnit), .md, .html or .txt. {stack} in it is the stack's name; may be given more than once." placeholder:"FILE"`

	Account string   `help:"With a command: the file that keeps the simulated account, below the project's folder. By default .redoubt/account.json." default:".redoubt/account.json" placeholder:"FILE"`
	Port    int      `help:"With a command: the port to serve the account on; a free one by default." placeholder:"PORT"`
	Command []string `arg:"" optional:"" passthrough:"partial" help:"A command to run against the account instead, after --."`
}

// Help is the long text of redoubt rehearse --help.
func (rehearseCommand) Help() string {
	return `Nothing here touches AWS: the account is simulated; the engine, the policy pack
and the backend that keeps the state are the real ones, on a free port. The
engine alone, which the times are compared with, has none of them. An order that
stands on a baseline gets one first: the project's stack of that name, or dev.

A known mistake is one property of one resource, or one resource, that the
program should not have. The stack is previewed once as it is; then with the
mistake, and its rule, made mandatory, must refuse the preview, naming the
resource, and no rule may find anything else. Mistakes that do not touch each
other share a preview, so that all of them take as long as a handful.

Examples:
  redoubt rehearse                                 the life of stack dev: preview, up, change, drift, repair, destroy
  redoubt rehearse --stack dev --stack prod        both
  redoubt rehearse --break list                    the known mistakes, and the rule that refuses each
  redoubt rehearse --break unencrypted-bucket      plant a mistake; the preview must be refused
  redoubt rehearse --break all --stack dev         each known mistake that dev has something for
  redoubt rehearse --policy-profile fsbp           held to a framework's rules
  redoubt rehearse --blueprint secure-bucket --inputs order.json   the life of an order
  redoubt rehearse --json | jq .ok                 the report as data
  redoubt rehearse --report '{stack}.sarif'        what the policy pack found, for a code scanner
  redoubt rehearse -- pulumi preview --stack dev   any command against the account

Exit code: 0 if every phase did what it must, 1 if not, 2 if the rehearsal could not be made.`
}

// Run carries the command out.
func (c *rehearseCommand) Run(ctx context.Context, s *streams) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) > 0 {
		return c.runCommand(ctx, s, command)
	}
	targets, err := c.reportTargets()
	if err != nil {
		return err
	}
	ordered, inputs, err := c.order()
	if err != nil {
		return err
	}
	var broken []blueprint.Mistake
	switch c.Break {
	case "":
	case "list":
		return listMistakes(s, ordered, c.JSON)
	default:
		if broken, err = rehearse.Mistakes(ordered, c.Break); err != nil {
			return err
		}
	}
	pack := c.PolicyPack
	if pack == "" {
		if pack, err = engine.Sibling("redoubt-policy"); err != nil {
			return fmt.Errorf("the policy pack: %w, or name one with --policy-pack", err)
		}
	}
	view := newView(s, c.JSON)
	opts := rehearse.Options{
		Project: c.Project, Stacks: c.stacks(), Blueprint: ordered, Inputs: inputs,
		Policy: pack, PolicyConfig: c.PolicyConfig, Profile: c.Profile, Floor: c.Floor, Progress: view.progress,
	}
	play := rehearse.Run
	if broken != nil {
		play = func(ctx context.Context, opts rehearse.Options) (rehearse.Report, error) {
			return rehearse.Break(ctx, opts, broken)
		}
	}
	report, err := play(ctx, opts)
	view.finish()
	if err == nil {
		err = writeRehearsed(report, targets)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(s.out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		err = view.summary(report)
	}
	if err == nil && !report.OK {
		err = errNotOK
	}
	return err
}

// order is the blueprint, and the inputs of an order of it; none for the stacks
// of the project.
func (c *rehearseCommand) order() (blueprint.Blueprint, json.RawMessage, error) {
	if c.Blueprint == "" {
		if c.Inputs != "" {
			return blueprint.Blueprint{}, nil, errors.New("--inputs without --blueprint: name the blueprint that they are for")
		}
		return blueprint.DefenseInDepth, nil, nil
	}
	b, err := blueprint.Find(c.Blueprint)
	if err != nil || c.Inputs == "" {
		return b, b.Example(), err
	}
	inputs, err := os.ReadFile(c.Inputs)
	return b, inputs, err
}

// stacks are those that were named, or the one that there is most to see of.
func (c *rehearseCommand) stacks() []string {
	switch {
	case len(c.Stack) > 0:
		return c.Stack
	case c.Break != "":
		return []string{"prod"}
	default:
		return []string{"dev"}
	}
}

// childExit carries the exit code of a command that was run against the account.
type childExit struct{ code int }

func (e *childExit) Error() string { return fmt.Sprintf("the command ended with exit code %d", e.code) }
