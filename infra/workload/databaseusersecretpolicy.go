package workload

import (
	"errors"
	"regexp"

	"redoubt/infra/identity"
)

var (
	secretNameForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,22}$`)
	databaseRoleForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)
)

// secretARN ends in the six characters that Secrets Manager adds.
func (args *DatabaseUserSecretArgs) secretARN() string {
	return args.Platform.Scope.ARN("secretsmanager", "secret:"+args.physicalName()+"-??????")
}

// rotatePolicy is to rotate this secret, if this function is its rotation, and
// to read the cluster's administrator. RDS names that secret
// "rds!cluster-<uuid>", which nobody knows beforehand; its tag says whose it is.
func (args *DatabaseUserSecretArgs) rotatePolicy() identity.Document {
	p, scope := args.Platform, args.Platform.Scope
	function := scope.ARN("lambda", "function:"+p.Prefix+"-"+args.functionName())
	return identity.Document{
		{
			Sid: "RotateSecret", Effect: identity.Allow,
			Actions: []string{
				"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
				"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
			},
			Resources:  []string{args.secretARN()},
			Conditions: []identity.Condition{{Test: "StringEquals", Key: "secretsmanager:resource/AllowRotationLambdaArn", Values: []string{function}}},
		},
		{
			Sid: "ReadAdministrator", Effect: identity.Allow, Actions: []string{"secretsmanager:GetSecretValue"},
			Resources: []string{scope.ARN("secretsmanager", "secret:rds!cluster-*")},
			Conditions: []identity.Condition{{
				Test: "StringEquals", Key: "aws:ResourceTag/aws:rds:primaryDBClusterArn",
				Values: []string{scope.ARN("rds", "cluster:"+args.Database.ClusterIdentifier)},
			}},
		},
		p.useKey("UseKeyForSecrets", []string{"kms:Decrypt", "kms:GenerateDataKey"}, "secretsmanager"),
	}
}

// validate repeats what data.NewSecret would find, so that all findings come at
// once and before anything is registered.
func (args *DatabaseUserSecretArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &workload.DatabaseUserSecretArgs{…})")
	}
	var f findings
	if err := args.Platform.validate(); err != nil {
		f = append(f, err)
	}
	f.refuse(!secretNameForm.MatchString(args.SecretName), "secretName: %q (1 to 23 lower-case letters, digits and hyphens, a letter first)", args.SecretName)
	f.refuse(!databaseRoleForm.MatchString(args.Role), "role: %q (1 to 61 lower-case letters, digits and _, a letter first; its users end in _1 and _2)", args.Role)
	f.refuse(args.User != "" && !databaseRoleForm.MatchString(args.User), "user: %q (1 to 61 lower-case letters, digits and _, a letter first; or leave it out)", args.User)
	f.refuse(args.User != "" && args.User == args.Role, "user: %q is the role, which cannot log in (choose another name)", args.User)
	d := args.Database
	f.refuse(d.ClusterIdentifier == "", "database.clusterIdentifier: empty (the Aurora cluster's)")
	f.refuse(d.Host == nil, "database.host: nil (the writer's host name)")
	f.refuse(d.port() < 1 || d.port() > 65535, "database.port: %d (1 to 65535, or 0 for 5432)", d.Port)
	f.refuse(d.Name == "", "database.name: empty (the database in the cluster)")
	f.refuse(d.AdminSecretArn == nil, "database.adminSecretArn: nil (the secret that RDS manages, data.Aurora.SecretArn)")
	f.refuse(len(d.Authorities) > 3000, "database.authorities: %d bytes (3000 fit beside the other variables: pass the one root that signs the cluster)", len(d.Authorities))
	f.concurrency(args.Concurrency)
	f.refuse(args.RotationDays < 1 || args.RotationDays > 1000, "rotationDays: %d (1 to 1000)", args.RotationDays)
	f.refuse(args.RecoveryWindowDays != 0 && (args.RecoveryWindowDays < 7 || args.RecoveryWindowDays > 30),
		"recoveryWindowDays: %d (7 to 30, or 0 to delete at once)", args.RecoveryWindowDays)
	f.refuse(len(args.ReaderRoleNames) == 0, "readerRoleNames: empty (nobody could read the secret; name the application's role)")
	for i, r := range args.Replicas {
		home := args.Platform != nil && r.Region == args.Platform.Scope.Region
		f.refuse(r.Region == "" || home, "replicas[%d].region: %q (another region than the secret's)", i, r.Region)
		f.refuse(r.KmsKeyArn == nil, "replicas[%d].kmsKeyArn: nil (a key of that region: data.Key.ReplicaArn)", i)
	}
	return f.err()
}
