package data

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
)

// auroraParameters are the cluster's settings that the guide depends on.
// Static ones take effect at the next restart and must say so: RDS refuses
// "immediate" for them.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Reference.ParameterGroups.html
var auroraParameters = []struct{ name, value, apply string }{
	{"log_connections", "1", "immediate"},
	{"log_disconnections", "1", "immediate"},
	{"log_min_duration_statement", "1000", "immediate"},
	// The audit: every change of structure, right and row; not reads, whose
	// log would be larger than the data.
	{"pgaudit.log", "ddl,role,write", "pending-reboot"},
	{"pgaudit.log_parameter", "0", "pending-reboot"},
	{"rds.force_ssl", "1", "pending-reboot"},
	{"shared_preload_libraries", "pg_stat_statements,pgaudit", "pending-reboot"},
	{"ssl_min_protocol_version", "TLSv1.2", "pending-reboot"},
}

func newAuroraParameters(ctx *pulumi.Context, name string, args *AuroraArgs, opts ...pulumi.ResourceOption) (*rds.ClusterParameterGroup, error) {
	var parameters rds.ClusterParameterGroupParameterArray
	for _, p := range auroraParameters {
		parameters = append(parameters, &rds.ClusterParameterGroupParameterArgs{
			Name: pulumi.String(p.name), Value: pulumi.String(p.value), ApplyMethod: pulumi.String(p.apply),
		})
	}
	family := auroraEngine + args.major()
	return rds.NewClusterParameterGroup(ctx, name+"-parameters", &rds.ClusterParameterGroupArgs{
		// The family is in the name: a major upgrade makes a second group while
		// the cluster still uses the first.
		Name:        pulumi.String(args.Identifier + "-" + family),
		Family:      pulumi.String(family),
		Description: pulumi.String("TLS and audit settings of " + args.Identifier),
		Parameters:  parameters,
		Tags:        tagged(args.Tags, args.Identifier),
	}, opts...)
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
	return errors.Join(append(findings, checkTier(args.BackupTier, args.Tags)...)...)
}
