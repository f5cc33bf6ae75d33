package data

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// serviceStatement is a row of the tables of who may use a key or write to a
// bucket. Strings may hold {partition}, {region}, {account}, {logs} for the
// regional name of CloudWatch Logs, and what the table's owner adds.
type serviceStatement struct {
	sid     string
	service string
	// aws is a principal's ARN in place of a service.
	aws string
	// root names the account in place of a service.
	root bool
	// regionalIfOptIn adds the region to the service's name in regions that an
	// account has to opt in to, where some services sign with that name.
	regionalIfOptIn bool
	actions         []string
	// resources are empty in key policies, whose resource is the key itself.
	resources  []string
	conditions []identity.Condition
}

// optInRegions are the regions that came after March 2019 and are off in a new
// account. https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
var optInRegions = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
	"ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1",
	"me-central-1", "me-south-1", "mx-central-1",
}

// statements turns rows into statements of a scope; more adds placeholders.
func statements(rows []serviceStatement, scope identity.Scope, more []string) identity.Document {
	fill := strings.NewReplacer(append([]string{
		"{partition}", scope.Partition, "{region}", scope.Region, "{account}", scope.AccountID,
		"{logs}", scope.RegionalService("logs"),
	}, more...)...)
	var doc identity.Document
	for _, row := range rows {
		s := identity.Statement{
			Sid: row.sid, Effect: identity.Allow,
			Principals: row.principals(scope, fill),
			Actions:    row.actions,
			Resources:  []string{"*"},
		}
		if len(row.resources) > 0 {
			s.Resources = filled(fill, row.resources)
		}
		for _, c := range row.conditions {
			s.Conditions = append(s.Conditions, identity.Condition{Test: c.Test, Key: c.Key, Values: filled(fill, c.Values)})
		}
		doc = append(doc, s)
	}
	return doc
}

func (row serviceStatement) principals(scope identity.Scope, fill *strings.Replacer) identity.Principals {
	switch {
	case row.root:
		return identity.Principals{AWS: []string{scope.Root()}}
	case row.aws != "":
		return identity.Principals{AWS: []string{fill.Replace(row.aws)}}
	}
	service := fill.Replace(row.service)
	if row.regionalIfOptIn && slices.Contains(optInRegions, scope.Region) {
		prefix, domain, _ := strings.Cut(service, ".")
		service = prefix + "." + scope.Region + "." + domain
	}
	return identity.Principals{Service: []string{service}}
}

func filled(fill *strings.Replacer, texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = fill.Replace(t)
	}
	return out
}

var accountForm = regexp.MustCompile(`^\d{12}$`)

func checkScope(s identity.Scope) []error {
	var findings []error
	if s.Partition == "" {
		findings = append(findings, fmt.Errorf("scope.partition: empty (aws, aws-cn or aws-us-gov)"))
	}
	if s.Region == "" {
		findings = append(findings, fmt.Errorf("scope.region: empty (for example eu-central-1)"))
	}
	if !accountForm.MatchString(s.AccountID) {
		findings = append(findings, fmt.Errorf("scope.accountId: %q (twelve digits)", s.AccountID))
	}
	return findings
}

// tagged returns the tags with the physical name as Name.
func tagged(tags map[string]string, name string) pulumi.StringMap {
	out := pulumi.ToStringMap(tags)
	out["Name"] = pulumi.String(name)
	return out
}

// kept are the options of a resource that outlives its stack: Pulumi refuses
// to delete it, and leaves it in the account if told to forget it.
func kept(protect bool) []pulumi.ResourceOption {
	if !protect {
		return nil
	}
	return []pulumi.ResourceOption{pulumi.Protect(true), pulumi.RetainOnDelete(true)}
}
