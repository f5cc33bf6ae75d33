package response

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

//go:embed runbooks/*.md
var files embed.FS

// Runbooks are the guide's bullets that people do, or do too, with the runbook
// of each: a file runbooks/<name>.md. Several bullets may share one.
var Runbooks = map[guide.ID]string{
	guide.ResponseDetectionMonitorAlerts:          "monitor-alerts",
	guide.ResponseDetectionReviewLogs:             "identify-scope",
	guide.ResponseAnalysisIdentifyScope:           "identify-scope",
	guide.ResponseAnalysisDetermineImpact:         "identify-scope",
	guide.ResponseAnalysisReviewAuditLogs:         "identify-scope",
	guide.ResponseAnalysisCheckConfigurations:     "identify-scope",
	guide.ResponseContainmentIsolateResources:     "isolate-resources",
	guide.ResponseContainmentBlockAccess:          "isolate-resources",
	guide.ResponseContainmentUpdatePolicies:       "isolate-resources",
	guide.ResponseEradicationRemoveThreats:        "update-configurations",
	guide.ResponseEradicationUpdateConfigurations: "update-configurations",
	guide.ResponseEradicationApplyPatches:         "update-configurations",
	guide.ResponseRecoveryRestoreServices:         "restore-services",
	guide.ResponsePostIncidentReviewResponse:      "review-response",
	guide.ResponsePostIncidentUpdateProcedures:    "update-procedures",
	guide.ResponsePostIncidentImproveDetection:    "improve-detection",
	guide.ResponsePostIncidentTrainTeam:           "train-team",
	guide.ResponseTeamSlack:                       "security-team",
	guide.ResponseTeamEmail:                       "security-team",
	guide.ResponseTeamPhone:                       "security-team",
	guide.ResponseTeamOnCall:                      "security-team",
	guide.ResponseSupportEnterpriseSupport:        "aws-support",
	guide.ResponseSupportSecurityResponse:         "aws-support",
	guide.ResponseSupportTAMContact:               "aws-support",
	guide.ResponseSupportAccountTeam:              "aws-support",
	guide.ResponsePartnersSOCProvider:             "soc-and-mssp",
	guide.ResponsePartnersMSSPContact:             "soc-and-mssp",
	guide.ResponsePartnersForensicsTeam:           "forensics-team",
	guide.ResponsePartnersLegalTeam:               "legal-team",
}

// RunbooksComponent is the runbooks as documents in the account.
var RunbooksComponent = guide.Component{
	Token: "redoubt:response:Runbooks",
	Serves: []guide.ID{
		guide.ResponseEradicationUpdateConfigurations,
		guide.ResponsePostIncidentUpdateProcedures,
		guide.ResponsePostIncidentImproveDetection,
		guide.ResponsePostIncidentTrainTeam,
	},
}

// RunbooksArgs describes the documents.
type RunbooksArgs struct {
	// Prefix starts the documents' names, for example "redoubt-dev".
	Prefix string
	Tags   map[string]string
}

// RunbookSet is the runbooks as SSM documents, where people find them during an
// incident even if the repository is out of reach. A change of a file is a new
// version of its document; the old ones stay.
type RunbookSet struct {
	pulumi.ResourceState

	// Documents are by runbook, "train-team".
	Documents map[string]*ssm.Document
}

// DocumentName is the SSM document of a runbook: DocumentName("redoubt-dev",
// "train-team") is "redoubt-dev-runbook-train-team".
func DocumentName(prefix, runbook string) string { return prefix + "-runbook-" + runbook }

// NewRunbooks makes a document of every runbook. The error joins every finding.
func NewRunbooks(ctx *pulumi.Context, name string, args *RunbooksArgs, opts ...pulumi.ResourceOption) (*RunbookSet, error) {
	if args == nil || !prefixForm.MatchString(args.Prefix) {
		return nil, fmt.Errorf("runbooks %q: prefix: missing or malformed (2 to 31 lower-case letters, digits and hyphens, for example redoubt-dev)", name)
	}
	c := &RunbookSet{Documents: map[string]*ssm.Document{}}
	if err := ctx.RegisterComponentResource(RunbooksComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("runbooks %q: register: %w", name, err)
	}
	for _, runbook := range RunbookNames() {
		text, err := files.ReadFile("runbooks/" + runbook + ".md")
		if err != nil {
			return nil, fmt.Errorf("runbooks %q: %s: %w (add the file to infra/response/runbooks)", name, runbook, err)
		}
		physical := DocumentName(args.Prefix, runbook)
		tags := pulumi.ToStringMap(args.Tags)
		tags["Name"] = pulumi.String(physical)
		c.Documents[runbook], err = ssm.NewDocument(ctx, name+"-"+runbook, &ssm.DocumentArgs{
			Name: pulumi.String(physical), DocumentType: pulumi.String("Automation"), DocumentFormat: pulumi.String("YAML"),
			Content: pulumi.String(automation(string(text))), Tags: tags,
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("runbooks %q: %s: %w", name, runbook, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"documents": pulumi.ToStringArray(RunbookNames())})
}

// RunbookNames are the names of all runbooks, sorted.
func RunbookNames() []string {
	return slices.Compact(slices.Sorted(maps.Values(Runbooks)))
}

// automation is the Markdown as a Systems Manager runbook: the console shows
// the description as Markdown, and the one step pauses for the person who
// follows it, so that an execution records who worked by which version.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-documents.html
func automation(markdown string) string {
	var b strings.Builder
	b.WriteString("schemaVersion: '0.3'\ndescription: |-\n")
	for line := range strings.Lines(strings.TrimSpace(markdown)) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			line = "  " + line
		}
		b.WriteString(line + "\n")
	}
	b.WriteString("mainSteps:\n  - name: FollowTheRunbook\n    action: aws:pause\n    inputs: {}\n    isEnd: true\n")
	return b.String()
}
