package rules

import (
	"slices"
	"strconv"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// database holds the rules about Aurora and RDS.
var database = []rule.Rule{
	{
		Name:     "aurora-storage-encrypted",
		Summary:  "An Aurora cluster encrypts its storage.",
		Guide:    []guide.ID{guide.ArchitectureAtRestRDS, guide.OverviewDataKMS},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("RDS.27"), nist("SC-28"), pci("3.5.1", "8.3.2")),
		Types:    []string{"rds/cluster", "rds/globalCluster"},
		Check:    storageEncrypted,
		Fix:      `rds.ClusterArgs{StorageEncrypted: pulumi.Bool(true), KmsKeyId: key.Arn}`,
		URL:      "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html",
	},
	{
		Name:     "rds-instance-storage-encrypted",
		Summary:  "A database instance without a cluster encrypts its storage.",
		Guide:    []guide.ID{guide.ArchitectureAtRestRDS, guide.OverviewDataKMS},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("RDS.3"), cis("2.2.1"), nist("SC-28"), pci("3.5.1", "8.3.2")),
		Types:    []string{"rds/instance"},
		Check:    storageEncrypted,
		Fix:      `rds.InstanceArgs{StorageEncrypted: pulumi.Bool(true), KmsKeyId: key.Arn}`,
		URL:      "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html",
	},
	{
		Name:     "aurora-customer-managed-key",
		Summary:  "A database is encrypted with a key of our own, whose policy and rotation we decide.",
		Guide:    []guide.ID{guide.ArchitectureAtRestRDS},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(nist("SC-12", "SC-28")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			if !r.Get("replicateSourceDb").Empty() || memberOfCluster(r) {
				return rule.Skip() // the key is the source's
			}
			return r.Get("kmsKeyId").Set("the storage is encrypted with the key aws/rds, whose policy nobody can change")
		},
		Fix: `rds.ClusterArgs{KmsKeyId: key.Arn}`,
		URL: "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html",
	},
	{
		Name:     "aurora-force-tls",
		Summary:  "A database refuses connections without TLS, by its parameter group.",
		Guide:    []guide.ID{guide.ArchitectureInTransitDatabase},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("RDS.38", "RDS.39"), nist("SC-8")),
		Types:      []string{"rds/cluster", "rds/instance"},
		CheckStack: forcesTLS,
		Fix: `rds.NewClusterParameterGroup with rds.ClusterParameterGroupParameterArgs{Name: pulumi.String("rds.force_ssl"), ` +
			`Value: pulumi.String("1")} (MySQL: require_secure_transport = ON), and rds.ClusterArgs{DbClusterParameterGroupName: group.Name}`,
		URL: "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html",
	},
	{
		Name:     "rds-not-publicly-accessible",
		Summary:  "A database instance has no public address.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsAurora, guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("RDS.2"), cis("2.2.3"), nist("AC-3", "SC-7"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    []string{"rds/clusterInstance", "rds/instance"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("publiclyAccessible").False("the instance has a public address")
		},
		Fix:       `rds.ClusterInstanceArgs{PubliclyAccessible: pulumi.Bool(false)}`,
		URL:       "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
		Remediate: rule.SetTo("publiclyAccessible", false),
	},
	{
		Name:     "aurora-iam-authentication",
		Summary:  "A database accepts IAM credentials, which expire by themselves.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("RDS.10", "RDS.12"), nist("IA-2"), pci("7.2.1", "7.2.2", "7.2.5")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onOwnDatabase(r, r.Get("iamDatabaseAuthenticationEnabled").True("clients need a password that lives on"))
		},
		Fix:       `rds.ClusterArgs{IamDatabaseAuthenticationEnabled: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html",
		Remediate: rule.SetTo("iamDatabaseAuthenticationEnabled", true),
	},
	{
		Name:     "aurora-backup-retention",
		Summary:  "A database keeps its backups for a week at least.",
		Guide:    []guide.ID{guide.ArchitectureLifecycleBackupRetention},
		Severity: rule.High,
		// Development databases keep a day; production configures mandatory.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("RDS.11"), nist("CP-9"), pci("10.3.3")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Params: []rule.Param{{
			Name: "minDays", Kind: rule.Integer, Default: 7, Min: 1, Max: 35,
			Description: "The shortest retention of automatic backups that passes, in days.",
		}},
		Check:     backupRetention,
		Fix:       `rds.ClusterArgs{BackupRetentionPeriod: pulumi.Int(35)}`,
		URL:       "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Managing.Backups.html",
		Remediate: rule.SetWith("backupRetentionPeriod", func(p rule.Params) any { return p.Int("minDays") }),
	},
	{
		Name:     "aurora-managed-master-password",
		Summary:  "RDS makes the master password, keeps it in Secrets Manager and rotates it.",
		Guide:    []guide.ID{guide.PracticesKMSSecretsRotation, guide.OverviewDataSecrets},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("IA-5")),
		Types:    []string{"rds/cluster", "rds/instance"},
		Check:    managedPassword,
		Fix:      `rds.ClusterArgs{ManageMasterUserPassword: pulumi.Bool(true)} in place of MasterPassword`,
		URL:      "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html",
	},
}

// memberOfCluster says that an instance is described by its cluster: Aurora
// engines take storage, authentication and backups from there.
func memberOfCluster(r *rule.Resource) bool {
	if r.Type != "rds/instance" {
		return false
	}
	engine, _ := r.Get("engine").Str()
	return strings.HasPrefix(engine, "aurora")
}

// onOwnDatabase is the verdict of a setting that an instance of a cluster has
// from the cluster.
func onOwnDatabase(r *rule.Resource, v rule.Verdict) rule.Verdict {
	switch {
	case memberOfCluster(r):
		return rule.Skip()
	case r.Type == "rds/instance":
		return unless(v, r.Get("engine"))
	default:
		return v
	}
}

func storageEncrypted(r *rule.Resource, _ rule.Params) rule.Verdict {
	v := r.Get("storageEncrypted")
	for _, source := range []string{"snapshotIdentifier", "replicationSourceIdentifier", "replicateSourceDb", "sourceDbClusterIdentifier"} {
		if v.Absent() && !r.Get(source).Empty() {
			return onOwnDatabase(r, rule.Unsure("storageEncrypted is not set, and %s decides", source))
		}
	}
	return onOwnDatabase(r, v.True("the data lies on disk in the clear, and only a new database can change that"))
}

func backupRetention(r *rule.Resource, p rule.Params) rule.Verdict {
	if !r.Get("replicateSourceDb").Empty() || memberOfCluster(r) {
		return rule.Skip() // backups are the source's
	}
	v := r.Get("backupRetentionPeriod")
	days, known := v.Int()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case !known || days < p.Int("minDays"):
		return rule.Fail("%s is %s, less than the %d days that an unnoticed mistake takes", v.Path(), v.Show(), p.Int("minDays"))
	default:
		return rule.Pass()
	}
}

// passwords are the properties that hold a master password.
var passwords = []string{"masterPassword", "password"}

func managedPassword(r *rule.Resource, _ rule.Params) rule.Verdict {
	for _, p := range passwords {
		if !r.Get(p).Empty() {
			return rule.Fail("%s is set: the password stands in the state and nobody rotates it", p)
		}
	}
	if memberOfCluster(r) || r.Get("masterUsername").Empty() && r.Get("username").Empty() && r.Get("manageMasterUserPassword").Absent() {
		return rule.Skip() // replicas and restored clusters have the source's user
	}
	return r.Get("manageMasterUserPassword").True("nobody rotates the master password")
}

// tlsParameters says which parameter forces TLS, by the family's prefix.
var tlsParameters = []struct {
	family, name string
	on           []string
}{
	{"aurora-postgresql", "rds.force_ssl", []string{"1"}},
	{"postgres", "rds.force_ssl", []string{"1"}},
	{"aurora-mysql", "require_secure_transport", []string{"ON", "1", "on"}},
	{"mysql", "require_secure_transport", []string{"ON", "1", "on"}},
	{"mariadb", "require_secure_transport", []string{"ON", "1", "on"}},
}

func forcesTLS(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	return byParameterGroup(s, r, groupForcesTLS)
}

// byParameterGroup is the verdict of a database whose parameter group decides.
func byParameterGroup(s *rule.Stack, r *rule.Resource, check func(group *rule.Resource) rule.Verdict) rule.Verdict {
	property, typ := "dbClusterParameterGroupName", "rds/clusterParameterGroup"
	if r.Type == "rds/instance" {
		property, typ = "parameterGroupName", "rds/parameterGroup"
	}
	if memberOfCluster(r) {
		return rule.Skip()
	}
	refs := s.Refs(r, property, typ)
	if refs.Empty() {
		return rule.Fail("%s is not set: the default group, which cannot be changed, decides", property)
	}
	out := rule.Skip()
	for _, group := range refs.Targets {
		out = rule.All(out, check(group))
	}
	for _, v := range refs.External {
		if name, _ := v.Str(); strings.HasPrefix(name, "default.") {
			return rule.Fail("%s is %s, which cannot be changed", property, v.Show())
		}
	}
	if !refs.Complete() {
		out = rule.All(out, rule.Unsure("the parameter group is not in this stack"))
	}
	return out
}

func groupForcesTLS(group *rule.Resource) rule.Verdict {
	family := group.Get("family")
	name, known := family.Str()
	if !known {
		return rule.Unsure("the family of %s is unknown", group.Label())
	}
	for _, t := range tlsParameters {
		if !strings.HasPrefix(name, t.family) {
			continue
		}
		v, found := parameter(group, t.name)
		switch {
		case v.Unknown():
			return rule.Unsure("%s of %s is unknown", t.name, group.Label())
		case found && slices.Contains(t.on, parameterText(v)):
			return rule.Pass()
		case found:
			return rule.Fail("%s of %s is %s: connections without TLS are accepted", t.name, group.Label(), v.Show())
		}
		return rule.Fail("%s does not set %s: connections without TLS are accepted", group.Label(), t.name)
	}
	return rule.Skip() // an engine whose TLS is an option, not a parameter
}

// parameter returns the value of a parameter group's parameter. Where a name in
// the list is unknown, so is every parameter that is not found beside it.
func parameter(group *rule.Resource, name string) (v rule.Value, found bool) {
	for _, p := range group.Get("parameters").Items() {
		n := p.Get("name")
		if n.Unknown() {
			v = n
		}
		if text, _ := n.Str(); text == name {
			return p.Get("value"), true
		}
	}
	return v, false
}

// parameterText is a parameter's value as RDS has it: numbers are text there.
func parameterText(v rule.Value) string {
	if n, isInt := v.Int(); isInt {
		return strconv.Itoa(n)
	}
	text, _ := v.Str()
	return text
}
