package main

import (
	"encoding/json"
	"fmt"
	"regexp"

	"redoubt/automation/awssts"
	"redoubt/automation/blueprint"
	"redoubt/automation/launch"
)

type rolesCommands struct {
	AWS awsRoles `cmd:"" name:"aws" help:"Print the IAM roles that orders in AWS are run with, for whoever makes them."`
}

type awsRoles struct {
	Blueprints []string `arg:"" optional:"" help:"The blueprints that are to be launched; by default all."`
	Accounts   string   `help:"File with the accounts, as provisioning.accounts has it." required:"" placeholder:"FILE"`
	Server     string   `help:"ARN of the role that the server itself has." required:"" placeholder:"ARN"`
	Account    string   `help:"Only those of this account." placeholder:"ID"`
}

// Help is the long text of redoubt roles aws --help.
func (awsRoles) Help() string {
	return `Prints JSON: for each account a permissions boundary, the preview role, which reads and sees no secret, and a launch role for each blueprint,
with trust policy, external id and managed policies. Nothing is asked of AWS, and nothing is made there. docs/aws.md says how to make them.

  redoubt roles aws --accounts accounts.yaml --server arn:aws:iam::999988887777:role/redoubt
  redoubt roles aws secure-bucket static-site --accounts accounts.yaml --server arn:aws:iam::999988887777:role/redoubt --account 111122223333`
}

// roleARN is that of a role, and not of a session of it, which ends.
var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$`)

// Run carries the command out.
func (c *awsRoles) Run(s *streams) error {
	if !roleARN.MatchString(c.Server) {
		return fmt.Errorf("--server: %q is no ARN of a role: arn:aws:iam::999988887777:role/redoubt (of an assumed role name the role, not the session)", c.Server)
	}
	accounts, err := awssts.ReadAccounts(c.Accounts)
	if err != nil {
		return err
	}
	chosen := blueprint.All
	if len(c.Blueprints) > 0 {
		chosen = nil
	}
	for _, name := range c.Blueprints {
		b, err := blueprint.Find(name)
		if err != nil {
			return err
		}
		chosen = append(chosen, b)
	}
	out := []launch.Account{}
	for _, a := range accounts {
		if c.Account != "" && c.Account != a.ID {
			continue
		}
		roles, err := launch.Roles(a, c.Server, chosen)
		if err != nil {
			return err
		}
		out = append(out, roles)
	}
	if len(out) == 0 {
		return fmt.Errorf("%s has no account %s", c.Accounts, c.Account)
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
