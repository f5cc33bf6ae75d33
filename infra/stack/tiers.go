package stack

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
	"redoubt/infra/workload"
)

// serviceName is the application's name inside a stack.
const serviceName = "app"

// databaseUser is the role in PostgreSQL that tasks log in as with an IAM token.
const databaseUser = "app"

// databaseName is the application's database.
const databaseName = "app"

func (s *Stack) newDatabase(ctx *pulumi.Context) (err error) {
	c, p, k, vpc, groups := s.config, s.place, s.keys, s.vpc, s.groups
	s.database, err = data.NewAurora(ctx, c.Prefix()+"-db", &data.AuroraArgs{
		Scope: p.scope, Identifier: c.Prefix() + "-db", EngineVersion: c.Database.EngineVersion, DatabaseName: databaseName,
		MinACU: c.Database.MinACU, MaxACU: c.Database.MaxACU, Instances: c.Database.Instances,
		SubnetIDs: vpc.DataSubnetIDs, SecurityGroupIDs: pulumi.StringArray{groups.Aurora},
		KmsKeyArn: k.app.Arn, LogKmsKeyArn: k.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays,
		BackupRetentionDays: c.Database.BackupDays, SecretRotationDays: c.Database.RotationDays,
		DeletionProtection: c.Database.DeletionProtection, SkipFinalSnapshot: c.Database.SkipFinalSnapshot,
		MonitoringRoleName: c.Prefix() + "-db-monitoring", Protect: c.Keys.Protect, Tags: c.Tags,
		BackupTier: s.backupTier(), ContinuousBackup: c.Backup.Enabled,
		EventTopicArn: s.topics.Arn(monitoring.Medium), EventTopicReady: s.topics.Ready,
	}, p.here())
	return err
}

func searchAdmin(c config.Config) string { return c.Prefix() + "-search-admin" }

// newSearch makes the domain and the role that administers its access control:
// people assume it, with MFA.
func newSearch(ctx *pulumi.Context, c config.Config, p *place, k keys, vpc *network.Vpc, groups *network.SecurityGroups) (*data.OpenSearch, error) {
	admin := searchAdmin(c)
	if _, err := identity.NewRole(ctx, admin, &identity.RoleArgs{
		RoleName: admin, Description: "Administers roles and indexes of the OpenSearch domain",
		Trust: identity.Document{{
			Effect: identity.Allow, Principals: identity.Principals{AWS: []string{p.scope.Root()}}, Actions: []string{"sts:AssumeRole"},
			Conditions: []identity.Condition{
				{Test: "Bool", Key: "aws:MultiFactorAuthPresent", Values: []string{"true"}},
				{Test: "NumericLessThan", Key: "aws:MultiFactorAuthAge", Values: []string{"3600"}},
			},
		}},
		Tags: c.Tags,
	}, p.here()); err != nil {
		return nil, err
	}
	subnets := make([]pulumi.StringInput, 0, len(vpc.DataSubnetIDs))
	for _, id := range vpc.DataSubnetIDs[:min(c.Search.DataNodes, len(vpc.DataSubnetIDs))] {
		subnets = append(subnets, id)
	}
	masters := 0
	if c.Search.MasterInstanceType != "" {
		masters = 3
	}
	return data.NewOpenSearch(ctx, c.Prefix()+"-search", &data.OpenSearchArgs{
		Scope: p.scope, DomainName: c.Prefix() + "-search", EngineVersion: c.Search.EngineVersion,
		InstanceType: c.Search.InstanceType, InstanceCount: c.Search.DataNodes,
		MasterType: c.Search.MasterInstanceType, MasterCount: masters, Standby: c.Search.Standby, VolumeGiB: c.Search.VolumeGiB,
		SubnetIDs: subnets, SecurityGroupIDs: pulumi.StringArray{groups.OpenSearch},
		KmsKeyArn: k.app.Arn, LogKmsKeyArn: k.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays,
		// The function that sets the domain up is its master user, and lets the
		// administrators in.
		MasterRoleName:          workload.SearchBootstrapRoleName(c.Prefix()),
		AccessRoleNames:         []string{admin, workload.TaskRoleName(c.Prefix(), serviceName), logDelivery(c)},
		CreateServiceLinkedRole: c.Search.CreateServiceLinkedRole, CreateLogResourcePolicy: true,
		Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.here())
}

func newService(ctx *pulumi.Context, c config.Config, p *place, k keys, d deployed) (*workload.Service, error) {
	args := serviceArgs(c, p, k, d)
	if d.proxy != nil {
		args.Variables["DATABASE_PROXY_USER"], args.Parameters["DATABASE_PROXY_HOST"] = proxyUser, d.proxy.Endpoint
		args.TaskPolicies["database-proxy"] = identity.Document{d.proxy.Connect(proxyUser)}
		args.After = append(args.After, d.proxy.Ready...)
	}
	if d.tokens != nil {
		args.Variables["JWT_SIGNER_ALIAS"] = d.tokens.AliasName
		args.TaskPolicies["tokens"] = slices.Concat(identity.SigningPolicy(p.scope, c.Prefix()), identity.VerifyingPolicy(p.scope, c.Prefix()))
	}
	return workload.NewService(ctx, c.Prefix()+"-app", args, p.here())
}

func serviceArgs(c config.Config, p *place, k keys, d deployed) *workload.ServiceArgs {
	return &workload.ServiceArgs{
		Scope: p.scope, Prefix: c.Prefix(), Environment: string(c.Environment), ServiceName: serviceName,
		Image: c.Compute.Image, RequireDigest: c.Environment == config.Prod,
		CPU: c.Compute.CPU, MemoryMiB: c.Compute.Memory, MinTasks: c.Compute.Min, MaxTasks: c.Compute.Max,
		SubnetIDs: d.vpc.AppSubnetIDs, SecurityGroupIDs: pulumi.StringArray{d.groups.ECS},
		TargetGroupArn: d.balancer.TargetGroupArn, After: d.beforeTasks(),
		Variables: map[string]string{
			"DATA_BUCKET": d.buckets.data.PhysicalName, "DATABASE_NAME": databaseName, "DATABASE_USER": databaseUser, "DATABASE_SECRET_NAME": d.dbUser.Secret.PhysicalName, "PORT": "3000",
		},
		Parameters: map[string]pulumi.StringInput{
			"DATABASE_HOST": d.database.Endpoint, "DATABASE_READER_HOST": d.database.ReaderEndpoint, "SEARCH_ENDPOINT": d.search.Endpoint,
		},
		TaskPolicies: map[string]identity.Document{
			"application": taskPolicy(c, p.scope, d), "database-user": d.dbUser.Secret.Read(),
		},
		KmsKeyArn: k.app.Arn, KeyAlias: k.app.AliasName, StorageKmsKeyArn: k.tasks.Arn,
		LogKmsKeyArn: k.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays, MaskLog: c.Logs.Mask,
		PermissionsBoundary: d.boundary.Arn,
		ExecuteCommand:      c.Compute.Exec, ForceDelete: c.Storage.ForceDestroy, Tags: c.Tags,
	}
}

// taskPolicy is what the application may do: its bucket, its domain, its
// database user, and its key through S3.
func taskPolicy(c config.Config, scope identity.Scope, d deployed) identity.Document {
	bucket := scope.GlobalARN("s3", d.buckets.data.PhysicalName)
	return identity.Document{
		{Sid: "ListData", Effect: identity.Allow, Actions: []string{"s3:ListBucket"}, Resources: []string{bucket}},
		{Sid: "UseData", Effect: identity.Allow, Actions: []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, Resources: []string{bucket + "/app/*"}},
		{
			Sid: "UseKeyForData", Effect: identity.Allow,
			Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{scope.ARN("kms", "key/*")},
			Conditions: []identity.Condition{
				{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{"alias/" + c.Prefix() + "-app"}},
				{Test: "StringEquals", Key: "kms:ViaService", Values: []string{strings.Join([]string{"s3", scope.Region, "amazonaws.com"}, ".")}},
			},
		},
		{Sid: "SearchLogs", Effect: identity.Allow, Actions: []string{"es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"}, Resources: []string{d.search.DomainArn + "/*"}},
		{
			// The resource id of the cluster is not known at preview; the user's
			// name is this stack's, and it may log in only where it was granted
			// rds_iam.
			Sid: "ConnectToDatabase", Effect: identity.Allow, Actions: []string{"rds-db:connect"},
			Resources: []string{scope.ARN("rds-db", "dbuser:cluster-*/"+databaseUser)},
		},
	}
}
