package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// databaseAccess holds the rules about how a database is reached, as whom, and
// who gets a copy.
var databaseAccess = []rule.Rule{
	{
		Name:     "rds-proxy-require-tls",
		Summary:  "A database proxy refuses connections without TLS.",
		Guide:    []guide.ID{guide.ArchitectureInTransitDatabase},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("RDS.43"), nist("SC-8")),
		Types:    []string{"rds/proxy"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("requireTls").True("statements and their rows cross the network in the clear")
		},
		Fix:       `rds.ProxyArgs{RequireTls: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-43",
		Remediate: rule.SetTo("requireTls", true),
	},
	{
		Name:     "aurora-non-default-admin",
		Summary:  "The administrator of a database has a name that nobody guesses.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("RDS.24", "RDS.25"), nist("IA-5")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Params: []rule.Param{{
			Name: "names", Kind: rule.Strings,
			Default:     []string{"admin", "administrator", "dbadmin", "master", "mysql", "oracle", "postgres", "rdsadmin", "root", "sa", "superuser", "sysadmin"},
			Description: "The names that everybody tries first, which do not pass.",
		}},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			name := r.Get("masterUsername")
			if r.Type == "rds/instance" {
				name = r.Get("username")
			}
			text, _ := name.Str()
			switch {
			case name.Unknown():
				return rule.Unsure("%s is unknown", name.Path())
			case name.Empty():
				return rule.Skip() // replicas and restored databases have the source's user
			case slices.Contains(p.Strs("names"), strings.ToLower(text)):
				return rule.Fail("%s is %s: half of the credentials is guessed", name.Path(), name.Show())
			default:
				return rule.Pass()
			}
		},
		Fix: `rds.ClusterArgs{MasterUsername: pulumi.String("<a name of your own>")} for a new cluster`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-24",
	},
	{
		Name:     "aurora-non-default-port",
		Summary:  "A database listens on a port that is not its engine's.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsAurora},
		Severity: rule.Low,
		// A port hides nothing from who may reach it; security groups decide that.
		Level:    rule.Disabled,
		Controls: mapped(fsbp("RDS.23"), nist("SC-7")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Check:    unusualPort,
		Fix:      `rds.ClusterArgs{Port: pulumi.Int(15432)}, and the same port in the security groups`,
		URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-23",
	},
	{
		Name:     "rds-snapshot-not-public",
		Summary:  "A snapshot is shared with accounts by name, and not with everybody.",
		Guide:    []guide.ID{guide.OverviewDataKMS, guide.OverviewIdentityResourcePolicies},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("RDS.1"), nist("AC-3"), pci("3.5.1.3", "10.3.2", "A1.1.2")),
		Types:    []string{"rds/clusterSnapshot", "rds/snapshot", "rds/clusterSnapshotCopy", "rds/snapshotCopy"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, account := range r.Get("sharedAccounts").Items() {
				switch id, _ := account.Str(); {
				case account.Unknown():
					out = rule.All(out, rule.Unsure("%s is unknown", account.Path()))
				case id == "all":
					out = rule.All(out, rule.Fail("%s is %s: anybody with an AWS account can restore the data", account.Path(), account.Show()))
				}
			}
			return out
		},
		Fix: `rds.ClusterSnapshotArgs{SharedAccounts: pulumi.StringArray{pulumi.String("111122223333")}}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-1",
	},
}

func unusualPort(r *rule.Resource, _ rule.Params) rule.Verdict {
	port := r.Get("port")
	if memberOfCluster(r) || !r.Get("replicateSourceDb").Empty() && port.Absent() {
		return rule.Skip() // the cluster's or the source's
	}
	engine, known := r.Get("engine").Str()
	n, isSet := port.Int()
	switch {
	case port.Unknown():
		return rule.Unsure("port is unknown")
	case !isSet:
		return rule.Fail("port is not set: the engine's own is the first that is tried")
	case !known:
		return rule.Unsure("engine is unknown")
	case n == enginePorts[engine]:
		return rule.Fail("port is %s, the engine's own, which is the first that is tried", port.Show())
	default:
		return rule.Pass()
	}
}
