package rules

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// databaseOperations holds the rules about how a database is kept running,
// watched and got back.
var databaseOperations = []rule.Rule{
	{
		Name:     "aurora-deletion-protection",
		Summary:  "A database refuses to be deleted.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Medium,
		// Databases of development come and go; production configures mandatory.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("RDS.7", "RDS.8"), nist("CP-10")),
		Types:    []string{"rds/cluster", "rds/globalCluster", "rds/instance"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onOwnDatabase(r, r.Get("deletionProtection").True("one call deletes the database"))
		},
		Fix:       `rds.ClusterArgs{DeletionProtection: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-7",
		Remediate: rule.SetTo("deletionProtection", true),
	},
	{
		Name:     "aurora-multi-az",
		Summary:  "A database outlives the loss of an availability zone.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("RDS.5", "RDS.15"), cis("2.2.4"), nist("CP-10")),
		Types:      []string{"rds/cluster", "rds/instance"},
		CheckStack: severalZones,
		Fix:        `a second rds.NewClusterInstance in the cluster, without AvailabilityZone; for an instance of its own rds.InstanceArgs{MultiAz: pulumi.Bool(true)}`,
		URL:        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html",
	},
	{
		Name:     "aurora-enhanced-monitoring",
		Summary:  "An instance measures its operating system with Enhanced Monitoring.",
		Guide:    []guide.ID{guide.OperationsMetricsRequestLatency},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(fsbp("RDS.6"), nist("SI-4")),
		Types:      []string{"rds/clusterInstance", "rds/instance"},
		CheckStack: monitored,
		Fix:        `rds.ClusterInstanceArgs{MonitoringInterval: pulumi.Int(60), MonitoringRoleArn: role.Arn}`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-6",
	},
	{
		Name:     "rds-auto-minor-upgrade",
		Summary:  "An instance takes the fixes of its engine by itself.",
		Guide:    []guide.ID{guide.ResponseEradicationApplyPatches},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("RDS.13", "RDS.35"), cis("2.2.2"), nist("SI-2"), pci("6.3.3")),
		Types:    []string{"rds/clusterInstance", "rds/instance"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return stillOn(r.Get("autoMinorVersionUpgrade"), "known vulnerabilities of the engine stay")
		},
		Fix:       `rds.ClusterInstanceArgs{AutoMinorVersionUpgrade: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-13",
		Remediate: rule.SetTo("autoMinorVersionUpgrade", true),
	},
	{
		Name:     "aurora-log-exports",
		Summary:  "A database sends its logs to CloudWatch Logs.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs, guide.OverviewMonitoringLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:  mapped(fsbp("RDS.9", "RDS.34", "RDS.37"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:     []string{"rds/cluster", "rds/instance"},
		Check:     exportsLogs,
		Fix:       `rds.ClusterArgs{EnabledCloudwatchLogsExports: pulumi.ToStringArray([]string{"postgresql"})} (MySQL: audit and error)`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-9",
		Remediate: exportLogs,
	},
	{
		Name:     "aurora-final-snapshot-and-tags",
		Summary:  "A database that is deleted leaves a snapshot behind, and snapshots have its tags.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Low,
		// Databases of development come and go; production configures mandatory.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("RDS.16", "RDS.17"), nist("CP-9")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			if sourced(r) {
				return rule.Skip()
			}
			// Whether the data is worth keeping is not ours to say: there is no repair.
			return rule.All(finalSnapshot(r), r.Get("copyTagsToSnapshot").True("what finds a snapshot by its tags does not find it"))
		},
		Fix: `rds.ClusterArgs{SkipFinalSnapshot: pulumi.Bool(false), FinalSnapshotIdentifier: pulumi.String("<name>"), CopyTagsToSnapshot: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-16",
	},
}

// sourced says that an instance follows its cluster or the instance that it is
// a replica of.
func sourced(r *rule.Resource) bool {
	return memberOfCluster(r) || !r.Get("replicateSourceDb").Empty()
}

func finalSnapshot(r *rule.Resource) rule.Verdict {
	skip := r.Get("skipFinalSnapshot").False("deleting the database deletes its data")
	if skip.Outcome != rule.Passed {
		return skip
	}
	return r.Get("finalSnapshotIdentifier").Set("without a name for the last snapshot the database cannot be deleted")
}

func severalZones(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Type == "rds/instance" {
		if sourced(r) {
			return rule.Skip()
		}
		return r.Get("multiAz").True("the database is gone while its availability zone is")
	}
	if mode, _ := r.Get("engineMode").Str(); mode == "serverless" || !r.Get("dbClusterInstanceClass").Empty() {
		return rule.Pass() // AWS spreads both by itself
	}
	instances := s.Pointing(r, "clusterIdentifier", "rds/clusterInstance")
	switch {
	case len(instances) > 1:
		return zonesDiffer(instances)
	case len(instances) == 0:
		return rule.Unsure("the cluster's instances are not in this stack")
	default:
		return missing(s, "clusterIdentifier", "rds/clusterInstance", "rds/cluster",
			"the cluster has one instance: the database is gone while its availability zone is")
	}
}

// zonesDiffer fails where every instance asks for the same zone; those that ask
// for none are spread by AWS.
func zonesDiffer(instances []*rule.Resource) rule.Verdict {
	zones := map[string]bool{}
	unknown := false
	for _, i := range instances {
		v := i.Get("availabilityZone")
		zone, known := v.Str()
		switch {
		case v.Absent():
			return rule.Pass()
		case known:
			zones[zone] = true
		default:
			unknown = true
		}
	}
	switch {
	case len(zones) > 1:
		return rule.Pass()
	case unknown:
		return rule.Unsure("the availability zones of the instances are unknown")
	default:
		return rule.Fail("every instance of the cluster is in one availability zone")
	}
}

func monitored(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	own := interval(r)
	if own.Outcome != rule.Failed || r.Type == "rds/instance" {
		return own
	}
	// A cluster can switch it on for all its instances.
	refs := s.Refs(r, "clusterIdentifier", "rds/cluster")
	parts := []rule.Verdict{own}
	for _, cluster := range refs.Targets {
		parts = append(parts, interval(cluster))
	}
	if !refs.Complete() {
		parts = append(parts, rule.Unsure("the cluster, which may say monitoringInterval, is not in this stack"))
	}
	return rule.Any(parts...)
}

func interval(r *rule.Resource) rule.Verdict {
	v := r.Get("monitoringInterval")
	if v.Unknown() {
		return rule.Unsure("%s is unknown", v.Path())
	}
	if seconds, _ := v.Int(); seconds > 0 {
		return rule.Pass()
	}
	return rule.Fail("%s is %s: only the hypervisor's view of the load is measured", v.Path(), v.Show())
}

// exportedLogs are the logs that must leave the database, by the engine's
// prefix. MySQL's general log is not among them: it holds every statement with
// its values.
var exportedLogs = []struct {
	engine string
	logs   []string
}{
	{"aurora-postgresql", []string{"postgresql"}},
	{"postgres", []string{"postgresql"}},
	{"aurora", []string{"audit", "error"}},
	{"mysql", []string{"audit", "error"}},
	{"mariadb", []string{"audit", "error"}},
	{"oracle", []string{"alert", "audit"}},
	{"sqlserver", []string{"error"}},
}

// logsOf returns the logs that an engine must export, and nil for an engine
// without such logs.
func logsOf(engine string) []string {
	for _, e := range exportedLogs {
		if strings.HasPrefix(engine, e.engine) {
			return e.logs
		}
	}
	return nil
}

func exportsLogs(r *rule.Resource, _ rule.Params) rule.Verdict {
	engine, known := r.Get("engine").Str()
	switch {
	case memberOfCluster(r):
		return rule.Skip()
	case !known:
		return rule.Unsure("engine is not known, and it says which logs there are")
	case len(logsOf(engine)) == 0:
		return rule.Skip()
	}
	absent, unknown := absentLogs(r, engine)
	switch {
	case len(absent) == 0:
		return rule.Pass()
	case unknown:
		return rule.Unsure("enabledCloudwatchLogsExports is unknown")
	default:
		return rule.Fail("enabledCloudwatchLogsExports leaves out %s: the log ends with the database", strings.Join(absent, " and "))
	}
}

// absentLogs returns the logs that the list does not have, and whether it may
// have them after all.
func absentLogs(r *rule.Resource, engine string) (absent []string, unknown bool) {
	var exported []string
	for _, v := range r.Get("enabledCloudwatchLogsExports").Items() {
		unknown = unknown || v.Unknown()
		name, _ := v.Str()
		exported = append(exported, name)
	}
	for _, log := range logsOf(engine) {
		if !slices.Contains(exported, log) {
			absent = append(absent, log)
		}
	}
	return absent, unknown
}

func exportLogs(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	list := r.Get("enabledCloudwatchLogsExports")
	engine, _ := r.Get("engine").Str()
	absent, _ := absentLogs(r, engine)
	var all []any
	for _, v := range list.Items() {
		name, _ := v.Str()
		if v.Secret() && !list.Secret() {
			return nil, false // one secret in a list that is none
		}
		all = append(all, name)
	}
	for _, log := range absent {
		all = append(all, log)
	}
	return rule.SetTo(list.Path(), all)(r, p)
}
