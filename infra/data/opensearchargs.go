package data

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/opensearch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

var (
	domainName     = regexp.MustCompile(`^[a-z][a-z0-9-]{2,27}$`)
	engineVersion  = regexp.MustCompile(`^OpenSearch_[2-9]\.\d{1,2}$`)
	searchInstance = regexp.MustCompile(`^[a-z0-9]+\.[a-z0-9]+\.search$`)
)

func (args *OpenSearchArgs) arn() string { return args.Scope.ARN("es", "domain/"+args.DomainName) }

// burstable instances have neither Auto-Tune nor a standby zone, and T2 not
// even encryption.
func (args *OpenSearchArgs) burstable() bool { return strings.HasPrefix(args.InstanceType, "t") }

func (args *OpenSearchArgs) clusterConfig() *opensearch.DomainClusterConfigArgs {
	in := &opensearch.DomainClusterConfigArgs{
		InstanceType:              pulumi.String(args.InstanceType),
		InstanceCount:             pulumi.Int(args.InstanceCount),
		MultiAzWithStandbyEnabled: pulumi.Bool(args.Standby),
		DedicatedMasterEnabled:    pulumi.Bool(args.MasterCount > 0),
		ZoneAwarenessEnabled:      pulumi.Bool(len(args.SubnetIDs) > 1),
	}
	if args.MasterCount > 0 {
		in.DedicatedMasterType = pulumi.String(args.MasterType)
		in.DedicatedMasterCount = pulumi.Int(args.MasterCount)
	}
	if len(args.SubnetIDs) > 1 {
		in.ZoneAwarenessConfig = &opensearch.DomainClusterConfigZoneAwarenessConfigArgs{
			AvailabilityZoneCount: pulumi.Int(len(args.SubnetIDs)),
		}
	}
	return in
}

func (args *OpenSearchArgs) autoTune() *opensearch.DomainAutoTuneOptionsArgs {
	if args.burstable() {
		return &opensearch.DomainAutoTuneOptionsArgs{DesiredState: pulumi.String("DISABLED")}
	}
	return &opensearch.DomainAutoTuneOptionsArgs{
		DesiredState: pulumi.String("ENABLED"), RollbackOnDisable: pulumi.String("NO_ROLLBACK"), UseOffPeakWindow: pulumi.Bool(true),
	}
}

// accessPolicy admits the named roles. Which indices they may read is the
// business of the domain's own access control, where roles are mapped. The
// principal is the account with the roles as a condition, because OpenSearch
// refuses a policy that names a role which does not exist yet.
func (args *OpenSearchArgs) accessPolicy() identity.Document {
	var roles []string
	for _, name := range args.roles() {
		roles = append(roles, args.Scope.RoleARN(name))
	}
	return identity.Document{{
		Sid: "AllowNamedRoles", Effect: identity.Allow,
		Principals: identity.Principals{AWS: []string{args.Scope.Root()}},
		Actions: []string{
			"es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPatch", "es:ESHttpPost", "es:ESHttpPut",
		},
		Resources:  []string{args.arn() + "/*"},
		Conditions: []identity.Condition{{Test: "ArnEquals", Key: "aws:PrincipalArn", Values: roles}},
	}}
}

// roles are the names of the roles that may send requests.
func (args *OpenSearchArgs) roles() []string {
	roles := []string{args.MasterRoleName}
	for _, name := range args.AccessRoleNames {
		if name != args.MasterRoleName {
			roles = append(roles, name)
		}
	}
	return roles
}

// logPolicy lets the domain write to its groups.
func (args *OpenSearchArgs) logPolicy() identity.Document {
	groups := args.Scope.ARN("logs", "log-group:/aws/opensearch/"+args.DomainName+"/*")
	return identity.Document{{
		Sid: "AllowOpenSearchLogs", Effect: identity.Allow,
		Principals: identity.Principals{Service: []string{"es.amazonaws.com"}},
		Actions:    []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:PutLogEventsBatch"},
		Resources:  []string{groups, groups + ":*"},
		Conditions: []identity.Condition{
			{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{args.arn()}},
			{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{args.Scope.AccountID}},
		},
	}}
}

// render returns the domain's access policy and the log resource policy.
func (args *OpenSearchArgs) render() (access, logs string, err error) {
	if args == nil {
		return "", "", errors.New("args: nil (pass &data.OpenSearchArgs{…})")
	}
	findings := append(checkScope(args.Scope), args.check()...)
	if access, err = args.accessPolicy().ResourcePolicy(); err != nil {
		findings = append(findings, fmt.Errorf("access policy: %w", err))
	}
	if logs, err = args.logPolicy().JSON(identity.LogPolicy); err != nil {
		findings = append(findings, fmt.Errorf("log policy: %w", err))
	}
	return access, logs, errors.Join(findings...)
}

func (args *OpenSearchArgs) check() []error {
	var findings []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!domainName.MatchString(args.DomainName), "domainName: %q (3 to 28 lower-case letters, digits and hyphens, a letter first)", args.DomainName)
	refuse(!engineVersion.MatchString(args.EngineVersion), "engineVersion: %q (OpenSearch_<major>.<minor> from 2.0 on)", args.EngineVersion)
	refuse(!searchInstance.MatchString(args.InstanceType), "instanceType: %q (for example r7g.large.search)", args.InstanceType)
	refuse(strings.HasPrefix(args.InstanceType, "t2.") || strings.HasPrefix(args.InstanceType, "m3."),
		"instanceType: %s has no encryption at rest (use t3, m7g or r7g)", args.InstanceType)
	refuse(args.VolumeGiB < 10 || args.VolumeGiB > 24576, "volumeGiB: %d (10 to 24576)", args.VolumeGiB)
	refuse(args.KmsKeyArn == nil, "kmsKeyArn: nil (the key that encrypts the domain)")
	refuse(args.LogKmsKeyArn == nil, "logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	refuse(!slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays),
		"logRetentionInDays: %d (one of %v)", args.LogRetentionInDays, monitoring.RetentionDays)
	refuse(args.SecurityGroupIDs == nil, "securityGroupIds: nil (the group that admits the application on 443)")
	refuse(args.MasterRoleName == "", "masterRoleName: empty (the role that administers the domain's access control)")
	zones := len(args.SubnetIDs)
	refuse(zones < 1 || zones > 3, "subnetIds: %d (one for each zone: 1, 2 or 3)", zones)
	refuse(args.InstanceCount < 1, "instanceCount: %d (at least 1)", args.InstanceCount)
	refuse(zones > 1 && args.InstanceCount%zones != 0,
		"instanceCount: %d over %d zones (a multiple of the zones, or nodes are unevenly loaded)", args.InstanceCount, zones)
	refuse(args.MasterCount != 0 && args.MasterCount != 3 && args.MasterCount != 5,
		"masterCount: %d (0, 3 or 5: an even number cannot elect a master in a split)", args.MasterCount)
	refuse(args.MasterCount > 0 && !searchInstance.MatchString(args.MasterType), "masterType: %q (for example m7g.large.search)", args.MasterType)
	refuse(args.Standby && (zones != 3 || args.InstanceCount < 3 || args.MasterCount < 3 || args.burstable()),
		"standby: needs 3 zones, 3 data nodes, 3 masters and no burstable instances; there are %d, %d, %d and %s (change them or switch standby off)",
		zones, args.InstanceCount, args.MasterCount, args.InstanceType)
	return findings
}
