package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsDBCluster   = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html"
	docsDBDelete    = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBCluster.html"
	docsDBInstance  = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"
	docsDBSubnets   = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html"
	issueNoSnapshot = "https://github.com/pulumi/pulumi-aws/issues/2020"
)

var dbName = regexp.MustCompile(`^[a-z]([a-z0-9]|-[a-z0-9])*$`)

const dbNameMeaning = "lower-case letters, digits and single hyphens, beginning with a letter and not ending in a hyphen"

// rdsKinds are Aurora clusters, their instances and their groups.
var rdsKinds = []kind{
	{
		token: "aws:rds/cluster:Cluster", noun: "RDS Cluster", service: "RDS", action: "DBCluster",
		id: "{clusterIdentifier}", arn: "arn:{partition}:rds:{region}:{account}:cluster:{clusterIdentifier}",
		defaults: props{"copyTagsToSnapshot": false, "engineMode": "provisioned", "skipFinalSnapshot": false},
		computed: props{
			"clusterIdentifier": func(c *call) any {
				if p := c.text("clusterIdentifierPrefix"); p != "" {
					return p + "{digits26:prefix}"
				}
				return "tf-{digits26:name}"
			},
			"clusterResourceId": "cluster-{upper26:resource}", "endpoint": "{clusterIdentifier}.cluster-{alnum12:endpoint}.{region}.rds.{dns}",
			"readerEndpoint": "{clusterIdentifier}.cluster-ro-{alnum12:endpoint}.{region}.rds.{dns}", "hostedZoneId": "Z{upper13:zone}",
			"engineVersion": enginePick("16.6", "8.0.mysql_aurora.3.08.0"), "engineVersionActual": "{engineVersion}", "backupRetentionPeriod": 1,
			"port": func(c *call) any {
				if strings.Contains(c.text("engine"), "postgres") {
					return 5432
				}
				return 3306
			},
			"preferredBackupWindow": "03:00-03:30", "preferredMaintenanceWindow": "sun:05:00-sun:05:30", "dbSubnetGroupName": "default",
			"dbClusterParameterGroupName": enginePick("default.aurora-postgresql16", "default.aurora-mysql8.0"), "networkType": "IPV4",
			"engineLifecycleSupport": "open-source-rds-extended-support", "storageEncrypted": false, "allocatedStorage": 1, "iops": 0,
			"applyImmediately": false, "databaseInsightsMode": "standard", "monitoringInterval": 0, "performanceInsightsRetentionPeriod": 0,
			"availabilityZones": []any{"{region}a", "{region}b", "{region}c"},
			"clusterMembers":    []any{},
			"masterUserSecrets": fresh(masterUserSecrets),
			"masterUserSecretKmsKeyId": func(c *call) any {
				if c.truth("manageMasterUserPassword") {
					return "arn:{partition}:kms:{region}:{account}:key/{uuid:default secretsmanager key}"
				}
				return nil
			},
			"kmsKeyId": func(c *call) any {
				if c.truth("storageEncrypted") {
					return "arn:{partition}:kms:{region}:{account}:key/{uuid:default rds key}"
				}
				return nil
			},
		},
		handles:  []string{"{clusterResourceId}"},
		replaces: []string{"availabilityZones", "clusterIdentifier", "clusterIdentifierPrefix", "databaseName", "dbSubnetGroupName", "engine", "engineMode", "kmsKeyId", "masterUsername", "snapshotIdentifier", "sourceRegion", "storageEncrypted"},
		refs: slices.Concat(refer(toDBSubnetGroup, "dbSubnetGroupName"), refer(toSecurityGroup, "vpcSecurityGroupIds[*]"), refer(toKey, "kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId"),
			refer(toDBClusterParameters, "dbClusterParameterGroupName"), refer(toRole, "monitoringRoleArn", "iamRoles[*]")),
		unique: []unique{{key: "{clusterIdentifier}", code: "DBClusterAlreadyExistsFault", message: "DB Cluster already exists: {clusterIdentifier}"}},
		limits: []limit{
			{path: "clusterIdentifier", longest: 63, pattern: dbName, meaning: dbNameMeaning, source: docsDBCluster},
			{path: "backupRetentionPeriod", least: 1, most: 35, source: docsDBCluster},
			{path: "engine", oneOf: []string{"aurora-mysql", "aurora-postgresql", "mysql", "postgres"}, source: docsDBCluster},
			{path: "engineMode", oneOf: []string{"global", "multimaster", "parallelquery", "provisioned", "serverless"}, source: docsDBCluster},
			{path: "port", least: 1150, most: 65535, source: docsDBCluster},
			{path: "finalSnapshotIdentifier", longest: 255, pattern: regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9]|-[a-zA-Z0-9])*$`), meaning: "letters, digits and single hyphens, beginning with a letter", source: docsDBDelete},
			{path: "enabledCloudwatchLogsExports[*]", oneOf: []string{"audit", "error", "general", "iam-db-auth-error", "instance", "postgresql", "slowquery", "upgrade"}, source: docsDBCluster},
		},
		refuses: []refusal{
			{name: "db-cluster-credentials", at: []operation{opCreate}, code: "InvalidParameterCombination", source: docsDBCluster, because: noMasterUser},
			{name: "db-cluster-two-passwords", code: "InvalidParameterCombination", source: docsDBCluster, because: twoPasswords},
			{name: "db-cluster-scaling", code: "InvalidParameterValue", source: docsDBCluster, because: capacityUpsideDown},
			{name: "db-cluster-protected", at: []operation{opDelete}, code: "InvalidParameterCombination", source: docsDBDelete, because: protected("deletionProtection", "Cannot delete protected Cluster {id}, please disable deletion protection and try again")},
			{name: "db-cluster-final-snapshot", at: []operation{opDelete}, code: "InvalidParameterCombination", source: issueNoSnapshot, because: noFinalSnapshot},
		},
		blocks: []block{{
			by:   []string{"aws:rds/clusterInstance:ClusterInstance"},
			code: "InvalidDBClusterStateFault", message: "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
		}},
	},
	{
		token: "aws:rds/clusterInstance:ClusterInstance", noun: "RDS Cluster Instance", service: "RDS", action: "DBInstance",
		id: "{identifier}", arn: "arn:{partition}:rds:{region}:{account}:db:{identifier}",
		defaults: props{"autoMinorVersionUpgrade": true, "copyTagsToSnapshot": false, "monitoringInterval": 0, "promotionTier": 0},
		computed: props{
			"identifier": func(c *call) any {
				if p := c.text("identifierPrefix"); p != "" {
					return p + "{digits26:prefix}"
				}
				return "tf-{digits26:name}"
			},
			"dbiResourceId": "db-{upper26:resource}", "endpoint": "{identifier}.{alnum12:endpoint}.{region}.rds.{dns}",
			"availabilityZone": "{region}a", "caCertIdentifier": "rds-ca-rsa2048-g1", "dbParameterGroupName": enginePick("default.aurora-postgresql16", "default.aurora-mysql8.0"),
			"dbSubnetGroupName": "{clusterIdentifier->dbSubnetGroupName}", "engineVersion": "{clusterIdentifier->engineVersion}", "engineVersionActual": "{clusterIdentifier->engineVersion}",
			"kmsKeyId": "{clusterIdentifier->kmsKeyId}", "networkType": "IPV4", "port": func(c *call) any { return relayed(c, "clusterIdentifier", "port") },
			"storageEncrypted":      func(c *call) any { return relayed(c, "clusterIdentifier", "storageEncrypted") },
			"preferredBackupWindow": "03:00-03:30", "preferredMaintenanceWindow": "sun:05:00-sun:05:30", "performanceInsightsEnabled": false,
			"publiclyAccessible": false, "applyImmediately": false, "performanceInsightsRetentionPeriod": 0,
			"writer": func(c *call) any { return len(c.users(c.referred("clusterIdentifier"), c.kind.token)) == 0 },
		},
		replaces: []string{"availabilityZone", "clusterIdentifier", "customIamInstanceProfile", "dbSubnetGroupName", "engine", "identifier", "identifierPrefix"},
		refs: slices.Concat(refer(toDBCluster, "clusterIdentifier"), refer(toDBSubnetGroup, "dbSubnetGroupName"), refer(toRole, "monitoringRoleArn"),
			refer(toKey, "performanceInsightsKmsKeyId"), refer(toDBParameters, "dbParameterGroupName")),
		unique: []unique{{key: "{identifier}", code: "DBInstanceAlreadyExists", message: "DB instance already exists: {identifier}"}},
		limits: []limit{
			{path: "identifier", longest: 63, pattern: dbName, meaning: dbNameMeaning, source: docsDBInstance},
			{path: "monitoringInterval", numbers: []float64{0, 1, 5, 10, 15, 30, 60}, source: docsDBInstance},
			{path: "promotionTier", least: 0, most: 15, source: docsDBInstance},
			{path: "instanceClass", pattern: regexp.MustCompile(`^db\.`), meaning: "it must begin with db.", source: docsDBInstance},
		},
		refuses: []refusal{
			{name: "db-instance-engine", at: []operation{opCreate}, code: "InvalidParameterCombination", source: docsDBInstance, because: engineOfAnotherCluster},
			{name: "db-instance-serverless", code: "InvalidParameterCombination", source: docsDBInstance, because: serverlessUnscaled},
			{name: "db-instance-monitoring-role", code: "InvalidParameterCombination", source: docsDBInstance, because: func(c *call) string {
				if n, _ := c.number("monitoringInterval"); n > 0 && c.text("monitoringRoleArn") == "" {
					return "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
				}
				return ""
			}},
		},
	},
	{
		token: "aws:rds/subnetGroup:SubnetGroup", noun: "RDS DB Subnet Group", service: "RDS", action: "DBSubnetGroup",
		id: "{name}", arn: "arn:{partition}:rds:{region}:{account}:subgrp:{name}",
		defaults: props{"description": "Managed by Pulumi"},
		computed: props{"vpcId": "{subnetIds->vpcId}", "supportedNetworkTypes": []any{"IPV4"}},
		replaces: []string{"name", "namePrefix"}, refs: refer(toSubnet, "subnetIds[*]"),
		unique: []unique{{key: "{name}", code: "DBSubnetGroupAlreadyExists", message: "The DB subnet group '{name}' already exists."}},
		limits: []limit{{path: "name", longest: 255, pattern: regexp.MustCompile(`^[a-z0-9 ._-]+$`), meaning: "lower-case letters, digits, spaces and ._- only", source: docsDBSubnets}},
		refuses: []refusal{
			{name: "db-subnets-two-zones", code: "DBSubnetGroupDoesNotCoverEnoughAZs", source: docsDBSubnets, because: zonesTooFew},
			{name: "db-subnets-one-vpc", code: "InvalidSubnet", source: docsDBSubnets, because: vpcsTooMany},
		},
		blocks: []block{{
			by:   []string{"aws:rds/cluster:Cluster", "aws:rds/instance:Instance"},
			code: "InvalidDBSubnetGroupStateFault", message: "Cannot delete the subnet group '{id}' because at least one database instance is still using it.",
		}},
	},
	parameterGroup("aws:rds/clusterParameterGroup:ClusterParameterGroup", "RDS Cluster Parameter Group", "DBClusterParameterGroup", "cluster-pg", "aws:rds/cluster:Cluster"),
	parameterGroup("aws:rds/parameterGroup:ParameterGroup", "RDS DB Parameter Group", "DBParameterGroup", "pg", "aws:rds/clusterInstance:ClusterInstance", "aws:rds/instance:Instance"),
}

func parameterGroup(token, noun, action, in string, users ...string) kind {
	return kind{
		token: token, noun: noun, service: "RDS", action: action,
		id: "{name}", arn: "arn:{partition}:rds:{region}:{account}:" + in + ":{name}",
		defaults: props{"description": "Managed by Pulumi"}, replaces: []string{"description", "family", "name", "namePrefix"},
		unique: []unique{{key: "{name}", code: "DBParameterGroupAlreadyExists", message: "Parameter group {name} already exists"}},
		limits: []limit{{path: "name", longest: 255, pattern: dbName, meaning: dbNameMeaning, source: docsDBCluster}},
		blocks: []block{{by: users, code: "InvalidDBParameterGroupState", message: "One or more database instances are still members of this parameter group {id}, so the group cannot be deleted"}},
	}
}

func enginePick(postgres, mysql string) func(c *call) any {
	return func(c *call) any {
		if strings.Contains(c.text("engine"), "postgres") {
			return postgres
		}
		return mysql
	}
}

// masterUserSecrets is the secret that RDS keeps for a cluster whose password it
// manages; it is a list because the API has one.
func masterUserSecrets(c *call) any {
	if !c.truth("manageMasterUserPassword") {
		return []any{}
	}
	key := "arn:{partition}:kms:{region}:{account}:key/{uuid:default secretsmanager key}"
	if given := c.referred("masterUserSecretKmsKeyId"); given != nil {
		key = given.arn()
	}
	return []any{props{
		"secretArn": "arn:{partition}:secretsmanager:{region}:{account}:secret:rds!cluster-{uuid:secret}-{alnum6:secret}",
		"kmsKeyId":  key, "secretStatus": "active",
	}}
}

func noMasterUser(c *call) string {
	if c.text("snapshotIdentifier") != "" || c.text("replicationSourceIdentifier") != "" || c.text("globalClusterIdentifier") != "" || has(c.in, "restoreToPointInTime") {
		return ""
	}
	switch {
	case c.text("masterUsername") == "":
		return "masterUsername is required for a cluster that is not restored from a snapshot"
	case !c.truth("manageMasterUserPassword") && !has(c.in, "masterPassword"):
		return "provide either manageMasterUserPassword or masterPassword"
	}
	return ""
}

func twoPasswords(c *call) string {
	if c.truth("manageMasterUserPassword") && has(c.in, "masterPassword") {
		return "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled"
	}
	return ""
}

func capacityUpsideDown(c *call) string {
	low, ok1 := c.number("serverlessv2ScalingConfiguration.minCapacity")
	high, ok2 := c.number("serverlessv2ScalingConfiguration.maxCapacity")
	switch {
	case !ok1 || !ok2:
		return ""
	case low > high:
		return fmt.Sprintf("Serverless v2 minimum capacity %s is above the maximum %s", number(low), number(high))
	case low < 0 || high < 1 || high > 256:
		return fmt.Sprintf("Serverless v2 capacity must be from 0 to 256 ACUs, with a maximum of 1 at least: %s to %s", number(low), number(high))
	case low*2 != float64(int(low*2)) || high*2 != float64(int(high*2)):
		return "Serverless v2 capacity goes in steps of 0.5"
	}
	return ""
}

func noFinalSnapshot(c *call) string {
	if c.truth("skipFinalSnapshot") || c.text("finalSnapshotIdentifier") != "" {
		return ""
	}
	return "final_snapshot_identifier is required when skip_final_snapshot is false: set finalSnapshotIdentifier, or skipFinalSnapshot true, and update the stack before destroying it"
}

func engineOfAnotherCluster(c *call) string {
	cluster := c.referred("clusterIdentifier")
	if cluster == nil {
		return ""
	}
	if engine, _ := text(cluster.outputs, "engine"); engine != c.text("engine") {
		return fmt.Sprintf("The engine name requested for your DB instance (%s) doesn't match the engine name of your DB cluster (%s).", c.text("engine"), engine)
	}
	return ""
}

func serverlessUnscaled(c *call) string {
	cluster := c.referred("clusterIdentifier")
	if cluster == nil || c.text("instanceClass") != "db.serverless" {
		return ""
	}
	if _, ok := text(cluster.outputs, "serverlessv2ScalingConfiguration.maxCapacity"); ok {
		return ""
	}
	return "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance."
}

func zonesTooFew(c *call) string {
	zones := map[string]bool{}
	subnets := c.referredAll("subnetIds")
	for _, s := range subnets {
		zone, _ := text(s.outputs, "availabilityZone")
		zones[zone] = true
	}
	if len(subnets) < len(c.texts("subnetIds[*]")) || len(zones) >= 2 {
		return ""
	}
	return fmt.Sprintf("The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: %d. Add subnets to cover at least 2 AZs.", len(zones))
}

func vpcsTooMany(c *call) string {
	vpcs := map[string]bool{}
	for _, s := range c.referredAll("subnetIds") {
		vpcs[vpcOf(s)] = true
	}
	if len(vpcs) > 1 {
		return "The requested subnets are in different VPCs."
	}
	return ""
}
