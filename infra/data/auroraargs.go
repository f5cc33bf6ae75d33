package data

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// AuroraArgs describes a cluster of Aurora PostgreSQL, serverless v2.
type AuroraArgs struct {
	Scope identity.Scope
	// Identifier is the cluster's physical name; instances and log groups
	// are named after it.
	Identifier string
	// EngineVersion is "<major>.<minor>", for example "16.6".
	EngineVersion string
	// DatabaseName is made at creation; empty for none.
	DatabaseName string
	// MinACU and MaxACU are Aurora capacity units, in halves, 0 to 256.
	MinACU, MaxACU float64
	// Instances, 1 to 15; the first is the writer. Two or more survive the
	// loss of a zone.
	Instances int
	// InstanceClass is of all instances; empty means db.serverless. A
	// provisioned class ("db.r7g.large") ignores MinACU and MaxACU.
	InstanceClass string
	// SubnetIDs are the data tier's, in two zones or more.
	SubnetIDs pulumi.StringArrayInput
	// SecurityGroupIDs admit only who needs the database.
	SecurityGroupIDs pulumi.StringArrayInput
	// KmsKeyArn encrypts storage, master secret and Performance Insights.
	// Another key means another cluster.
	KmsKeyArn pulumi.StringInput
	// LogKmsKeyArn encrypts the log group.
	LogKmsKeyArn pulumi.StringInput
	// LogRetentionInDays is how long PostgreSQL's log, with the audit, is kept.
	LogRetentionInDays int
	// BackupRetentionDays is 1 to 35.
	BackupRetentionDays int
	// SecretRotationDays is 1 to 1000; RDS itself would say 7.
	SecretRotationDays int
	// DeletionProtection makes AWS refuse the cluster's deletion.
	DeletionProtection bool
	// SkipFinalSnapshot deletes the data with the cluster. Otherwise it stays
	// as the snapshot "<identifier>-final", of which there can be one: RDS
	// refuses the second destroy unless FinalSnapshotSuffix has changed, which
	// makes it "<identifier>-final-<suffix>".
	SkipFinalSnapshot   bool
	FinalSnapshotSuffix string
	// BackupTier is the backup plan that selects the cluster; empty for none.
	BackupTier string
	// ContinuousBackup says that the tier's plan has a continuous rule: AWS
	// Backup then sets retention and window of the cluster's own backups and
	// lets nobody else change them (cloudformation-coverage-roadmap#2167), so
	// BackupRetentionDays holds until the plan's first job only.
	ContinuousBackup bool
	// EventTopicArn hears of failovers, failures and maintenance. Its policy
	// lets events.rds.amazonaws.com publish, its key is KeyForDatabaseEvents'.
	// Nil for none.
	EventTopicArn pulumi.StringInput
	// EventTopicReady is the topic's policy: RDS checks that it may publish.
	EventTopicReady []pulumi.Resource
	// ActivityStreamKeyArn switches the activity stream on, encrypted with
	// that key: every statement, out of reach of the database's
	// administrators. It needs a provisioned InstanceClass. Nil for none.
	ActivityStreamKeyArn pulumi.StringInput
	// MonitoringRoleName is the physical name of enhanced monitoring's role.
	MonitoringRoleName string
	// PermissionsBoundary caps the role; empty for none.
	PermissionsBoundary string
	// Protect keeps cluster and instances when the stack is destroyed. AWS's
	// own protection does not stop instances from being deleted
	// (terraform-provider-aws#23572).
	Protect bool
	Tags    map[string]string
}

func (args *AuroraArgs) major() string {
	major, _, _ := strings.Cut(args.EngineVersion, ".")
	return major
}

var (
	// RDS adds up to 63 characters; instances append "-15".
	clusterIdentifier = regexp.MustCompile(`^[a-z](?:-?[a-z0-9])*$`)
	auroraVersion     = regexp.MustCompile(`^1[3-9]\.\d{1,2}$`)
	databaseName      = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,62}$`)
)

// finalSnapshot is the name of the snapshot that a destroy leaves.
func (args *AuroraArgs) finalSnapshot() string {
	name := args.Identifier + "-final"
	if args.FinalSnapshotSuffix != "" {
		name += "-" + args.FinalSnapshotSuffix
	}
	return name
}

// serverless is the class that scales by itself.
const serverless = "db.serverless"

func (args *AuroraArgs) instanceClass() string {
	if args.InstanceClass == "" {
		return serverless
	}
	return args.InstanceClass
}

var (
	instanceClass  = regexp.MustCompile(`^db\.[a-z0-9-]+\.[a-z0-9]+$`)
	snapshotSuffix = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)
)

// managedElsewhere are the inputs that AWS Backup changes.
func (args *AuroraArgs) managedElsewhere() []string {
	if !args.ContinuousBackup {
		return nil
	}
	return []string{"backupRetentionPeriod", "preferredBackupWindow"}
}

func (args *AuroraArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &data.AuroraArgs{…})")
	}
	findings := checkScope(args.Scope)
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!clusterIdentifier.MatchString(args.Identifier) || len(args.Identifier) > 60,
		"identifier: %q (1 to 60 lower-case letters, digits and single hyphens, a letter first)", args.Identifier)
	refuse(!auroraVersion.MatchString(args.EngineVersion),
		"engineVersion: %q (<major>.<minor> from 13.0 on, for example 16.6)", args.EngineVersion)
	refuse(args.DatabaseName != "" && !databaseName.MatchString(args.DatabaseName),
		"databaseName: %q (1 to 63 letters, digits and _, a letter first)", args.DatabaseName)
	for _, u := range []struct {
		field string
		acu   float64
	}{{"minACU", args.MinACU}, {"maxACU", args.MaxACU}} {
		refuse(u.acu < 0 || u.acu > 256 || math.Mod(u.acu, 0.5) != 0, "%s: %g (0 to 256 in halves)", u.field, u.acu)
	}
	refuse(args.MaxACU < 1 || args.MaxACU < args.MinACU, "maxACU: %g (at least 1 and at least minACU %g)", args.MaxACU, args.MinACU)
	refuse(args.Instances < 1 || args.Instances > 15, "instances: %d (1 to 15)", args.Instances)
	refuse(args.SubnetIDs == nil, "subnetIds: nil (the data tier's subnets, in two zones or more)")
	refuse(args.SecurityGroupIDs == nil, "securityGroupIds: nil (the group that admits the application on 5432)")
	refuse(args.KmsKeyArn == nil, "kmsKeyArn: nil (RDS would leave the storage unencrypted)")
	refuse(args.LogKmsKeyArn == nil, "logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	refuse(!slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays),
		"logRetentionInDays: %d (one of %v)", args.LogRetentionInDays, monitoring.RetentionDays)
	refuse(args.BackupRetentionDays < 1 || args.BackupRetentionDays > 35, "backupRetentionDays: %d (1 to 35)", args.BackupRetentionDays)
	refuse(args.SecretRotationDays < 1 || args.SecretRotationDays > 1000, "secretRotationDays: %d (1 to 1000)", args.SecretRotationDays)
	refuse(args.MonitoringRoleName == "", "monitoringRoleName: empty (for example redoubt-dev-rds-monitoring)")
	refuse(args.DeletionProtection && args.SkipFinalSnapshot,
		"skipFinalSnapshot: set with deletionProtection (a cluster worth protecting is worth a last snapshot; choose one)")
	refuse(args.InstanceClass != "" && args.InstanceClass != serverless && !instanceClass.MatchString(args.InstanceClass),
		"instanceClass: %q (for example db.r7g.large; empty for db.serverless)", args.InstanceClass)
	refuse(args.ActivityStreamKeyArn != nil && args.instanceClass() == serverless,
		"activityStreamKeyArn: set with db.serverless, which has no activity streams (name a provisioned instanceClass, for example db.r7g.large)")
	refuse(args.FinalSnapshotSuffix != "" && !snapshotSuffix.MatchString(args.FinalSnapshotSuffix),
		"finalSnapshotSuffix: %q (lower-case letters, digits and single hyphens, for example 2)", args.FinalSnapshotSuffix)
	refuse(args.FinalSnapshotSuffix != "" && args.SkipFinalSnapshot, "finalSnapshotSuffix: set with skipFinalSnapshot (there is no snapshot to name; choose one)")
	refuse(args.ContinuousBackup && args.BackupTier == "", "continuousBackup: set without backupTier (name the tier whose plan has the continuous rule)")
	return errors.Join(append(findings, checkTier(args.BackupTier, args.Tags)...)...)
}
