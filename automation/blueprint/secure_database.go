package blueprint

import (
	"math"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/data"
	"redoubt/infra/monitoring"
)

// DatabaseInputs are the inputs of SecureDatabase.
type DatabaseInputs struct {
	OnBaseline
	KeySettings
	LogSettings
	EngineVersion       string  `json:"engineVersion,omitempty" doc:"Aurora PostgreSQL's version." pattern:"^1[3-9]\\.[0-9]{1,2}$" default:"16.6"`
	DatabaseName        string  `json:"databaseName,omitempty" doc:"The database that is made." pattern:"^[a-zA-Z][a-zA-Z0-9_]{0,62}$" default:"app"`
	MinACU              float64 `json:"minAcu,omitempty" doc:"How far each instance scales down, in Aurora capacity units of 2 GiB memory, in halves." min:"0" max:"256" default:"0.5"`
	MaxACU              float64 `json:"maxAcu,omitempty" doc:"How far each instance scales up." min:"1" max:"256" default:"2"`
	Instances           int     `json:"instances,omitempty" doc:"The writer and its readers, over the zones. By default 2 in prod, else 1." min:"1" max:"15"`
	BackupDays          int     `json:"backupDays,omitempty" doc:"How far back the cluster can be restored to any second, in days. By default 35 in prod, else 7." min:"1" max:"35"`
	RotationDays        int     `json:"rotationDays,omitempty" doc:"How often the master user's secret is rotated, in days." min:"1" max:"365" default:"30"`
	DeletionProtection  *bool   `json:"deletionProtection,omitempty" doc:"AWS refuses the cluster's deletion. By default in prod."`
	SkipFinalSnapshot   *bool   `json:"skipFinalSnapshot,omitempty" doc:"A destroy deletes the data for good, without a last snapshot. By default in dev; never in prod."`
	FinalSnapshotSuffix string  `json:"finalSnapshotSuffix,omitempty" doc:"Tells the last snapshot from one of an earlier cluster of the same stack." pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" maxLength:"20"`
}

// LogSettings are how long logs are kept.
type LogSettings struct {
	LogDays int `json:"logDays,omitempty" doc:"How long logs are kept, in days that CloudWatch Logs offers. By default 365 in prod, else 30." min:"1" max:"3653"`
}

func (l *LogSettings) complete(w Where) {
	if l.LogDays == 0 {
		l.LogDays = 30
		if w.prod() {
			l.LogDays = 365
		}
	}
}

func (l *LogSettings) check(f *findings) {
	f.refuse(!slices.Contains(monitoring.RetentionDays, l.LogDays), "/logDays", "%d is not a period that CloudWatch Logs offers (one of %v)", l.LogDays, monitoring.RetentionDays)
}

func (in *DatabaseInputs) complete() {
	in.LogSettings.complete(in.Where)
	instances, days := 1, 7
	if in.prod() {
		instances, days = 2, 35
	}
	if in.Instances == 0 {
		in.Instances = instances
	}
	if in.BackupDays == 0 {
		in.BackupDays = days
	}
	in.DeletionProtection = in.inProd(in.DeletionProtection)
	in.SkipFinalSnapshot = in.inDev(in.SkipFinalSnapshot)
	if in.FinalSnapshotSuffix != "" || isTrue(in.DeletionProtection) {
		// Whoever names a snapshot wants it, and so does who protects the cluster.
		no := false
		if in.Environment == "dev" {
			in.SkipFinalSnapshot = &no
		}
	}
}

func (in *DatabaseInputs) check(f *findings) {
	in.Where.check(f)
	in.LogSettings.check(f)
	f.refuse(math.Mod(in.MinACU, 0.5) != 0, "/minAcu", "%g is no number of halves", in.MinACU)
	f.refuse(math.Mod(in.MaxACU, 0.5) != 0, "/maxAcu", "%g is no number of halves", in.MaxACU)
	f.refuse(in.MaxACU < in.MinACU, "/maxAcu", "%g is less than minAcu, %g", in.MaxACU, in.MinACU)
	f.refuse(in.prod() && isTrue(in.SkipFinalSnapshot), "/skipFinalSnapshot", "production data leaves a last snapshot (leave it out)")
	f.refuse(isTrue(in.SkipFinalSnapshot) && isTrue(in.DeletionProtection), "/skipFinalSnapshot", "a cluster worth protecting is worth a last snapshot (leave out one of skipFinalSnapshot and deletionProtection)")
}

const databaseExample = `{
  "region": "eu-central-1",
  "baseline": "organization/redoubt/dev",
  "databaseName": "orders",
  "maxAcu": 4,
  "tags": {"owner": "orders-team", "data-class": "confidential"}
}`

var databaseOutputs = []Output{
	{"dbEndpoint", "The host of the database's writer."},
	{"dbReaderEndpoint", "The host that spreads over the database's readers."},
	{"dbPort", "The database's port: a number."},
	{"dbName", "The database."},
	{"dbResourceId", `"cluster-…", which a policy for IAM logins names.`},
	{"dbMasterSecretArn", "The secret that RDS manages for the master user; the ARN, not the value."},
	{"kmsKeyArn", "The key that encrypts storage and secret."},
}

var databaseInputs = inputsOf[DatabaseInputs]("Inputs of secure-database", databaseExample)

// SecureDatabase is an Aurora cluster in a baseline's data subnets.
var SecureDatabase = withOrder(Blueprint{
	Name: "secure-database", Version: "1.0.0", OnBaseline: true,
	Summary: "Aurora PostgreSQL in a baseline's data subnets: encrypted, TLS only, IAM logins, backups, rotated secret, audit log.",
	Inputs:  databaseInputs, Outputs: databaseOutputs,
	Limits: provision.BlueprintLimits{Resources: 60, Minutes: 90},
	Change: map[string]string{InputsKey + ".maxAcu": "8"},
	Drifts: []Drift{{
		Type: "aws:rds/cluster:Cluster", Property: "iamDatabaseAuthenticationEnabled", Value: false,
		Deed: "somebody switches IAM logins off, in the console",
	}},
	Release: map[string]string{InputsKey + ".deletionProtection": "false"},
}, order(databaseInputs, deployDatabase))

func deployDatabase(ctx *pulumi.Context, in *DatabaseInputs) error {
	p, err := in.open(ctx)
	if err != nil {
		return err
	}
	base, err := in.read(ctx, p)
	if err != nil {
		return err
	}
	key, err := p.newKey(ctx, "data", "Database of "+p.prefix, in.KeyDeletionDays, false, data.KeyForServiceGrants)
	if err != nil {
		return err
	}
	logs, err := p.newKey(ctx, "log", "Logs of "+p.prefix, in.KeyDeletionDays, false, data.KeyForLogs)
	if err != nil {
		return err
	}
	db, err := data.NewAurora(ctx, p.prefix+"-db", &data.AuroraArgs{
		Scope: p.scope, Identifier: p.prefix + "-db", EngineVersion: in.EngineVersion, DatabaseName: in.DatabaseName,
		MinACU: in.MinACU, MaxACU: in.MaxACU, Instances: in.Instances,
		SubnetIDs:        pulumi.ToStringArray(base.DataSubnetIDs),
		SecurityGroupIDs: pulumi.ToStringArray([]string{base.SecurityGroupIDs.Aurora}),
		KmsKeyArn:        key.Arn, LogKmsKeyArn: logs.Arn, LogRetentionInDays: in.LogDays,
		BackupRetentionDays: in.BackupDays, SecretRotationDays: in.RotationDays,
		DeletionProtection: isTrue(in.DeletionProtection), SkipFinalSnapshot: isTrue(in.SkipFinalSnapshot), FinalSnapshotSuffix: in.FinalSnapshotSuffix,
		MonitoringRoleName: p.prefix + "-db-monitoring", Tags: p.tags,
	}, p.here())
	if err != nil {
		return err
	}
	return publish(ctx, databaseOutputs, pulumi.Map{
		"dbEndpoint":        db.Endpoint,
		"dbReaderEndpoint":  db.ReaderEndpoint,
		"dbPort":            db.Cluster.Port,
		"dbName":            pulumi.String(in.DatabaseName),
		"dbResourceId":      db.ResourceID,
		"dbMasterSecretArn": db.SecretArn,
		"kmsKeyArn":         key.Arn,
	})
}
