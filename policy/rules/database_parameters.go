package rules

import (
	"slices"
	"strconv"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// databaseParameters holds the rules about what parameter groups say beside the
// use of TLS.
var databaseParameters = []rule.Rule{
	{
		Name:     "aurora-tls-minimum-version",
		Summary:  "A database takes TLS 1.2 or newer.",
		Guide:    []guide.ID{guide.ArchitectureInTransitDatabase},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"rds/clusterParameterGroup", "rds/parameterGroup"},
		Check:    minimumTLS,
		Fix: `rds.ClusterParameterGroupParameterArgs{Name: pulumi.String("ssl_min_protocol_version"), Value: pulumi.String("TLSv1.2")} ` +
			`(MySQL: tls_version = TLSv1.2,TLSv1.3)`,
		URL: "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html",
	},
	{
		Name:     "aurora-audit-parameters",
		Summary:  "A database cluster records who changes what in it.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("RDS.45"), nist("AU-12")),
		Types:      []string{"rds/cluster"},
		CheckStack: audited,
		Fix: `rds.ClusterParameterGroupArgs with the parameters shared_preload_libraries = pgaudit and pgaudit.log = ddl,role,write ` +
			`(MySQL: server_audit_logging = 1 and server_audit_events), and rds.ClusterArgs{DbClusterParameterGroupName: group.Name}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-45",
	},
}

// tlsVersions says which parameter bounds the version of TLS, by the family's
// prefix, and from which major version on the engine's own default is good.
var tlsVersions = []struct {
	family, name string
	since        int
}{
	{"aurora-postgresql", "ssl_min_protocol_version", 13},
	{"postgres", "ssl_min_protocol_version", 13},
	{"aurora-mysql", "tls_version", 8},
	{"mysql", "tls_version", 8},
	{"mariadb", "tls_version", 11},
}

func minimumTLS(group *rule.Resource, _ rule.Params) rule.Verdict {
	family, known := group.Get("family").Str()
	if !known {
		return rule.Unsure("family is unknown")
	}
	for _, t := range tlsVersions {
		version, isFamily := strings.CutPrefix(family, t.family)
		if !isFamily {
			continue
		}
		v, found := parameter(group, t.name)
		switch {
		case v.Unknown():
			return rule.Unsure("%s is unknown", t.name)
		case found:
			return versionsOfTLS(t.name, v)
		case majorVersion(version) >= t.since:
			return rule.Pass()
		default:
			return rule.Fail("%s is not set, and the engine's default takes versions of TLS that are broken", t.name)
		}
	}
	return rule.Skip() // an engine whose TLS is an option, not a parameter
}

func versionsOfTLS(name string, v rule.Value) rule.Verdict {
	for _, version := range strings.Split(parameterText(v), ",") {
		if !slices.Contains([]string{"TLSv1.2", "TLSv1.3"}, strings.TrimSpace(version)) {
			return rule.Fail("%s is %s: versions of TLS that are broken are accepted", name, v.Show())
		}
	}
	return rule.Pass()
}

// majorVersion is 16 for "16" and 8 for "8.0", and 0 for what is no version.
func majorVersion(version string) int {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return 0
	}
	return n
}

// audits says which parameters record what happens in a database, by the
// family's prefix.
var audits = []struct {
	family     string
	parameters []parameterRule
}{
	{"aurora-postgresql", pgAudit},
	{"postgres", pgAudit},
	{"aurora-mysql", []parameterRule{
		{"server_audit_logging", func(text string) bool { return text == "1" || strings.EqualFold(text, "on") }},
		{"server_audit_events", says},
	}},
}

type parameterRule struct {
	name string
	good func(text string) bool
}

var pgAudit = []parameterRule{
	{"shared_preload_libraries", func(text string) bool { return strings.Contains(text, "pgaudit") }},
	{"pgaudit.log", says},
}

// says is the check of a parameter that must list something.
func says(text string) bool { return text != "" && !strings.EqualFold(text, "none") }

// audited is the verdict of a cluster that has an activity stream, or a
// parameter group that switches an audit on.
func audited(s *rule.Stack, cluster *rule.Resource, _ rule.Params) rule.Verdict {
	if len(s.Pointing(cluster, "resourceArn", "rds/clusterActivityStream")) > 0 {
		return rule.Pass()
	}
	return unlessLinked(s, byParameterGroup(s, cluster, groupAudits), link{"resourceArn", "rds/clusterActivityStream", "rds/cluster"})
}

func groupAudits(group *rule.Resource) rule.Verdict {
	family, known := group.Get("family").Str()
	if !known {
		return rule.Unsure("the family of %s is unknown", group.Label())
	}
	for _, a := range audits {
		if !strings.HasPrefix(family, a.family) {
			continue
		}
		out := rule.Pass()
		for _, p := range a.parameters {
			out = rule.All(out, p.judge(group))
		}
		return out
	}
	return rule.Skip() // an engine whose audit is an option, not a parameter
}

func (p parameterRule) judge(group *rule.Resource) rule.Verdict {
	v, _ := parameter(group, p.name)
	switch {
	case v.Unknown():
		return rule.Unsure("%s of %s is unknown", p.name, group.Label())
	case p.good(parameterText(v)):
		return rule.Pass()
	default:
		return rule.Fail("%s of %s is %s: who changes what leaves no record", p.name, group.Label(), v.Show())
	}
}
