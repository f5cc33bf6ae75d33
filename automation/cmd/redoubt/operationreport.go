package main

import (
	"context"

	"redoubt/automation/client"
	"redoubt/automation/engine"
	reports "redoubt/policy/report"
)

type operationReport struct {
	URL    string         `help:"Address of the server; by default where the Pulumi CLI is logged in." env:"REDOUBT_URL" placeholder:"URL" name:"url"`
	ID     string         `arg:"" help:"The operation's id, op_…"`
	FailOn reports.FailOn `help:"Which findings make the exit code 1: ${enum}." enum:"mandatory,advisory,never" default:"mandatory"`
	reportFlags
}

// Help is the long text of redoubt operations report --help.
func (operationReport) Help() string {
	return `Reports what the policy pack found when the operation was planned; a waiver is an exemption. What passed is not kept.

Examples:
  redoubt operations report op_01jd…
  redoubt operations report op_01jd… --output findings.sarif --output findings.html

Exit code: 0 if no finding counts, 1 if one does, 2 if there is no report.`
}

// Run carries the command out.
func (c *operationReport) Run(ctx context.Context, s *streams) error {
	targets, err := c.targets()
	if err != nil {
		return err
	}
	service, err := remote{URL: c.URL}.service()
	if err != nil {
		return err
	}
	op, err := service.GetOperation(ctx, c.ID, client.GetOperationParams{})
	if err != nil {
		return err
	}
	results, err := service.GetPolicyResults(ctx, c.ID)
	if err != nil {
		return err
	}
	found := make([]engine.Finding, len(results.Findings))
	for i, f := range results.Findings {
		found[i] = engine.Finding{Policy: f.Policy, Level: f.Level, Severity: f.Severity, URN: f.URN, Message: f.Message}
		if e := f.Exemption; e != nil {
			found[i].Exemption = &engine.Exemption{ID: f.Waiver, Until: e.Until, Owner: e.Owner, Reason: e.Reason}
		}
	}
	r := keptReport(reports.Subject{Stack: op.Stack, Phase: reports.PhasePreview}, op.CreatedAt, found)
	r.FailOn = c.FailOn
	if err := c.write(s, r, targets); err != nil {
		return err
	}
	if len(r.Failing()) > 0 {
		return errNotOK
	}
	return nil
}
